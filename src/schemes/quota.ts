/**
 * The quota of one scheme: how many bytes it may try in a window, and what has been charged.
 *
 * Windows follow DAMOS (damos_adjust_quota, reference section 4.4): a new one begins with the first use
 * after the old one ended; the effective size is set when a window begins and is the tightest of the size
 * quota, of what the goals' tuner asks for and of what the time quota affords at the measured speed;
 * nothing is carried over.
 *
 * Differences: what was tried in vain is given back to its window as far as the fail-charge ratio says,
 * since results come later here; the measured speed forgets, by half per window that was used; the region
 * that a time quota always allows is not moved when the goals ask for less.
 */
import { PAGE_SIZE, roundDown } from '../memory/range.ts';
import type { SchemeQuota } from './scheme.ts';

/** Bytes per us before anything was timed: a page times 1024 per ms (damos_set_effective_quota). */
const UNTIMED_BYTES_PER_US = (PAGE_SIZE * 1024) / 1000;

export class QuotaWindow {
  #quota: SchemeQuota;
  readonly #minRegionSz: number;
  #startUs = Number.NEGATIVE_INFINITY;
  /** Number of the present window, from 1 on. */
  #sequence = 0;
  #charged = 0;
  #isUnused = true;
  #effective: number;
  /** What the goals asked for last; Infinity without goals. */
  #tuned = Number.POSITIVE_INFINITY;
  #mustTune = false;
  /** Bytes acted on and the time that took, fading. */
  #timedBytes = 0;
  #timedUs = 0;
  /** Windows that ended, or stand, with more to do than they allowed. */
  exceeded = 0;
  #wasExceeded = false;

  constructor(quota: SchemeQuota, minRegionSz: number) {
    this.#quota = quota;
    this.#minRegionSz = minRegionSz;
    this.#effective = quota.szBytes;
  }

  /**
   * Another quota from now on; what was charged in the present window stays charged.
   * @param areGoalsNew the goals are asked again at the next {@link adjust}
   */
  setQuota(quota: SchemeQuota, areGoalsNew: boolean): void {
    this.#quota = quota;
    if (quota.goals.length === 0) this.#tuned = Number.POSITIVE_INFINITY;
    this.#mustTune ||= areGoalsNew;
    this.#effective = this.#tightest();
  }

  /** Bytes charged in the present window, less what was given back. */
  get chargedBytes(): number {
    return this.#charged;
  }

  /** esz: what the present window allows in all; Infinity for no limit. */
  get effectiveBytes(): number {
    return this.#effective;
  }

  get sequence(): number {
    return this.#sequence;
  }

  /** True if there is anything that limits the scheme. */
  get isSet(): boolean {
    const { szBytes, timeUs, goals } = this.#quota;
    return Number.isFinite(szBytes) || Number.isFinite(timeUs) || goals.length > 0;
  }

  /**
   * Opens a new window if the old one has ended.
   * @param tunedBytes what the goals ask for, asked only when a window begins and when they are new
   */
  adjust(nowUs: number, tunedBytes: () => number): void {
    const { goals, resetIntervalUs } = this.#quota;
    const isOver = nowUs < this.#startUs || nowUs >= this.#startUs + resetIntervalUs;
    if (!isOver && !this.#mustTune) return;
    this.#tuned = goals.length > 0 ? tunedBytes() : Number.POSITIVE_INFINITY;
    this.#mustTune = false;
    this.#effective = this.#tightest();
    if (isOver) this.#open(nowUs);
  }

  #open(nowUs: number): void {
    if (!this.#isUnused) {
      this.#timedBytes /= 2;
      this.#timedUs /= 2;
    }
    this.#startUs = nowUs;
    this.#sequence++;
    this.#charged = 0;
    this.#isUnused = true;
    this.#wasExceeded = false;
  }

  /** Bytes that may still be tried in this window, in whole pages. */
  get roomBytes(): number {
    if (this.#effective === Number.POSITIVE_INFINITY) return Number.POSITIVE_INFINITY;
    return roundDown(Math.max(0, this.#effective - this.#charged), PAGE_SIZE);
  }

  /** The window begins with its first charge, so that no charge falls into two short windows. */
  charge(bytes: number, nowUs: number): void {
    if (this.#isUnused) this.#startUs = nowUs;
    this.#isUnused = false;
    this.#charged += bytes;
  }

  /** Gives back what was tried in vain in window `sequence`, but for the fail-charge ratio. */
  giveBack(bytes: number, sequence: number): void {
    if (sequence === this.#sequence) this.#charged -= bytes * (1 - this.#quota.failCharge);
  }

  /** What acting on `bytes` took of one CPU; what failed in no time tells nothing of the speed. */
  addTime(bytes: number, cpuNs: number): void {
    if (cpuNs === 0) return;
    this.#timedBytes += bytes;
    this.#timedUs += cpuNs / 1000;
  }

  /** Notes that there was more to do than the window allows; counted once per window. */
  noteExceeded(): void {
    if (!this.#wasExceeded) this.exceeded++;
    this.#wasExceeded = true;
  }

  #tightest(): number {
    return Math.min(this.#quota.szBytes, this.#tuned, this.#affordable());
  }

  /** At least one region, so that a time quota alone never stops a scheme for good. */
  #affordable(): number {
    const { timeUs } = this.#quota;
    if (timeUs === Number.POSITIVE_INFINITY) return timeUs;
    const bytesPerUs = this.#timedUs > 0 ? this.#timedBytes / this.#timedUs : UNTIMED_BYTES_PER_US;
    return Math.max(bytesPerUs * timeUs, this.#minRegionSz);
  }
}
