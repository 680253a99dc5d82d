/**
 * A published view of all regions, and of the spots inside them, at the end of an aggregation interval:
 * copied once, never written again. immer stores it as one value and does not walk it (a class instance
 * is not drafted).
 */
import type { Regions } from '../monitor/monitor.ts';

/** Ranges in address order with their rates. */
export interface RatedRanges {
  readonly count: number;
  readonly start: Float64Array;
  readonly end: Float64Array;
  /** Accesses per page per second. */
  readonly ratePerS: Float64Array;
}

export class RegionSnapshot implements RatedRanges {
  readonly timeUs: number;
  readonly count: number;
  readonly start: Float64Array;
  readonly end: Float64Array;
  readonly ratePerS: Float64Array;
  /** Aggregation intervals. */
  readonly age: Uint32Array;
  /** Exceptions inside regions; the rate of a region counts them in. */
  readonly spots: RatedRanges;

  constructor(timeUs: number, regions: Regions, spots: Regions) {
    const { count, start, end, ratePerS } = copyOf(regions);
    this.timeUs = timeUs;
    this.count = count;
    this.start = start;
    this.end = end;
    this.ratePerS = ratePerS;
    this.age = new Uint32Array(count);
    for (let i = 0; i < count; i++) this.age[i] = regions.age(i);
    this.spots = copyOf(spots);
  }
}

function copyOf(regions: Regions): RatedRanges {
  const { count } = regions;
  const copy = {
    count,
    start: new Float64Array(count),
    end: new Float64Array(count),
    ratePerS: new Float64Array(count),
  };
  for (let i = 0; i < count; i++) {
    copy.start[i] = regions.start(i);
    copy.end[i] = regions.end(i);
    copy.ratePerS[i] = regions.rate(i);
  }
  return copy;
}
