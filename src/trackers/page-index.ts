/**
 * Numbers the pages of a tracker's ranges without gaps, so that per-page state is a plain array.
 *
 * The number stands in for the kernel's PFN: the model has one address per page, wherever it lies, and
 * no frames that pass from one page to another.
 */
import { type AddressRange, PAGE_SIZE } from '../memory/range.ts';

export class PageIndex {
  readonly pages: number;
  readonly #pageBytes: number;
  readonly #starts: Float64Array;
  readonly #ends: Float64Array;
  /** Number of the first page of each range. */
  readonly #firsts: Float64Array;
  /** Range of the last answer: neighbours mostly share it. */
  #last = 0;

  /**
   * @param ranges sorted and disjoint; what is added to them later has no number
   * @param pageBytes the last page of a range may be smaller
   */
  constructor(ranges: readonly AddressRange[], pageBytes = PAGE_SIZE) {
    this.#pageBytes = pageBytes;
    this.#starts = Float64Array.from(ranges, ({ start }) => start);
    this.#ends = Float64Array.from(ranges, ({ end }) => end);
    this.#firsts = new Float64Array(ranges.length);
    let pages = 0;
    ranges.forEach(({ start, end }, i) => {
      this.#firsts[i] = pages;
      pages += Math.ceil((end - start) / pageBytes);
    });
    this.pages = pages;
  }

  /** Number of the page that holds an address; -1 outside of the ranges. */
  indexOf(address: number): number {
    if (!this.#isIn(this.#last, address)) {
      let low = 0;
      let high = this.#starts.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (this.#ends[middle] <= address) low = middle + 1;
        else high = middle;
      }
      if (!this.#isIn(low, address)) return -1;
      this.#last = low;
    }
    const i = this.#last;
    return this.#firsts[i] + Math.floor((address - this.#starts[i]) / this.#pageBytes);
  }

  /** Address of a numbered page. */
  addressOf(index: number): number {
    const i = this.#rangeOf(index);
    return this.#starts[i] + (index - this.#firsts[i]) * this.#pageBytes;
  }

  /** One past the last byte of a numbered page. */
  endOf(index: number): number {
    return Math.min(this.addressOf(index) + this.#pageBytes, this.#ends[this.#rangeOf(index)]);
  }

  #rangeOf(index: number): number {
    let low = 0;
    let high = this.#firsts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#firsts[middle] <= index) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #isIn(i: number, address: number): boolean {
    return i < this.#starts.length && address >= this.#starts[i] && address < this.#ends[i];
  }
}
