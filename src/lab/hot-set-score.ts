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
import { type Detection, detectionOf } from './detection.ts';

export class HotSetScore {
  readonly #minRate: number;
  readonly #truth: Truth;
  /** Starts and ends of what is detected now, in address order; kept from call to call. */
  readonly #edges: number[] = [];
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

  /** @param forEachDetected visits what is detected now, in address order and without overlap */
  addDetected(forEachDetected: (detect: (start: number, end: number) => void) => void): void {
    const edges = this.#edges;
    edges.length = 0;
    forEachDetected((start, end) => {
      this.#detected += end - start;
      edges.push(start, end);
    });
    let i = 0;
    this.#truth.forEachHot(this.#minRate, (start, end) => {
      this.#hot += end - start;
      while (i < edges.length && edges[i + 1] <= start) i += 2;
      for (let k = i; k < edges.length && edges[k] < end; k += 2)
        this.#both += Math.min(end, edges[k + 1]) - Math.max(start, edges[k]);
    });
  }

  result(): Detection {
    return detectionOf(this.#both, this.#detected, this.#hot);
  }
}
