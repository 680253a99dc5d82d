/**
 * Probes: a few checks around a place where a check found an access that its region did not promise.
 *
 * One hit in quiet memory may be the first sign of a hot area of any size. The next hit on it would
 * otherwise wait for the sweep to come by again; a handful of checks at distances from 16 KiB to the
 * bin, each scale as likely as the next, tell at once whether there is more.
 */
import type { RandomStream } from '../memory/random.ts';
import { PAGE_SIZE } from '../memory/range.ts';

/** Places remembered; when more turn up, the oldest are given up. */
const PLACES = 128;
/** Checks per place. */
const CHECKS = 8;
const MIN_SHIFT = 14;

export class ProbeQueue {
  readonly #address = new Float64Array(PLACES);
  readonly #shift = new Uint8Array(PLACES);
  readonly #left = new Uint8Array(PLACES);
  #head = 0;
  #used = 0;

  get metadataBytes(): number {
    return this.#address.byteLength + this.#shift.byteLength + this.#left.byteLength;
  }

  /** Checks wanted in all. */
  get wanted(): number {
    let sum = 0;
    for (let k = 0; k < this.#used; k++) sum += this.#left[(this.#head + k) % PLACES];
    return sum;
  }

  /** Remembers a place, in a bin of 2^shift bytes. */
  add(address: number, shift: number): void {
    if (this.#used === PLACES) {
      this.#head = (this.#head + 1) % PLACES;
      this.#used--;
    }
    const at = (this.#head + this.#used) % PLACES;
    this.#address[at] = address;
    this.#shift[at] = shift;
    this.#left[at] = CHECKS;
    this.#used++;
  }

  /** Remembers the places just outside both ends of `[start, end)`, for distances up to 2^shift bytes. */
  addEdges(start: number, end: number, shift: number): void {
    this.add(Math.max(0, start - PAGE_SIZE), shift);
    this.add(end, shift);
  }

  /** Writes up to `count` page addresses to probe, ascending; returns their number. */
  take(addresses: Float64Array, count: number, random: RandomStream): number {
    let taken = 0;
    while (taken < count && this.#used > 0) {
      const at = this.#head;
      const shift = MIN_SHIFT + random.below(Math.max(1, this.#shift[at] - MIN_SHIFT + 1));
      const size = 2 ** shift;
      const from = Math.floor(this.#address[at] / size) * size;
      addresses[taken++] = from + random.below(size / PAGE_SIZE) * PAGE_SIZE;
      // One each in turn: a place that has been given up can be told apart sooner.
      this.#head = (this.#head + 1) % PLACES;
      this.#used--;
      if (--this.#left[at] > 0) {
        const end = (this.#head + this.#used) % PLACES;
        this.#address[end] = this.#address[at];
        this.#shift[end] = this.#shift[at];
        this.#left[end] = this.#left[at];
        this.#used++;
      }
    }
    addresses.subarray(0, taken).sort();
    return taken;
  }
}
