/**
 * When HybridTier samples: always while its share of fast accesses falls, 5 s on and 5 s off while it is
 * stable (check_fast_mem_hit_ratio and periodic_off of its artifact; reference tiering-systems section
 * 7.3). Stable: the line through the last five shares, one a minute, falls by no more than 0.01 each.
 */

const ON_US = 5_000_000;
const OFF_US = 5_000_000;
const SHARE_US = 60_000_000;
const SHARES = 5;
const SLOPE = -0.01;

/** Slope of the least-squares line through values at 0, 1, 2, ... */
export function slopeOf(values: readonly number[]): number {
  const n = values.length;
  let [sumX, sumY, sumXx, sumXy] = [0, 0, 0, 0];
  values.forEach((y, x) => {
    sumX += x;
    sumY += y;
    sumXx += x * x;
    sumXy += x * y;
  });
  return (n * sumXy - sumX * sumY) / (n * sumXx - sumX * sumX);
}

export class SamplingDuty {
  isOn = true;
  /** Whether it rests at times. */
  isStable = false;
  readonly #shares: number[] = [];
  #fast = 0;
  #slow = 0;
  #shareAtUs: number;
  #turnedAtUs: number;

  constructor(nowUs: number) {
    this.#shareAtUs = nowUs;
    this.#turnedAtUs = nowUs;
  }

  /** Samples of the fast and of the slow tier. */
  count(fast: number, slow: number): void {
    this.#fast += fast;
    this.#slow += slow;
  }

  /** Lets time pass; true when sampling is to be switched. */
  step(nowUs: number): boolean {
    if (nowUs - this.#shareAtUs >= SHARE_US) this.#takeShare(nowUs);
    const isOn = this.isOn ? !this.isStable || nowUs - this.#turnedAtUs < ON_US : this.#isRested(nowUs);
    if (isOn === this.isOn) return false;
    this.isOn = isOn;
    this.#turnedAtUs = nowUs;
    return true;
  }

  #isRested(nowUs: number): boolean {
    return !this.isStable || nowUs - this.#turnedAtUs >= OFF_US;
  }

  #takeShare(nowUs: number): void {
    this.#shareAtUs = nowUs;
    if (this.#fast + this.#slow === 0) return;
    this.#shares.push(this.#fast / (this.#fast + this.#slow));
    [this.#fast, this.#slow] = [0, 0];
    if (this.#shares.length > SHARES) this.#shares.shift();
    const wasStable = this.isStable;
    this.isStable = this.#shares.length === SHARES && slopeOf(this.#shares) > SLOPE;
    if (this.isStable && !wasStable) this.#turnedAtUs = nowUs;
  }
}
