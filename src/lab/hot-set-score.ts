/**
 * How well the monitor knows the hot set: precision, recall and F1 in bytes, over the whole run.
 *
 * Truth: pages whose true rate is at or above the threshold at the end of an aggregation interval.
 * Detected: the bytes of regions whose estimated rate is. Bytes that are both, only detected or only
 * hot are summed over all aggregation intervals (the usual micro-average), so long phases weigh more.
 */
import type { Truth } from '../machines/machine.ts';
import type { Regions } from '../monitor/monitor.ts';

export interface HotSetResult {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
}

export class HotSetScore {
  readonly #minRate: number;
  readonly #truth: Truth;
  #both = 0;
  #detected = 0;
  #hot = 0;

  constructor(truth: Truth, minRate: number) {
    this.#truth = truth;
    this.#minRate = minRate;
  }

  add(regions: Regions): void {
    let i = 0;
    for (let r = 0; r < regions.count; r++) {
      if (regions.rate(r) >= this.#minRate) this.#detected += regions.end(r) - regions.start(r);
    }
    this.#truth.forEachHot(this.#minRate, (start, end) => {
      this.#hot += end - start;
      while (i < regions.count && regions.end(i) <= start) i++;
      for (let r = i; r < regions.count && regions.start(r) < end; r++) {
        if (regions.rate(r) < this.#minRate) continue;
        this.#both += Math.min(end, regions.end(r)) - Math.max(start, regions.start(r));
      }
    });
  }

  /** Precision is 1 when nothing was detected, recall 1 when nothing was hot. */
  result(): HotSetResult {
    const precision = this.#detected > 0 ? this.#both / this.#detected : 1;
    const recall = this.#hot > 0 ? this.#both / this.#hot : 1;
    const f1 = this.#detected + this.#hot > 0 ? (2 * this.#both) / (this.#detected + this.#hot) : 1;
    return { precision, recall, f1 };
  }
}
