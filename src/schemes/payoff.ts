/**
 * What promotions were worth: for how long promoted memory went on being used as it was when it was chosen, beyond
 * the use that is made of what it drove out.
 *
 * A rate says how often memory is used now; whether a move pays depends on how long that lasts in the fast
 * tier, and on what has to leave. Memory of a scan is hot for a moment and then not for a long time, and it drives
 * out what the scan will need sooner; a hot table stays hot, and cold memory leaves. So some of what is promoted is
 * followed: its accesses while it lies in the target, less those of memory that has left it, in units of its rate
 * when it was chosen, are the time for which it was held. What has lately been hot for long tends to stay so,
 * hence one estimate per class of age. Until a class has told enough it is trusted, as if all of it were held for
 * the whole payback time; one that is not worth it goes on being tried a little, so that a change is noticed.
 */
import { PAGE_SIZE, roundDown } from '../memory/range.ts';
import { type IsThere, Leavers } from './leavers.ts';
import type { SchemeExchange } from './scheme.ts';
import type { UnitTable } from './unit-table.ts';

/** Ages below 0.5, 1, 2, 4, 8 and 16 s, and above. */
const CLASSES = 7;
const FIRST_CLASS_S = 0.5;
/** Followed per class. */
const SLOTS = 32;
/** Fewer outcomes tell nothing, and many more tell about another time. */
const LEAST_OUTCOMES = 8;
const MOST_OUTCOMES = 32;
/** A promotion that is younger tells nothing yet: most memory is used for a moment after it was chosen. */
const LEAST_FOLLOWED_US = 8e6;
/** What has not arrived by then does not come. */
const MOST_ON_WAY_US = 5e6;
/** Memory of a class that is not worth it is tried nevertheless, so often and so much each. */
const TRIALS_PER_S = 4;
export const TRIAL_BYTES = 2 * 2 ** 20;

const FREE = 0;
const ON_ITS_WAY = 1;
const THERE = 2;

export class Payoff {
  readonly #paybackUs: number;
  readonly #ratio: number;
  readonly #leavers: Leavers;
  readonly #state = new Uint8Array(CLASSES * SLOTS);
  readonly #address = new Float64Array(CLASSES * SLOTS);
  readonly #ratePerS = new Float64Array(CLASSES * SLOTS);
  /** When it was chosen, from when it arrived on. */
  readonly #sinceUs = new Float64Array(CLASSES * SLOTS);
  readonly #bytes = new Float64Array(CLASSES * SLOTS);
  /** Accesses per page, beyond those of what has left. */
  readonly #gained = new Float64Array(CLASSES * SLOTS);
  /** Of what is over, by class: outcomes, fading, and accesses, gained and expected, in page accesses. */
  readonly #outcomes = new Float64Array(CLASSES);
  readonly #sumGained = new Float64Array(CLASSES);
  readonly #sumExpected = new Float64Array(CLASSES);
  readonly #classHeldS = new Float64Array(CLASSES);
  readonly #trials = new Float64Array(CLASSES);
  #lastUs = Number.NaN;

  /** @param rule whose ratio is that by which memory must be used more than what leaves for it */
  constructor({ ratio, paybackUs }: SchemeExchange) {
    this.#paybackUs = paybackUs;
    this.#ratio = ratio;
    this.#leavers = new Leavers(paybackUs);
    this.#classHeldS.fill(paybackUs / 1e6);
  }

  isFor({ ratio, paybackUs }: SchemeExchange): boolean {
    return this.#ratio === ratio && this.#paybackUs === paybackUs;
  }

  /** Looks at all that is followed; once per round, before anything is admitted. */
  follow(nowUs: number, table: UnitTable, isThere: IsThere): void {
    const passedUs = Number.isNaN(this.#lastUs) ? 0 : nowUs - this.#lastUs;
    this.#lastUs = nowUs;
    const lostPerS = this.#ratio * this.#leavers.follow(nowUs, passedUs, table, isThere);
    for (let k = 0; k < CLASSES; k++) {
      this.#trials[k] = Math.min(TRIALS_PER_S, this.#trials[k] + (TRIALS_PER_S * passedUs) / 1e6);
      for (let slot = k * SLOTS; slot < (k + 1) * SLOTS; slot++) {
        if (this.#state[slot] !== FREE) this.#followOne(slot, k, nowUs, passedUs, lostPerS, table, isThere);
      }
      let [outcomes, gained, expected] = [this.#outcomes[k], this.#sumGained[k], this.#sumExpected[k]];
      for (let slot = k * SLOTS; slot < (k + 1) * SLOTS; slot++) {
        const followedUs = nowUs - this.#sinceUs[slot];
        if (this.#state[slot] !== THERE || followedUs < LEAST_FOLLOWED_US) continue;
        // As if it went on like that.
        outcomes++;
        gained += this.#gained[slot] * this.#bytes[slot];
        expected += ((this.#ratePerS[slot] * followedUs) / 1e6) * this.#bytes[slot];
      }
      const mostS = this.#paybackUs / 1e6;
      const isTold = outcomes >= LEAST_OUTCOMES && expected > 0;
      this.#classHeldS[k] = isTold ? mostS * Math.max(0, Math.min(1, gained / expected)) : mostS;
    }
  }

  /** For how long memory of this age is likely to be used in the fast tier as it is now, s. */
  heldS(ageUs: number): number {
    return this.#classHeldS[classOf(ageUs)];
  }

  /** True if memory of this age may be tried although it is not worth it: that takes one of few trials. */
  takeTrial(ageUs: number): boolean {
    const k = classOf(ageUs);
    if (this.#trials[k] < 1) return false;
    this.#trials[k]--;
    return true;
  }

  /** Memory was chosen: follows it if there is a place for it. */
  note(nowUs: number, start: number, bytes: number, ratePerS: number, ageUs: number): void {
    const k = classOf(ageUs);
    const slot = this.#state.indexOf(FREE, k * SLOTS);
    if (slot === -1 || slot >= (k + 1) * SLOTS) return;
    this.#state[slot] = ON_ITS_WAY;
    this.#address[slot] = start + roundDown(bytes / 2, PAGE_SIZE);
    this.#bytes[slot] = bytes;
    this.#ratePerS[slot] = ratePerS;
    this.#sinceUs[slot] = nowUs;
    this.#gained[slot] = 0;
  }

  #followOne(
    slot: number,
    k: number,
    nowUs: number,
    passedUs: number,
    lostPerS: number,
    table: UnitTable,
    isThere: IsThere,
  ): void {
    const address = this.#address[slot];
    if (this.#state[slot] === ON_ITS_WAY) {
      if (isThere(address)) {
        this.#state[slot] = THERE;
        this.#sinceUs[slot] = nowUs;
      } else if (nowUs - this.#sinceUs[slot] > MOST_ON_WAY_US) this.#state[slot] = FREE;
      return;
    }
    const isOver = !isThere(address);
    if (!isOver) this.#gained[slot] += ((table.rateAt(address) - lostPerS) * passedUs) / 1e6;
    if (isOver || nowUs - this.#sinceUs[slot] >= this.#paybackUs) this.#finish(slot, k);
  }

  #finish(slot: number, k: number): void {
    this.#state[slot] = FREE;
    const kept = Math.min(1, MOST_OUTCOMES / (this.#outcomes[k] + 1));
    const bytes = this.#bytes[slot];
    const expected = (this.#ratePerS[slot] * this.#paybackUs) / 1e6;
    this.#outcomes[k] = (this.#outcomes[k] + 1) * kept;
    this.#sumGained[k] = (this.#sumGained[k] + this.#gained[slot] * bytes) * kept;
    this.#sumExpected[k] = (this.#sumExpected[k] + expected * bytes) * kept;
  }
}

function classOf(ageUs: number): number {
  const doublings = Math.ceil(Math.log2(ageUs / 1e6 / FIRST_CLASS_S + Number.EPSILON));
  return Math.max(0, Math.min(CLASSES - 1, doublings));
}
