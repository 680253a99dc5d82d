/**
 * Spots: entries of the spot table that are hotter than their region, as a view of small ranges.
 *
 * An entry that was sampled often speaks for itself; of one that was sampled once or a few times the
 * table knows how often such entries are hit again. Its range is the pages seen; where further events
 * fall on other pages of the block (a small hot area rather than a hot page), also those between them.
 */
import { PAGE_SIZE } from '../memory/range.ts';
import { BlockOrder } from './block-order.ts';
import type { Regions } from './monitor.ts';
import type { RegionIndex } from './region-index.ts';
import { IS_UNSETTLED, type RegionTable } from './region-table.ts';
import type { ClassRate, SpotTable } from './spot-table.ts';
import { storeShareOf, topUser } from './users.ts';

/** Events from which an entry's own rate is used. */
const OWN_RATE_EVENTS = 4;
/** How much hotter than its region a spot must be; less where the region is known to hold different rates. */
const CONTRAST = 3;
const MIXTURE_CONTRAST = 1.5;
/** Pages hit per block from which the pages between seen ones count as hot too. */
const DENSE_PAGES = 4;

export class SpotRegions implements Regions {
  readonly #table: RegionTable;
  readonly #index: RegionIndex;
  readonly #spots: SpotTable;
  #isFresh = false;
  #count = 0;
  #start = new Float64Array(0);
  #end = new Float64Array(0);
  #rate = new Float32Array(0);
  #region = new Uint16Array(0);
  readonly #entries: Uint16Array;
  readonly #order: BlockOrder;

  constructor(table: RegionTable, index: RegionIndex, spots: SpotTable) {
    this.#table = table;
    this.#index = index;
    this.#spots = spots;
    this.#entries = new Uint16Array(spots.capacity);
    this.#order = new BlockOrder(spots.capacity);
  }

  /** To be called when regions or the spot table changed: the view is made anew when it is asked for. */
  invalidate(): void {
    this.#isFresh = false;
  }

  get count(): number {
    if (!this.#isFresh) this.#build();
    return this.#count;
  }

  start(i: number): number {
    return this.#start[i];
  }

  end(i: number): number {
    return this.#end[i];
  }

  rate(i: number): number {
    return this.#rate[i];
  }

  /** Spots have no age of their own. */
  age(i: number): number {
    return this.#table.age[this.#region[i]];
  }

  isIdle(_i: number): boolean {
    return false;
  }

  nrAccesses(_i: number): number {
    return 0;
  }

  accessingNid(i: number): number {
    return topUser(this.#table, this.#region[i]);
  }

  storeShare(i: number): number {
    return storeShareOf(this.#table, this.#region[i]);
  }

  /**
   * Most entries are no exceptions: those that do not stand out in memory at large are dropped before
   * anything is sorted or looked up.
   */
  #build(): void {
    this.#isFresh = true;
    this.#count = 0;
    const spots = this.#spots;
    const classes = spots.classRates();
    const least = CONTRAST * meanRate(this.#table);
    const sampled = spots.sampled(this.#entries);
    const order = this.#order;
    let kept = 0;
    for (let k = 0; k < sampled; k++) {
      const e = this.#entries[k];
      const rate = this.#rateOf(e, classes);
      if (rate < least || !this.#mayStandOut(e, rate)) continue;
      order.block[kept] = spots.block(e);
      order.entry[kept++] = e;
    }
    order.sort(kept);
    for (let k = 0; k < kept; k++) this.#addEntry(order.entry[k], classes);
  }

  /** False if all its pages lie in one region that is too hot for it: most are like their region. */
  #mayStandOut(e: number, rate: number): boolean {
    const base = this.#spots.address(e);
    const seen = this.#spots.pages(e);
    const i = this.#index.locate(base + lowestBit(seen) * PAGE_SIZE);
    if (i < 0) return true;
    const slot = this.#table.order[i];
    return this.#table.end[slot] <= base + highestBit(seen) * PAGE_SIZE || this.#standsOut(slot, rate);
  }

  #standsOut(slot: number, rate: number): boolean {
    const isMixture = (this.#table.flags[slot] & IS_UNSETTLED) !== 0;
    return rate >= (isMixture ? MIXTURE_CONTRAST : CONTRAST) * this.#table.rate[slot];
  }

  /** Accesses per second of a page of the entry, -1 while too little is known. */
  #rateOf(e: number, classes: readonly (ClassRate | undefined)[]): number {
    const spots = this.#spots;
    const pushes = spots.pushes(e);
    if (pushes >= OWN_RATE_EVENTS && spots.exposureS(e) > 0) {
      // Of a uniform area seen from its first to its last event, one event less tells the density.
      const seen = spots.pages(e);
      const pages = this.#isDense(e, classes) ? highestBit(seen) - lowestBit(seen) + 1 : bitCount(seen);
      return (pushes - 1) / spots.exposureS(e) / pages;
    }
    const ofClass = classes[spots.cellOf(e)];
    return ofClass === undefined ? -1 : ofClass.perS / ofClass.pages;
  }

  /** Whether the pages between those seen are hot too. */
  #isDense(e: number, classes: readonly (ClassRate | undefined)[]): boolean {
    const pushes = this.#spots.pushes(e);
    const pages = classes[this.#spots.cellOf(e)]?.pages ?? 1;
    return (
      pages >= DENSE_PAGES || (pushes >= OWN_RATE_EVENTS && bitCount(this.#spots.pages(e)) >= DENSE_PAGES)
    );
  }

  #addEntry(e: number, classes: readonly (ClassRate | undefined)[]): void {
    const base = this.#spots.address(e);
    const seen = this.#spots.pages(e);
    const [low, high] = [lowestBit(seen), highestBit(seen)];
    const rate = this.#rateOf(e, classes);
    if (this.#isDense(e, classes)) {
      this.#add(base + low * PAGE_SIZE, base + (high + 1) * PAGE_SIZE, rate);
      return;
    }
    for (let p = low; p <= high; p++) {
      if ((seen & (1 << p)) !== 0) this.#add(base + p * PAGE_SIZE, base + (p + 1) * PAGE_SIZE, rate);
    }
  }

  #add(start: number, end: number, rate: number): void {
    const i = this.#index.locate(start);
    if (i < 0) return;
    const slot = this.#table.order[i];
    if (!this.#standsOut(slot, rate)) return;
    const n = this.#count;
    if (n === this.#start.length) this.#grow();
    this.#start[n] = start;
    this.#end[n] = Math.min(end, this.#table.end[slot]);
    this.#rate[n] = rate;
    this.#region[n] = slot;
    this.#count++;
  }

  #grow(): void {
    const size = Math.max(64, 2 * this.#start.length);
    this.#start = grown(this.#start, new Float64Array(size));
    this.#end = grown(this.#end, new Float64Array(size));
    this.#rate = grown(this.#rate, new Float32Array(size));
    this.#region = grown(this.#region, new Uint16Array(size));
  }
}

function grown<T extends Float64Array | Float32Array | Uint16Array>(from: T, to: T): T {
  to.set(from);
  return to;
}

/** Accesses per page per second over all regions. */
function meanRate(table: RegionTable): number {
  let [accesses, bytes] = [0, 0];
  for (let i = 0; i < table.count; i++) {
    const slot = table.order[i];
    accesses += table.rate[slot] * table.sz(slot);
    bytes += table.sz(slot);
  }
  return bytes > 0 ? accesses / bytes : 0;
}

function bitCount(bits: number): number {
  let count = 0;
  for (let rest = bits; rest !== 0; rest &= rest - 1) count++;
  return count;
}

function lowestBit(bits: number): number {
  return 31 - Math.clz32(bits & -bits);
}

function highestBit(bits: number): number {
  return 31 - Math.clz32(bits);
}
