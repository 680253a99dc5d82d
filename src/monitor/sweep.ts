/**
 * Page addresses that visit all memory evenly over time, however many are asked for at a time: the
 * Kronecker sequence of the golden ratio over the ranges laid end to end. Of all sequences k * alpha
 * mod 1 it leaves the smallest gaps at every length (three-distance theorem), so that after n visits no
 * piece of memory of more than about 1.9 / n of the whole is unseen, where independent draws leave one
 * in e of those of 1 / n. A small seeded jitter keeps it from resonating with the layout.
 */
import type { RandomStream } from '../memory/random.ts';
import { type AddressRange, PAGE_SIZE, totalBytes } from '../memory/range.ts';

const GOLDEN = (Math.sqrt(5) - 1) / 2;
/** Width of the jitter as a share of all memory: 160 KiB of 160 GiB. */
const JITTER_SHARE = 1e-6;

export class Sweep {
  readonly #random: RandomStream;
  #ranges: readonly AddressRange[] = [];
  #pages = 0;
  #phase: number;

  constructor(random: RandomStream) {
    this.#random = random;
    this.#phase = random.unit();
  }

  /** The ranges to visit: sorted, disjoint, page-aligned. */
  setRanges(ranges: readonly AddressRange[]): void {
    this.#ranges = ranges;
    this.#pages = totalBytes(ranges) / PAGE_SIZE;
  }

  /** Writes the next `count` page addresses of the sequence, ascending. */
  fill(addresses: Float64Array, count: number): void {
    for (let i = 0; i < count; i++) {
      this.#phase += GOLDEN;
      if (this.#phase >= 1) this.#phase -= 1;
      const at = this.#phase + (this.#random.unit() - 0.5) * JITTER_SHARE;
      // Whole pages, and back inside at the ends.
      addresses[i] = Math.min(this.#pages - 1, Math.max(0, Math.floor(at * this.#pages)));
    }
    addresses.subarray(0, count).sort();
    this.#toAddresses(addresses, count);
  }

  /** Writes `count` ascending addresses of uniformly random pages: what the sweep is compared with. */
  fillAtRandom(addresses: Float64Array, count: number): void {
    for (let i = 0; i < count; i++) addresses[i] = this.#random.below(this.#pages);
    addresses.subarray(0, count).sort();
    this.#toAddresses(addresses, count);
  }

  /** From pages of the ranges laid end to end, ascending, to addresses. */
  #toAddresses(pages: Float64Array, count: number): void {
    let r = 0;
    let base = 0;
    for (let i = 0; i < count; i++) {
      for (;;) {
        const inRange = (this.#ranges[r].end - this.#ranges[r].start) / PAGE_SIZE;
        if (pages[i] < base + inRange) break;
        base += inRange;
        r++;
      }
      pages[i] = this.#ranges[r].start + (pages[i] - base) * PAGE_SIZE;
    }
  }
}
