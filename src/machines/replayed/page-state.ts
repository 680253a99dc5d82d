/**
 * What a replay knows of each page, by page id: Accessed bits, placement, recency, true counts.
 */
import type { PageTable } from '../../memory/page-table.ts';
import { PAGE_SIZE } from '../../memory/range.ts';
import type { ReclaimOrder } from '../kswapd.ts';

/** Node of a page that was not touched yet. */
export const UNTOUCHED = 255;

export class PageState implements ReclaimOrder {
  readonly pages: PageTable;
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
    this.accessed[id] = 1;
    this.lastUse[id] = this.#uses++;
    if (this.#count[id] === 0) this.#touched[this.#touchedCount++] = id;
    this.#count[id] += accesses;
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
