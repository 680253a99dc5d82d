/**
 * A clock hand over the pages of one node in address order, to find victims of demotion. What a full turn
 * did not find is not looked for again until `restart`, as it would cost a walk over all memory each time.
 */
import { PAGE_SIZE } from '../memory/range.ts';
import type { PageIndex } from './page-index.ts';
import type { TrackerHost } from './tracker.ts';

const STRIDE_PAGES = 1_024;

export class PageSweep {
  readonly #host: TrackerHost;
  readonly #index: PageIndex;
  readonly #nid: number;
  #hand = 0;
  /** Limits up to this one have been looked for all around. */
  #emptyBelow = -1;

  constructor(host: TrackerHost, index: PageIndex, nid: number) {
    this.#host = host;
    this.#index = index;
    this.#nid = nid;
  }

  /** Pages may have become victims. */
  restart(): void {
    this.#emptyBelow = -1;
  }

  /**
   * Takes up to `pages` victims from where the hand stands, as ranges; at most one turn.
   * @param limit grows with the set of victims
   * @returns their bytes
   */
  collect(
    pages: number,
    limit: number,
    isVictim: (page: number) => boolean,
    take: (start: number, end: number) => void,
  ): number {
    if (limit <= this.#emptyBelow) return 0;
    let left = pages;
    // Taken once the placement is not being visited any more.
    const ranges: number[] = [];
    for (let looked = 0; looked < this.#index.pages && left > 0; ) {
      const first = this.#hand;
      const past = Math.min(first + STRIDE_PAGES, this.#index.pages);
      left = this.#look(first, past, left, isVictim, ranges);
      looked += past - first;
      this.#hand = past === this.#index.pages ? 0 : past;
    }
    if (left > 0) this.#emptyBelow = limit;
    let bytes = 0;
    for (let i = 0; i < ranges.length; i += 2) {
      bytes += ranges[i + 1] - ranges[i];
      take(ranges[i], ranges[i + 1]);
    }
    return bytes;
  }

  /** Looks at pages by number; those of a stride may lie in several ranges. */
  #look(
    first: number,
    past: number,
    wanted: number,
    isVictim: (page: number) => boolean,
    ranges: number[],
  ): number {
    let left = wanted;
    for (let page = first; page < past && left > 0; ) {
      const start = this.#index.addressOf(page);
      let count = past - page;
      // The stride leaves its range: only as far as addresses and numbers run together.
      while (count > 1 && this.#index.addressOf(page + count - 1) !== start + (count - 1) * PAGE_SIZE) {
        count = count >> 1;
      }
      const base = page;
      this.#host.placement(start, start + count * PAGE_SIZE, (from, to, nid) => {
        if (nid !== this.#nid) return;
        for (let address = from; address < to && left > 0; address += PAGE_SIZE) {
          if (!isVictim(base + (address - start) / PAGE_SIZE)) continue;
          left--;
          if (ranges.at(-1) === address) ranges[ranges.length - 1] = address + PAGE_SIZE;
          else ranges.push(address, address + PAGE_SIZE);
        }
      });
      page += count;
    }
    return left;
  }
}
