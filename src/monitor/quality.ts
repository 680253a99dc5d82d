/** How good the evidence behind a monitor's rates is, in few numbers for people and for alarms. */
import { hitShare } from './rate.ts';
import { IS_UNSETTLED, PULL_BLIND, PUSH_BLIND, type RegionTable } from './region-table.ts';
import type { SourceTrust } from './source-trust.ts';

export interface EvidenceQuality {
  /** Checks and samples per second that came in, over the last second or so. */
  readonly pullPerS: number;
  readonly pushPerS: number;
  /** Share of the samples that were dropped on their way, over the same time; 0 if there are none. */
  readonly droppedShare: number;
  /** Samples that came per sample that the source's stated rate promises, measured by the checks; at most 1. */
  readonly pushFactor: number;
  /** Share of the accessed memory in regions where checks, or samples, miss what the other source sees. */
  readonly pullBlindShare: number;
  readonly pushBlindShare: number;
  /** Share of it in regions known to hold different rates, for which there is no record left. */
  readonly unsettledShare: number;
  /** Mean standard error of ln rate over the accessed memory: 0.1 is 10 %. NaN where none is accessed. */
  readonly rateError: number;
}

/** Weight of the present aggregation in the rates of checks and samples: a memory of about ten. */
const STEP = 0.1;

/** Follows what comes in. */
export class SourceMeter {
  #pullPerS = 0;
  #pushPerS = 0;
  #droppedPerS = 0;
  #checks = 0;
  #samples = 0;
  #dropped = 0;
  #isFirst = true;

  addChecks(count: number): void {
    this.#checks += count;
  }

  addSamples(count: number, dropped: number): void {
    this.#samples += count;
    this.#dropped += dropped;
  }

  /** Ends an aggregation interval. */
  tick(seconds: number): void {
    const step = this.#isFirst ? 1 : STEP;
    this.#isFirst = false;
    this.#pullPerS += step * (this.#checks / seconds - this.#pullPerS);
    this.#pushPerS += step * (this.#samples / seconds - this.#pushPerS);
    this.#droppedPerS += step * (this.#dropped / seconds - this.#droppedPerS);
    this.#checks = 0;
    this.#samples = 0;
    this.#dropped = 0;
  }

  quality(table: RegionTable, trust: SourceTrust, intervalS: number): EvidenceQuality {
    let [heat, pullBlind, pushBlind, unsettled, error] = [0, 0, 0, 0, 0];
    for (let i = 0; i < table.count; i++) {
      const slot = table.order[i];
      if (table.rate[slot] === 0) continue;
      // Accessed memory: the bytes that would be found accessed in a sampling interval.
      const hit = hitShare(table.rate[slot], intervalS);
      const own = table.sz(slot) * hit;
      const flags = table.flags[slot];
      heat += own;
      if ((flags & PULL_BLIND) !== 0) pullBlind += own;
      if ((flags & PUSH_BLIND) !== 0) pushBlind += own;
      if ((flags & IS_UNSETTLED) !== 0) unsettled += own;
      const information = trust.information(table, slot, intervalS, hit);
      error += own / Math.sqrt(Math.max(information, 0.01));
    }
    const share = (part: number): number => (heat > 0 ? part / heat : 0);
    const arrived = this.#pushPerS + this.#droppedPerS;
    return {
      pullPerS: this.#pullPerS,
      pushPerS: this.#pushPerS,
      droppedShare: arrived > 0 ? this.#droppedPerS / arrived : 0,
      pushFactor: trust.pushFactor,
      pullBlindShare: share(pullBlind),
      pushBlindShare: share(pushBlind),
      unsettledShare: share(unsettled),
      rateError: heat > 0 ? error / heat : Number.NaN,
    };
  }
}
