/**
 * The spot table: a bounded memory of single pages that were seen accessed, inside regions that are too
 * coarse to tell them apart.
 *
 * An entry is a block of 64 KiB with a bit per page and counts of samples and hits. It serves twice.
 * A region that has just been cut out asks it where inside its bins the events were. And an entry that
 * keeps being hit where its region is lukewarm is a spot: sparse hot pages, or hot areas smaller than
 * regions can follow.
 *
 * Whether an entry that was seen once will be seen again depends on the memory: on a hot page among
 * cold ones yes, in evenly lukewarm memory no. The table measures it: the rate of further events of all
 * entries that were seen c times within a time t is an unbiased estimate of the mean rate of such blocks,
 * whatever the distribution of rates (H. Robbins, "An empirical Bayes approach to statistics", 1956, for
 * Poisson counts). Entries are told apart by t as well, since what was seen once long ago is likely cold, or
 * was hot and is not any more.
 */
import { PAGE_SIZE } from '../memory/range.ts';

export const SPOT_SHIFT = 16;
export const SPOT_PAGES = 2 ** SPOT_SHIFT / PAGE_SIZE;
const SPOT_SIZE = 2 ** SPOT_SHIFT;
const PER_SPOT = 1 / SPOT_SIZE;
/** From 32-bit numbers to 0..1. */
const PER_HASH = 2 ** -32;

/** Bytes of an entry over all columns. */
export const SPOT_BYTES = 4 + 2 + 1 + 1 + 1;

/** Entries that an address may lie in; the least useful of them makes room. */
const WAYS = 4;
/** Blocks have 32-bit numbers: addresses from 2^48 on are not remembered. */
const MAX_BLOCK = 2 ** 32 - 2;
/** Ticks after which an entry counts half and is young again. */
const HALF_LIFE_TICKS = 200;
/** Classes of entries by events seen: 1, 2, 3 and more, each twice: young and old. */
const CLASSES = 3;
/** Ticks after its first event from which an entry is old: what was hot for three seconds may be so no more. */
const OLD_TICKS = 32;
const CELLS = 2 * CLASSES;
/** Further events of a class below which its rate is not known. */
const MIN_REPEATS = 6;

/** What the table has seen of blocks that were sampled equally often. */
export interface ClassRate {
  /** Mean accesses per second of such a block. */
  readonly perS: number;
  /** On how many of its pages they fall, 1 to 16. */
  readonly pages: number;
}

export class SpotTable {
  readonly capacity: number;
  /** Block number + 1; 0: free. */
  readonly #block: Uint32Array;
  readonly #pages: Uint16Array;
  readonly #pushes: Uint8Array;
  readonly #hits: Uint8Array;
  /** Tick of the entry's beginning, modulo 256. */
  readonly #born: Uint8Array;
  readonly #sets: number;
  /** Exposure of the whole table at each of the last 256 ticks. */
  readonly #exposureAt = new Float64Array(256);
  #tick = 0;
  #exposureS = 0;
  #sweep = 0;
  /** Decayed: further events of entries of each class, those on a page seen before, exposure (s). */
  readonly #repeats = new Float64Array(CELLS);
  readonly #samePage = new Float64Array(CELLS);
  readonly #classExposureS = new Float64Array(CELLS);
  readonly #entriesIn = new Int32Array(CELLS);

  constructor(capacity: number) {
    this.#sets = Math.floor(capacity / WAYS);
    this.capacity = this.#sets * WAYS;
    this.#block = new Uint32Array(this.capacity);
    this.#pages = new Uint16Array(this.capacity);
    this.#pushes = new Uint8Array(this.capacity);
    this.#hits = new Uint8Array(this.capacity);
    this.#born = new Uint8Array(this.capacity);
  }

  /** Bytes besides the entries. */
  static readonly fixedBytes = 256 * 8 + 4 * CELLS * 8;

  get metadataBytes(): number {
    return this.capacity * SPOT_BYTES + SpotTable.fixedBytes;
  }

  /**
   * Remembers one event at a page.
   */
  add(address: number, isHit: boolean): void {
    const block = Math.floor(address * PER_SPOT);
    if (block > MAX_BLOCK || this.#sets === 0) return;
    const bit = 1 << ((address * (1 / PAGE_SIZE)) % SPOT_PAGES);
    let e = this.#find(block);
    if (e < 0) {
      e = this.#claim(block);
      this.#pages[e] = bit;
      if (isHit) this.#hits[e] = 1;
      else this.#pushes[e] = 1;
      return;
    }
    if (isHit) {
      if (this.#hits[e] < 255) this.#hits[e]++;
      this.#pages[e] |= bit;
      return;
    }
    const count = this.#pushes[e];
    if (count > 0) {
      const cell = this.cellOf(e);
      this.#repeats[cell]++;
      if ((this.#pages[e] & bit) !== 0) this.#samePage[cell]++;
    }
    this.#pages[e] |= bit;
    if (count < 255) this.#pushes[e]++;
  }

  /** Ends a tick (an aggregation interval) of the given exposure; old entries fade. */
  tick(exposureS: number): void {
    this.#exposureS += exposureS;
    this.#entriesIn.fill(0);
    for (let e = 0; e < this.capacity; e++) if (this.#pushes[e] > 0) this.#entriesIn[this.cellOf(e)]++;
    for (let cell = 0; cell < CELLS; cell++) {
      // Twenty ticks or so: the statistics follow what the memory is like now.
      this.#repeats[cell] *= 0.97;
      this.#samePage[cell] *= 0.97;
      this.#classExposureS[cell] = this.#classExposureS[cell] * 0.97 + exposureS * this.#entriesIn[cell];
    }
    this.#tick++;
    this.#exposureAt[this.#tick & 255] = this.#exposureS;
    const steps = Math.ceil(this.capacity / 32);
    for (let i = 0; i < steps; i++) {
      const e = this.#sweep;
      this.#sweep = e + 1 === this.capacity ? 0 : e + 1;
      if (this.#block[e] !== 0 && this.#age(e) >= HALF_LIFE_TICKS) this.#fade(e);
    }
  }

  /**
   * Visits the entries whose block begins in `[start, end)`, in no order. Costs a look-up per block or
   * one pass, whichever is less.
   */
  forEachIn(start: number, end: number, visit: (entry: number) => void): void {
    const first = Math.ceil(start * PER_SPOT);
    const last = Math.ceil(end * PER_SPOT) - 1;
    if (last - first < this.capacity / 8) {
      for (let block = Math.floor(start * PER_SPOT); block <= last; block++) {
        const e = block > MAX_BLOCK ? -1 : this.#find(block);
        if (e >= 0) visit(e);
      }
      return;
    }
    for (let e = 0; e < this.capacity; e++) {
      const block = this.#block[e] - 1;
      if (block >= first && block <= last) visit(e);
    }
  }

  /** Number of an entry's block. */
  block(e: number): number {
    return this.#block[e] - 1;
  }

  /** First address of an entry's block. */
  address(e: number): number {
    return (this.#block[e] - 1) * SPOT_SIZE;
  }

  /** Pages seen, a bit each. */
  pages(e: number): number {
    return this.#pages[e];
  }

  pushes(e: number): number {
    return this.#pushes[e];
  }

  hits(e: number): number {
    return this.#hits[e];
  }

  /** Exposure of the entry so far, in seconds (times the share of accesses sampled). */
  exposureS(e: number): number {
    return this.#exposureS - this.#exposureAt[this.#born[e]];
  }

  /** Class of an entry that was sampled: by how often, and how long ago first. */
  cellOf(e: number): number {
    return 2 * Math.min(CLASSES, this.#pushes[e]) - (this.#age(e) < OLD_TICKS ? 2 : 1);
  }

  /**
   * By {@link cellOf}: mean accesses per second of a block of the class, and on how many of its pages they
   * fall (1 to 16), as the table has seen it of such blocks; undefined while that is too little.
   */
  classRates(): readonly (ClassRate | undefined)[] {
    return Array.from(this.#repeats, (repeats, cell) => {
      if (!(repeats >= MIN_REPEATS) || this.#classExposureS[cell] <= 0) return undefined;
      const same = Math.max(this.#samePage[cell] / repeats, 1 / SPOT_PAGES);
      return { perS: repeats / this.#classExposureS[cell], pages: Math.min(SPOT_PAGES, 1 / same) };
    });
  }

  /** Writes the entries that were sampled into `entries`, in no order; returns their number. */
  sampled(entries: Uint16Array): number {
    let count = 0;
    for (let e = 0; e < this.capacity; e++) if (this.#pushes[e] > 0) entries[count++] = e;
    return count;
  }

  #age(e: number): number {
    return (this.#tick - this.#born[e]) & 255;
  }

  #setOf(block: number): number {
    const mixed = Math.imul(block ^ (block >>> 15), 0x9e3779b1) >>> 0;
    return Math.floor(mixed * PER_HASH * this.#sets) * WAYS;
  }

  #find(block: number): number {
    const at = this.#setOf(block);
    const key = block + 1;
    const blocks = this.#block;
    for (let e = at; e < at + WAYS; e++) if (blocks[e] === key) return e;
    return -1;
  }

  /** An entry for a new block: a free one, or that with the fewest events and of those the oldest. */
  #claim(block: number): number {
    const at = this.#setOf(block);
    let best = at;
    let bestValue = Number.POSITIVE_INFINITY;
    for (let e = at; e < at + WAYS; e++) {
      if (this.#block[e] === 0) {
        best = e;
        break;
      }
      const value = 40 * (this.#pushes[e] + this.#hits[e]) - this.#age(e);
      if (value < bestValue) {
        best = e;
        bestValue = value;
      }
    }
    this.#free(best);
    this.#block[best] = block + 1;
    this.#pushes[best] = 0;
    this.#hits[best] = 0;
    this.#born[best] = this.#tick & 255;
    return best;
  }

  #free(e: number): void {
    if (this.#block[e] === 0) return;
    this.#block[e] = 0;
    this.#pushes[e] = 0;
  }

  /** Half the events, of half the time. */
  #fade(e: number): void {
    const before = this.#pushes[e];
    const after = before >> 1;
    this.#hits[e] >>= 1;
    if (after + this.#hits[e] === 0) {
      this.#free(e);
      return;
    }
    this.#pushes[e] = after;
    this.#born[e] = (this.#tick - HALF_LIFE_TICKS / 2) & 255;
  }
}
