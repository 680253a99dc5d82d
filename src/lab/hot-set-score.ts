/**
 * How well the monitor knows the hot set: precision, recall and F1 in bytes, over the whole run.
 *
 * Truth: pages whose true rate is at or above the threshold at the end of an aggregation interval.
 * Detected: the bytes of spots, and of regions outside their spots, whose estimated rate is. Bytes that
 * are both, only detected or only hot are summed over all aggregation intervals (the usual
 * micro-average), so long phases weigh more.
 *
 * The accuracy lab scores one moment of a field instead, whose rates it can look up anywhere; of a
 * machine only the hot ranges are known, in address order.
 */
import type { Truth } from '../machines/machine.ts';
import type { Regions } from '../monitor/monitor.ts';
import { forEachPiece } from '../monitor/pieces.ts';
import { rateOfShare } from '../monitor/rate.ts';
import { type Detection, detectionOf } from './detection.ts';

/** Hot is DAMON's "more than 5 of 20 samples", where nobody says otherwise; accesses per page per second. */
export function defaultHotPerS(sampleUs: number): number {
  return rateOfShare(0.25, sampleUs / 1e6);
}

/** Visits ranges in address order, without overlap. */
export type ForEachRange = (visit: (start: number, end: number) => void) => void;

export class HotSetScore {
  readonly #minRate: number;
  readonly #truth: Truth;
  /** Starts and ends of what is detected now, in address order; the array is kept from call to call. */
  #edges = new Float64Array(1024);
  #edgeCount = 0;
  #both = 0;
  #detected = 0;
  #hot = 0;

  constructor(truth: Truth, minRate: number) {
    this.#truth = truth;
    this.#minRate = minRate;
  }

  add(regions: Regions, spots: Regions): void {
    this.addDetected((detect) => forEachPiece(regions, spots, detect, this.#minRate));
  }

  /**
   * @param forEachDetected visits what is detected now
   * @param visitHot called with each hot range and how many bytes of it are detected
   */
  addDetected(
    forEachDetected: ForEachRange,
    visitHot?: (start: number, end: number, detectedBytes: number) => void,
  ): void {
    this.#edgeCount = 0;
    forEachDetected((start, end) => {
      this.#detected += end - start;
      this.#push(start, end);
    });
    const edges = this.#edges;
    const count = this.#edgeCount;
    let i = 0;
    this.#truth.forEachHot(this.#minRate, (start, end) => {
      this.#hot += end - start;
      while (i < count && edges[i + 1] <= start) i += 2;
      let both = 0;
      for (let k = i; k < count && edges[k] < end; k += 2)
        both += Math.min(end, edges[k + 1]) - Math.max(start, edges[k]);
      this.#both += both;
      visitHot?.(start, end, both);
    });
  }

  #push(start: number, end: number): void {
    if (this.#edgeCount === this.#edges.length) {
      const wider = new Float64Array(this.#edges.length * 2);
      wider.set(this.#edges);
      this.#edges = wider;
    }
    this.#edges[this.#edgeCount++] = start;
    this.#edges[this.#edgeCount++] = end;
  }

  result(): Detection {
    return detectionOf(this.#both, this.#detected, this.#hot);
  }
}
