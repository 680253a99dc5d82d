/** Accessed-bit checks under way: expected accesses to each checked page since its bit was cleared. */
import type { RandomStream } from '../../memory/random.ts';

export class PullChecks {
  readonly #random: RandomStream;
  #addresses: Float64Array = new Float64Array(0);
  #count = 0;
  #expected: Float64Array = new Float64Array(0);

  constructor(random: RandomStream) {
    this.#random = random;
  }

  /** Clears the bits of the first `count` addresses, which are ascending. */
  begin(addresses: Float64Array, count: number): void {
    this.#addresses = addresses;
    this.#count = count;
    if (this.#expected.length < count) this.#expected = new Float64Array(count * 2);
    this.#expected.fill(0, 0, count);
  }

  /** Each page of `[start, end)` is accessed `perPage` times on average. */
  accessed(start: number, end: number, perPage: number): void {
    const addresses = this.#addresses;
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (addresses[middle] < start) low = middle + 1;
      else high = middle;
    }
    for (let i = low; i < this.#count && addresses[i] < end; i++) this.#expected[i] += perPage;
  }

  /**
   * Writes 1 where a page was accessed: with probability 1 - exp(-expected).
   * @param isThere false for memory that has no page yet
   */
  finish(hits: Uint8Array, isThere: (address: number) => boolean): void {
    const expected = this.#expected;
    for (let i = 0; i < this.#count; i++) {
      const isHit = expected[i] > 0 && this.#random.unit() < 1 - Math.exp(-expected[i]);
      hits[i] = isHit && isThere(this.#addresses[i]) ? 1 : 0;
    }
    this.#count = 0;
  }
}
