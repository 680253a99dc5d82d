/**
 * What a replay knows of each page, by page id: Accessed bits, placement, recency, true counts.
 */
import type { RunVisitor } from '../../memory/page-runs.ts';
import type { PageTable } from '../../memory/page-table.ts';
import { type AddressRange, PAGE_SIZE } from '../../memory/range.ts';
import type { ReclaimOrder } from '../kswapd.ts';

/** Who asks for Accessed bits; each has a bit of its own. */
export const PULL_BIT = 1;
export const YOUNG_BIT = 2;
export const SCAN_BIT = 4;
const ALL_BITS = PULL_BIT | YOUNG_BIT | SCAN_BIT;

/** Node of a page that was not touched yet. */
export const UNTOUCHED = 255;

export class PageState implements ReclaimOrder {
  readonly pages: PageTable;
  /** By page id: accessed since this one asked, a bit each. */
  readonly accessed: Uint8Array;
  readonly nid: Uint8Array;
  /** Number of the last access in the order of the trace. */
  readonly lastUse: Float64Array;
  #uses = 0;
  /** Accesses in the present truth window, and the ids that have any. */
  #count: Uint32Array;
  #touched: Uint32Array;
  #touchedCount = 0;
  #lastCount: Uint32Array;
  #lastTouched: Uint32Array;
  #lastTouchedCount = 0;
  #lastWindowS = 0;
  /** Coldest pages of the fast tier, found some at a time. */
  #victims: { id: number; lastUse: number }[] = [];
  readonly #fastNid: number;
  /** Page numbers in ascending order. */
  #sorted: Float64Array | undefined;

  constructor(pages: PageTable, fastNid: number) {
    this.pages = pages;
    this.#fastNid = fastNid;
    this.accessed = new Uint8Array(pages.count);
    this.nid = new Uint8Array(pages.count).fill(UNTOUCHED);
    this.lastUse = new Float64Array(pages.count);
    this.#count = new Uint32Array(pages.count);
    this.#lastCount = new Uint32Array(pages.count);
    this.#touched = new Uint32Array(pages.count);
    this.#lastTouched = new Uint32Array(pages.count);
  }

  touch(id: number, accesses: number): void {
    this.accessed[id] = ALL_BITS;
    this.lastUse[id] = this.#uses++;
    if (this.#count[id] === 0) this.#touched[this.#touchedCount++] = id;
    this.#count[id] += accesses;
  }

  /** False until the page's first access. */
  isPlaced(id: number): boolean {
    return this.nid[id] !== UNTOUCHED;
  }

  /** Visits the pages of `[start, end)` that the trace touches at any time, in address order. */
  forEachIn(start: number, end: number, visit: (id: number, address: number) => void): void {
    this.#sorted ??= this.pages.sortedPages();
    const sorted = this.#sorted;
    let [low, high] = [0, sorted.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sorted[middle] * PAGE_SIZE < start) low = middle + 1;
      else high = middle;
    }
    for (let i = low; i < sorted.length && sorted[i] * PAGE_SIZE < end; i++) {
      visit(this.pages.find(sorted[i]), sorted[i] * PAGE_SIZE);
    }
  }

  /** Tests and clears a bit of all pages of `[start, end)`: visits runs with 1 where it was set, else 0. */
  takeBits(bit: number, start: number, end: number, visit: RunVisitor): void {
    let [from, value, at] = [start, 0, start];
    const see = (next: number): void => {
      if (next === value) return;
      if (at > from) visit(from, at, value);
      [from, value] = [at, next];
    };
    this.forEachIn(start, end, (id, address) => {
      // Nothing is in the gaps between pages.
      if (address > at) see(0);
      at = address;
      see((this.accessed[id] & bit) !== 0 ? 1 : 0);
      at = address + PAGE_SIZE;
      this.accessed[id] &= ~bit;
    });
    if (at < end) see(0);
    if (from < end) visit(from, end, value);
  }

  /** Runs of pages that the trace touches at any time. */
  ranges(): AddressRange[] {
    const ranges: { start: number; end: number }[] = [];
    this.forEachIn(0, Number.MAX_SAFE_INTEGER, (_id, address) => {
      const last = ranges.at(-1);
      if (last?.end === address) last.end += PAGE_SIZE;
      else ranges.push({ start: address, end: address + PAGE_SIZE });
    });
    return ranges;
  }

  /** Ends a truth window of `seconds`. */
  endWindow(seconds: number): void {
    for (let i = 0; i < this.#lastTouchedCount; i++) this.#lastCount[this.#lastTouched[i]] = 0;
    [this.#count, this.#lastCount] = [this.#lastCount, this.#count];
    [this.#touched, this.#lastTouched] = [this.#lastTouched, this.#touched];
    this.#lastTouchedCount = this.#touchedCount;
    this.#touchedCount = 0;
    this.#lastWindowS = seconds;
  }

  /** Visits runs of pages that had at least `minRate` accesses per second in the last window. */
  forEachHot(minRate: number, visit: (start: number, end: number) => void): void {
    const least = minRate * this.#lastWindowS;
    const hot: number[] = [];
    for (let i = 0; i < this.#lastTouchedCount; i++) {
      const id = this.#lastTouched[i];
      if (this.#lastCount[id] >= least) hot.push(this.pages.pageAt(id));
    }
    hot.sort((a, b) => a - b);
    for (let i = 0; i < hot.length; ) {
      const first = hot[i];
      let last = first;
      for (i++; i < hot.length && hot[i] === last + 1; i++) last = hot[i];
      visit(first * PAGE_SIZE, (last + 1) * PAGE_SIZE);
    }
  }

  /** Least recently used pages of the fast tier; sorted in portions, skipping what was used since. */
  forEachColdest(visit: (start: number, end: number) => boolean): void {
    for (let refilled = false; ; ) {
      const victim = this.#victims.pop();
      if (victim === undefined) {
        if (refilled) return;
        this.#refill();
        refilled = true;
        continue;
      }
      if (this.nid[victim.id] !== this.#fastNid || this.lastUse[victim.id] !== victim.lastUse) continue;
      const start = this.pages.pageAt(victim.id) * PAGE_SIZE;
      if (!visit(start, start + PAGE_SIZE)) {
        this.#victims.push(victim);
        return;
      }
    }
  }

  #refill(): void {
    const found: { id: number; lastUse: number }[] = [];
    for (let id = 0; id < this.nid.length; id++) {
      if (this.nid[id] === this.#fastNid) found.push({ id, lastUse: this.lastUse[id] });
    }
    // Coldest last, for pop().
    found.sort((a, b) => b.lastUse - a.lastUse);
    const portion = Math.max(64, Math.ceil(found.length / 16));
    this.#victims = found.slice(Math.max(0, found.length - portion));
  }
}
