/**
 * A published view of all regions at the end of an aggregation interval: copied once, never written
 * again. immer stores it as one value and does not walk it (a class instance is not drafted).
 */
import type { Regions } from '../monitor/monitor.ts';

export class RegionSnapshot {
  readonly timeUs: number;
  readonly count: number;
  readonly start: Float64Array;
  readonly end: Float64Array;
  /** Accesses per page per second. */
  readonly ratePerS: Float64Array;
  /** Aggregation intervals. */
  readonly age: Uint32Array;

  constructor(timeUs: number, regions: Regions) {
    const { count } = regions;
    this.timeUs = timeUs;
    this.count = count;
    this.start = new Float64Array(count);
    this.end = new Float64Array(count);
    this.ratePerS = new Float64Array(count);
    this.age = new Uint32Array(count);
    for (let i = 0; i < count; i++) {
      this.start[i] = regions.start(i);
      this.end[i] = regions.end(i);
      this.ratePerS[i] = regions.rate(i);
      this.age[i] = regions.age(i);
    }
  }
}
