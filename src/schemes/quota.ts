/**
 * The size quota of one scheme: at most `szBytes` tried in any window of `resetIntervalUs`.
 *
 * Windows follow DAMOS (damos_adjust_quota): the first begins with the first use, a new one with the
 * first use after the old one ended, and nothing is carried over.
 */
import { PAGE_SIZE, roundDown } from '../memory/range.ts';
import type { SchemeQuota } from './scheme.ts';

export class QuotaWindow {
  readonly #quota: SchemeQuota;
  #startUs = Number.NEGATIVE_INFINITY;
  #charged = 0;
  /** Windows that ended with the quota used up. */
  exceeded = 0;
  #wasFull = false;

  constructor(quota: SchemeQuota) {
    this.#quota = quota;
  }

  get chargedBytes(): number {
    return this.#charged;
  }

  /** Bytes that may be tried now, in whole pages; opens a new window when due. */
  roomBytes(nowUs: number): number {
    if (nowUs < this.#startUs || nowUs >= this.#startUs + this.#quota.resetIntervalUs) {
      this.#startUs = nowUs;
      this.#charged = 0;
      this.#wasFull = false;
    }
    if (this.#quota.szBytes === Number.POSITIVE_INFINITY) return Number.POSITIVE_INFINITY;
    return roundDown(this.#quota.szBytes - this.#charged, PAGE_SIZE);
  }

  charge(bytes: number): void {
    this.#charged += bytes;
  }

  /** Notes that there was more to do than the window allows; counted once per window. */
  noteExceeded(): void {
    if (!this.#wasFull) this.exceeded++;
    this.#wasFull = true;
  }
}
