/**
 * The region table: a bounded number of records as struct of arrays.
 *
 * A record lives in a slot that never moves while the region lives; `order` lists the slots by
 * address. So a cut or a join moves 2-byte indices, not evidence. Column arrays are public for the hot
 * loops of this folder; nobody else writes them.
 *
 * A record keeps its evidence three times, for three questions:
 * - `past` and `recent`, sums over the whole region since its rate last changed and since the last
 *   fold: how often is it accessed, and has that just changed?
 * - bins (`bins.ts`): where inside the region?
 * - users: which nodes access it, by loads or stores?
 */
import { invariant } from '../memory/error.ts';
import { type AddressRange, assertRanges, PAGE_SIZE, totalBytes } from '../memory/range.ts';
import { BINS, copyBins, joinBins, shiftFor } from './bins.ts';
import type { Evidence } from './rate.ts';
import { joinUsers, USER_NODES } from './users.ts';

/** Largest table that 2-byte slot numbers allow. */
export const MAX_REGIONS = 65000;

/** Flags of a record: which source is blind there; whether its single pages are remembered. */
export const PULL_BLIND = 1;
export const PUSH_BLIND = 2;
export const IS_DENSE = 4;
/** About to be cut: not to be joined. A cut was wanted, and there was no room for it. */
export const IS_DUE = 8;
export const IS_UNSETTLED = 16;
/** A probe hit where nothing is known to be: even checks shall tell whether the region has woken. */
export const IS_SUSPECT = 32;
/** Came out of a cut just now. */
export const IS_FRESH = 64;

/** Offsets in a record of `past` and `recent`. */
export const HITS = 0;
export const TRIALS = 1;
export const PUSHES = 2;
export const EXPOSURE_S = 3;
const SUMS = 4;

export class RegionTable {
  readonly capacity: number;
  readonly minRegionSz: number;
  count = 0;
  /** Slots in address order; the first `count` are valid. */
  readonly order: Uint16Array;
  readonly start: Float64Array;
  readonly end: Float64Array;
  /** Accesses per page per second, estimated at the last aggregation. */
  readonly rate: Float32Array;
  /** Aggregation intervals of similar rate. */
  readonly age: Uint32Array;
  /** Expected nr_accesses at the aggregation before, for the age rule. */
  readonly lastScore: Float32Array;
  /**
   * Sums of hits, trials, samples and seconds of push exposure (time x share of accesses sampled, the
   * same for every page), at slot * 4 + HITS etc.
   */
  readonly past: Float32Array;
  readonly recent: Float32Array;
  /** Aggregations in `recent`. */
  readonly recentAggrs: Uint8Array;
  /** The part of the evidence that came in this aggregation interval; not yet in `recent`. */
  readonly nowHits: Uint32Array;
  readonly nowTrials: Uint32Array;
  readonly nowPushes: Uint32Array;
  /** Events since a cut was last looked for; 65535 stands for more. */
  readonly unseen: Uint16Array;
  /** See the flags' constants above. */
  readonly flags: Uint8Array;
  /** Evidence per bin, bin b of slot s at s * BINS + b; see `bins.ts`. */
  readonly binShift: Uint8Array;
  readonly binExposureS: Float32Array;
  readonly binHits: Uint8Array;
  readonly binTrials: Uint8Array;
  readonly binPushes: Uint8Array;
  /** Samples by accessing node (slot * USER_NODES + nid), loads and stores; halved when one is full. */
  readonly users: Uint8Array;
  readonly loads: Uint8Array;
  readonly stores: Uint8Array;
  /** Bytes of all regions: of the ranges, which cuts and joins do not change. */
  totalBytes = 0;
  readonly #free: Uint16Array;
  #freeCount: number;

  constructor(capacity: number, minRegionSz: number) {
    invariant(capacity >= 1 && capacity <= MAX_REGIONS, `region table of ${capacity} records`);
    this.capacity = capacity;
    this.minRegionSz = minRegionSz;
    this.order = new Uint16Array(capacity);
    this.start = new Float64Array(capacity);
    this.end = new Float64Array(capacity);
    this.rate = new Float32Array(capacity);
    this.age = new Uint32Array(capacity);
    this.lastScore = new Float32Array(capacity);
    this.past = new Float32Array(capacity * SUMS);
    this.recent = new Float32Array(capacity * SUMS);
    this.recentAggrs = new Uint8Array(capacity);
    this.nowHits = new Uint32Array(capacity);
    this.nowTrials = new Uint32Array(capacity);
    this.nowPushes = new Uint32Array(capacity);
    this.unseen = new Uint16Array(capacity);
    this.flags = new Uint8Array(capacity);
    this.binShift = new Uint8Array(capacity);
    this.binExposureS = new Float32Array(capacity);
    this.binHits = new Uint8Array(capacity * BINS);
    this.binTrials = new Uint8Array(capacity * BINS);
    this.binPushes = new Uint8Array(capacity * BINS);
    this.users = new Uint8Array(capacity * USER_NODES);
    this.loads = new Uint8Array(capacity);
    this.stores = new Uint8Array(capacity);
    this.#free = new Uint16Array(capacity);
    for (let i = 0; i < capacity; i++) this.#free[i] = capacity - 1 - i;
    this.#freeCount = capacity;
  }

  /** Bytes of one record over all columns. */
  static readonly recordBytes =
    2 * 8 + 3 * 4 + 2 * SUMS * 4 + 1 + 3 * 4 + 2 + 1 + 1 + 4 + 3 * BINS + USER_NODES + 2 + 2 * 2;

  /** Bytes of all columns, at capacity. */
  get metadataBytes(): number {
    return this.capacity * RegionTable.recordBytes;
  }

  sz(slot: number): number {
    return this.end[slot] - this.start[slot];
  }

  /** Position in address order of the region of a slot. */
  positionOf(slot: number): number {
    let low = 0;
    let high = this.count - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.start[this.order[middle]] < this.start[slot]) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /**
   * Sets the ranges to cover: regions outside vanish, regions at the edges are clipped, holes are
   * filled with new regions so that about `pieces` result (at least one per hole). What a clipped
   * region knew of the part that remains survives (DAMON's set_regions, reference section 1.9).
   * Needs room for 2 x (old + new ranges) more records than there are regions.
   */
  setRanges(ranges: readonly AddressRange[], pieces: number): void {
    assertRanges(ranges, this.minRegionSz);
    const kept = this.#clipTo(ranges);
    const holes: { before: number; start: number; end: number }[] = [];
    let holeBytes = 0;
    let next = 0;
    for (const range of ranges) {
      for (let at = range.start; at < range.end; ) {
        const slot = next < kept.length ? kept[next] : -1;
        if (slot >= 0 && this.start[slot] === at) {
          at = this.end[slot];
          next++;
          continue;
        }
        const end = slot >= 0 ? Math.min(range.end, this.start[slot]) : range.end;
        holes.push({ before: next, start: at, end });
        holeBytes += end - at;
        at = end;
      }
    }
    invariant(kept.length + holes.length <= this.capacity, 'too few records for the new ranges');
    const extra = Math.max(0, pieces - kept.length - holes.length);
    this.totalBytes = totalBytes(ranges);
    // A small hole in known memory gets its share of the records, not all that are free.
    const spread = Math.floor(Math.min(extra, (pieces * holeBytes) / this.totalBytes));
    this.count = 0;
    next = 0;
    for (const hole of holes) {
      while (next < hole.before) this.order[this.count++] = kept[next++];
      this.#fill(hole.start, hole.end, 1 + Math.floor((spread * (hole.end - hole.start)) / holeBytes));
    }
    while (next < kept.length) this.order[this.count++] = kept[next++];
  }

  /** Clips every region to the ranges; the remaining parts in address order, others freed. */
  #clipTo(ranges: readonly AddressRange[]): number[] {
    const kept: number[] = [];
    for (const slot of Array.from(this.order.subarray(0, this.count))) {
      for (const range of ranges) {
        const from = Math.max(range.start, this.start[slot]);
        const to = Math.min(range.end, this.end[slot]);
        if (from < to) kept.push(this.#clone(slot, from, to));
      }
      this.#release(slot);
    }
    return kept;
  }

  /**
   * Cuts the region at position `i` at byte address `cut`. Each part keeps its bins, and as sums what
   * `bins` say of it if `byBins`, else the whole region's (a rate of pages is not divided).
   */
  split(i: number, cut: number, byBins: boolean): void {
    const left = this.order[i];
    invariant(this.count < this.capacity, 'split of a full region table');
    invariant(
      cut % this.minRegionSz === 0 && cut > this.start[left] && cut < this.end[left],
      `cut at ${cut} of [${this.start[left]}, ${this.end[left]})`,
    );
    const right = this.#clone(left, cut, this.end[left]);
    this.#clipInPlace(left, this.start[left], cut);
    if (byBins) {
      this.sumsFromBins(left);
      this.sumsFromBins(right);
    }
    this.order.copyWithin(i + 2, i + 1, this.count);
    this.order[i + 1] = right;
    this.count++;
  }

  /** Joins the regions at positions `i` and `i + 1`, which are neighbours without a gap. */
  merge(i: number): void {
    const left = this.order[i];
    const right = this.order[i + 1];
    invariant(i + 1 < this.count && this.end[left] === this.start[right], 'merge of regions with a gap');
    const leftSz = this.sz(left);
    const rightSz = this.sz(right);
    const sum = leftSz + rightSz;
    const mean = (column: Float32Array | Uint32Array): number =>
      (column[left] * leftSz + column[right] * rightSz) / sum;
    this.age[left] = Math.floor(mean(this.age));
    this.lastScore[left] = mean(this.lastScore);
    this.rate[left] = mean(this.rate);
    for (const sums of [this.past, this.recent]) {
      for (const key of [HITS, TRIALS, PUSHES]) sums[left * SUMS + key] += sums[right * SUMS + key];
      const [a, b] = [left * SUMS + EXPOSURE_S, right * SUMS + EXPOSURE_S];
      sums[a] = (sums[a] * leftSz + sums[b] * rightSz) / sum;
    }
    this.recentAggrs[left] = Math.max(this.recentAggrs[left], this.recentAggrs[right]);
    this.nowHits[left] += this.nowHits[right];
    this.nowTrials[left] += this.nowTrials[right];
    this.nowPushes[left] += this.nowPushes[right];
    this.flags[left] |= this.flags[right];
    joinBins(this, left, right);
    this.unseen[left] = 0;
    joinUsers(this, left, right);
    this.end[left] = this.end[right];
    this.#release(right);
    this.order.copyWithin(i + 1, i + 2, this.count);
    this.count--;
  }

  /** All that is known of a region's rate. */
  evidence(slot: number): Evidence {
    const at = slot * SUMS;
    const { past, recent } = this;
    return {
      hits: past[at + HITS] + recent[at + HITS],
      trials: past[at + TRIALS] + recent[at + TRIALS],
      samples: past[at + PUSHES] + recent[at + PUSHES],
      exposure: ((past[at + EXPOSURE_S] + recent[at + EXPOSURE_S]) * this.sz(slot)) / PAGE_SIZE,
    };
  }

  /** Events (hits and samples) behind a region's rate. */
  events(slot: number): number {
    const at = slot * SUMS;
    const { past, recent } = this;
    return past[at + HITS] + recent[at + HITS] + past[at + PUSHES] + recent[at + PUSHES];
  }

  /** Makes the bins' sums the region's whole evidence. */
  sumsFromBins(slot: number): void {
    let [hits, trials, pushes] = [0, 0, 0];
    for (let b = slot * BINS; b < (slot + 1) * BINS; b++) {
      hits += this.binHits[b];
      trials += this.binTrials[b];
      pushes += this.binPushes[b];
    }
    const at = slot * SUMS;
    this.recent.fill(0, at, at + SUMS);
    this.recentAggrs[slot] = 0;
    this.past[at + HITS] = hits;
    this.past[at + TRIALS] = trials;
    this.past[at + PUSHES] = pushes;
    this.past[at + EXPOSURE_S] = this.binExposureS[slot];
  }

  #fill(start: number, end: number, pieces: number): void {
    const units = (end - start) / this.minRegionSz;
    const n = Math.min(pieces, units);
    for (let i = 0; i < n; i++) {
      const slot = this.#allocate();
      this.start[slot] = start + Math.floor((i * units) / n) * this.minRegionSz;
      this.end[slot] = start + Math.floor(((i + 1) * units) / n) * this.minRegionSz;
      this.binShift[slot] = shiftFor(this.start[slot], this.end[slot]);
      this.order[this.count++] = slot;
    }
  }

  /** A new record for `[start, end)` inside the region of `slot`, with that part's evidence. */
  #clone(slot: number, start: number, end: number): number {
    const copy = this.#allocate();
    this.rate[copy] = this.rate[slot];
    this.age[copy] = this.age[slot];
    this.lastScore[copy] = this.lastScore[slot];
    this.flags[copy] = this.flags[slot];
    this.recentAggrs[copy] = this.recentAggrs[slot];
    this.past.copyWithin(copy * SUMS, slot * SUMS, (slot + 1) * SUMS);
    this.recent.copyWithin(copy * SUMS, slot * SUMS, (slot + 1) * SUMS);
    this.nowHits[copy] = this.nowHits[slot];
    this.nowTrials[copy] = this.nowTrials[slot];
    this.nowPushes[copy] = this.nowPushes[slot];
    this.users.copyWithin(copy * USER_NODES, slot * USER_NODES, (slot + 1) * USER_NODES);
    this.loads[copy] = this.loads[slot];
    this.stores[copy] = this.stores[slot];
    this.start[copy] = this.start[slot];
    this.end[copy] = this.end[slot];
    copyBins(this, slot, copy);
    this.#clipInPlace(copy, start, end);
    return copy;
  }

  /** Narrows a record to `[start, end)`; counts that are sums over the region shrink with it. */
  #clipInPlace(slot: number, start: number, end: number): void {
    const share = (end - start) / this.sz(slot);
    for (const sums of [this.past, this.recent]) {
      for (const key of [HITS, TRIALS, PUSHES]) sums[slot * SUMS + key] *= share;
    }
    this.nowHits[slot] *= share;
    this.nowTrials[slot] *= share;
    this.nowPushes[slot] *= share;
    this.unseen[slot] = 0;
    copyBins(this, slot, slot, start, end);
    this.start[slot] = start;
    this.end[slot] = end;
  }

  #allocate(): number {
    invariant(this.#freeCount > 0, 'region table is full');
    const slot = this.#free[--this.#freeCount];
    this.rate[slot] = 0;
    this.age[slot] = 0;
    this.lastScore[slot] = 0;
    this.flags[slot] = 0;
    this.unseen[slot] = 0;
    this.past.fill(0, slot * SUMS, (slot + 1) * SUMS);
    this.recent.fill(0, slot * SUMS, (slot + 1) * SUMS);
    this.recentAggrs[slot] = 0;
    this.nowHits[slot] = 0;
    this.nowTrials[slot] = 0;
    this.nowPushes[slot] = 0;
    this.binExposureS[slot] = 0;
    this.binHits.fill(0, slot * BINS, (slot + 1) * BINS);
    this.binTrials.fill(0, slot * BINS, (slot + 1) * BINS);
    this.binPushes.fill(0, slot * BINS, (slot + 1) * BINS);
    this.users.fill(0, slot * USER_NODES, (slot + 1) * USER_NODES);
    this.loads[slot] = 0;
    this.stores[slot] = 0;
    return slot;
  }

  #release(slot: number): void {
    this.#free[this.#freeCount++] = slot;
  }
}

/** Pages of a region. */
export function pagesOf(table: RegionTable, slot: number): number {
  return (table.end[slot] - table.start[slot]) / PAGE_SIZE;
}
