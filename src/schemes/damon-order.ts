/**
 * Which units the kernel would act on, and in which order: `prioritize: damon`. Scores of 100 levels,
 * the lowest that still fits the quota, then by address (reference section 4.5), going on where the quota
 * ran out the last time (section 4.7).
 *
 * As in the kernel the last unit is passed over when a lap ends, and memory that was not acted on because
 * it is at the target already takes its share of the histogram.
 */
import { roundDown } from '../memory/range.ts';
import { type CountIntervals, damonScore, MAX_SCORE, minScore, type Order } from './priority.ts';
import type { SchemeQuota } from './scheme.ts';
import type { UnitTable } from './unit-table.ts';

/** @param from address in the unit from which on it may be acted on */
export type TurnVisitor = (unit: number, from: number) => boolean;

export class DamonOrder {
  readonly #order: Order;
  readonly #score = new Uint8Array(1);
  readonly #bytesByScore = new Float64Array(MAX_SCORE + 1);
  #scores: Uint8Array = this.#score;
  /** Up to here memory was acted on in this lap; undefined: the lap has begun anew. */
  #resumeAt: number | undefined;
  /** Where the quota ran out in the last walk. */
  #stoppedAt: number | undefined;

  constructor(order: Order) {
    this.#order = order;
  }

  /** The quota was used up by memory that ends here: the next walk goes on from there. */
  stopAt(address: number): void {
    this.#stoppedAt = address;
  }

  /**
   * Visits units until the visitor returns false.
   * @param isMatched by unit
   * @param quotaBytes of the window; Infinity: everything that matches, without priorities
   */
  forEach(
    table: UnitTable,
    isMatched: Uint8Array,
    quotaBytes: number,
    weights: SchemeQuota['weights'],
    intervals: CountIntervals & { readonly minRegionSz: number },
    visit: TurnVisitor,
  ): void {
    const lowest = Number.isFinite(quotaBytes)
      ? this.#lowestScore(table, isMatched, quotaBytes, weights, intervals)
      : 0;
    const isScored = Number.isFinite(quotaBytes);
    this.#resumeAt = this.#stoppedAt ?? this.#resumeAt;
    this.#stoppedAt = undefined;
    for (let unit = 0; unit < table.count; unit++) {
      const from = this.#turnOf(table, unit, intervals.minRegionSz);
      if (Number.isNaN(from) || isMatched[unit] === 0) continue;
      if (isScored && this.#scores[unit] < lowest) continue;
      if (!visit(unit, from)) return;
    }
  }

  /** damos_skip_charged_region: the address from which on it is the unit's turn; NaN: not in this round. */
  #turnOf(table: UnitTable, unit: number, minRegionSz: number): number {
    const start = table.start[unit];
    const resumeAt = this.#resumeAt;
    if (resumeAt === undefined) return start;
    const end = start + table.szBytes[unit];
    if (unit === table.count - 1) {
      this.#resumeAt = undefined;
      return Number.NaN;
    }
    if (end <= resumeAt) return Number.NaN;
    const left = start < resumeAt ? roundDown(resumeAt - start, minRegionSz) : 0;
    if (start < resumeAt && left === 0 && end - start <= minRegionSz) return Number.NaN;
    this.#resumeAt = undefined;
    if (start >= resumeAt) return start;
    return start + Math.max(left, minRegionSz);
  }

  #lowestScore(
    table: UnitTable,
    isMatched: Uint8Array,
    quotaBytes: number,
    weights: SchemeQuota['weights'],
    intervals: CountIntervals,
  ): number {
    if (this.#scores.length < table.count) this.#scores = new Uint8Array(table.start.length);
    this.#bytesByScore.fill(0);
    for (let unit = 0; unit < table.count; unit++) {
      if (isMatched[unit] === 0) continue;
      const score = damonScore(this.#order, weights, table.nrAccesses(unit), table.age[unit], intervals);
      this.#scores[unit] = score;
      this.#bytesByScore[score] += table.szBytes[unit];
    }
    return minScore(this.#bytesByScore, quotaBytes);
  }
}
