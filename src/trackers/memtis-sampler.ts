/**
 * How MEMTIS samples: PEBS periods that follow the CPU time of its own sampler (linux/mm/htmm_sampler.c;
 * reference tiering-systems section 7.1).
 *
 * Loads that miss the caches have one period, all stores another, much longer one. The machine has one
 * period for both: that of loads, and of the stores it samples the share load period / store period is
 * kept at random. Stores that hit the caches are not seen here, MEMTIS counts them too. The CPU time of
 * a sample is a constant; a real sampler also pays for waking up every 2 ms.
 */
import type { RandomStream } from '../memory/random.ts';

/** pebs_period_list: primes. */
export const LOAD_PERIODS: readonly number[] = [
  199, 293, 401, 499, 599, 701, 797, 907, 997, 1201, 1399, 1601, 1801, 1999, 2503, 3001, 3499, 4001, 4507,
  4999, 6007, 7001, 7993, 9001, 10007, 12007, 13999, 16001, 17989, 19997,
];
/** pebs_inst_period_list. */
export const STORE_PERIODS: readonly number[] = [100_003, 300_007, 600_011, 1_000_003, 1_500_003];
/** htmm_inst_sample_period, until the first change. */
export const FIRST_STORE_PERIOD = 100_007;
/** ksampled_soft_cpu_quota 3 %, in thousandths, and its margin. */
const QUOTA = 30;
const MARGIN = 5;
const ADAPT_US = 15_000_000;
const NEW_SHARE = 0.8;

export class MemtisSampler {
  #load = 0;
  #store = -1;
  /** Smoothed share of one CPU, thousandths. */
  #usage = 0;
  #usedNs = 0;
  #sinceUs: number;
  readonly #random: RandomStream;

  constructor(nowUs: number, random: RandomStream) {
    this.#sinceUs = nowUs;
    this.#random = random;
  }

  get loadPeriod(): number {
    return LOAD_PERIODS[this.#load];
  }

  get storePeriod(): number {
    return this.#store < 0 ? FIRST_STORE_PERIOD : STORE_PERIODS[this.#store];
  }

  /** Whether a sample that the machine took is one of MEMTIS's events too. */
  accepts(isStore: number): boolean {
    return isStore === 0 || this.#random.unit() < this.loadPeriod / this.storePeriod;
  }

  /** CPU time that a sample took. */
  spend(ns: number): void {
    this.#usedNs += ns;
  }

  /** Every 15 s looks at its CPU time; true when the periods changed. */
  adapt(nowUs: number): boolean {
    const us = nowUs - this.#sinceUs;
    if (us < ADAPT_US) return false;
    this.#usage = (NEW_SHARE * this.#usedNs) / us + (1 - NEW_SHARE) * this.#usage;
    this.#usedNs = 0;
    this.#sinceUs = nowUs;
    const before = this.#load;
    if (this.#usage > QUOTA + MARGIN) {
      this.#load = Math.min(this.#load + 1, LOAD_PERIODS.length - 1);
      this.#store = Math.min(this.#store < 0 ? 1 : this.#store + 1, STORE_PERIODS.length - 1);
    } else if (this.#usage < QUOTA - MARGIN) {
      this.#load = Math.max(this.#load - 1, 0);
      this.#store = Math.max(this.#store - 1, 0);
    }
    return this.#load !== before;
  }
}
