/**
 * The region table: a bounded number of records as struct of arrays.
 *
 * A record lives in a slot that never moves while the region lives; `order` lists the slots by
 * address. So a cut or a join moves 2-byte indices, not evidence. Column arrays are public for the hot
 * loops of this folder; nobody else writes them.
 */
import { invariant } from '../memory/error.ts';
import { type AddressRange, assertRanges, PAGE_SIZE, totalBytes } from '../memory/range.ts';
import type { Evidence } from './rate.ts';

/**
 * Sub-range bins per region: where inside the region the evidence lies. 16 keeps a record under 256
 * bytes with three 4-byte counters a bin.
 */
export const BINS = 16;

/** Largest table that 2-byte slot numbers allow. */
export const MAX_REGIONS = 65000;

export class RegionTable {
  readonly capacity: number;
  readonly minRegionSz: number;
  count = 0;
  /** Slots in address order; the first `count` are valid. */
  readonly order: Uint16Array;
  readonly start: Float64Array;
  readonly end: Float64Array;
  /** Accesses per page per second, estimated at the last aggregation. */
  readonly rate: Float64Array;
  /** Aggregation intervals of similar rate. */
  readonly age: Uint32Array;
  /** Expected nr_accesses at the aggregation before, for the age rule. */
  readonly lastScore: Float32Array;
  /** Push exposure behind the bins: seconds x share of accesses sampled; the same for every page. */
  readonly exposureS: Float32Array;
  /** Evidence per bin: decayed sums, bin b of slot s at s * BINS + b. */
  readonly binHits: Float32Array;
  readonly binTrials: Float32Array;
  readonly binPushes: Float32Array;
  /** The part of the evidence that came in this aggregation interval. */
  readonly nowHits: Float32Array;
  readonly nowTrials: Float32Array;
  readonly nowPushes: Float32Array;
  readonly #free: Uint16Array;
  #freeCount: number;

  constructor(capacity: number, minRegionSz: number) {
    invariant(capacity >= 1 && capacity <= MAX_REGIONS, `region table of ${capacity} records`);
    this.capacity = capacity;
    this.minRegionSz = minRegionSz;
    this.order = new Uint16Array(capacity);
    this.start = new Float64Array(capacity);
    this.end = new Float64Array(capacity);
    this.rate = new Float64Array(capacity);
    this.age = new Uint32Array(capacity);
    this.lastScore = new Float32Array(capacity);
    this.exposureS = new Float32Array(capacity);
    this.binHits = new Float32Array(capacity * BINS);
    this.binTrials = new Float32Array(capacity * BINS);
    this.binPushes = new Float32Array(capacity * BINS);
    this.nowHits = new Float32Array(capacity);
    this.nowTrials = new Float32Array(capacity);
    this.nowPushes = new Float32Array(capacity);
    this.#free = new Uint16Array(capacity);
    for (let i = 0; i < capacity; i++) this.#free[i] = capacity - 1 - i;
    this.#freeCount = capacity;
  }

  /** Bytes of all columns, at capacity. */
  get metadataBytes(): number {
    const perRegion = 2 + 8 + 8 + 8 + 4 + 4 + 4 + 3 * 4 * BINS + 3 * 4 + 2;
    return this.capacity * perRegion;
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
    const total = totalBytes(ranges);
    // A small hole in known memory gets its share of the records, not all that are free.
    const spread = Math.floor(Math.min(extra, (pieces * holeBytes) / total));
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

  /** Cuts the region at position `i` at byte address `cut`; both parts keep what they know. */
  split(i: number, cut: number): void {
    const left = this.order[i];
    invariant(this.count < this.capacity, 'split of a full region table');
    invariant(
      cut % this.minRegionSz === 0 && cut > this.start[left] && cut < this.end[left],
      `cut at ${cut} of [${this.start[left]}, ${this.end[left]})`,
    );
    const right = this.#clone(left, cut, this.end[left]);
    this.#shrink(left, this.start[left], cut);
    this.order.copyWithin(i + 2, i + 1, this.count);
    this.order[i + 1] = right;
    this.count++;
  }

  /** Joins the regions at positions `i` and `i + 1`, which are neighbours without a gap. */
  merge(i: number): void {
    const left = this.order[i];
    const right = this.order[i + 1];
    invariant(i + 1 < this.count && this.end[left] === this.start[right], 'merge of regions with a gap');
    const leftSz = this.end[left] - this.start[left];
    const rightSz = this.end[right] - this.start[right];
    const sum = leftSz + rightSz;
    this.age[left] = Math.floor((this.age[left] * leftSz + this.age[right] * rightSz) / sum);
    this.lastScore[left] = (this.lastScore[left] * leftSz + this.lastScore[right] * rightSz) / sum;
    this.rate[left] = (this.rate[left] * leftSz + this.rate[right] * rightSz) / sum;
    this.exposureS[left] = (this.exposureS[left] * leftSz + this.exposureS[right] * rightSz) / sum;
    this.nowHits[left] += this.nowHits[right];
    this.nowTrials[left] += this.nowTrials[right];
    this.nowPushes[left] += this.nowPushes[right];
    const edge = (BINS * leftSz) / sum;
    for (const bins of [this.binHits, this.binTrials, this.binPushes]) {
      SCRATCH.fill(0);
      spreadBins(bins, left * BINS, 0, edge);
      spreadBins(bins, right * BINS, edge, BINS);
      bins.set(SCRATCH, left * BINS);
    }
    this.end[left] = this.end[right];
    this.#release(right);
    this.order.copyWithin(i + 1, i + 2, this.count);
    this.count--;
  }

  /**
   * Keeps only the evidence of this aggregation interval: what the bins hold is scaled down to it.
   * Where in the region the older part lay is forgotten with it only approximately.
   */
  forgetPast(slot: number, exposureS: number): void {
    this.#scaleBins(this.binHits, slot, this.nowHits[slot]);
    this.#scaleBins(this.binTrials, slot, this.nowTrials[slot]);
    this.#scaleBins(this.binPushes, slot, this.nowPushes[slot]);
    this.exposureS[slot] = exposureS;
  }

  /** All that a region's bins hold. */
  evidence(slot: number): Evidence {
    return {
      hits: this.sumBins(this.binHits, slot),
      trials: this.sumBins(this.binTrials, slot),
      samples: this.sumBins(this.binPushes, slot),
      exposure: (this.exposureS[slot] * (this.end[slot] - this.start[slot])) / PAGE_SIZE,
    };
  }

  sumBins(bins: Float32Array, slot: number): number {
    let sum = 0;
    const base = slot * BINS;
    for (let b = base; b < base + BINS; b++) sum += bins[b];
    return sum;
  }

  #scaleBins(bins: Float32Array, slot: number, target: number): void {
    const sum = this.sumBins(bins, slot);
    const factor = sum > 0 ? target / sum : 0;
    for (let b = slot * BINS; b < (slot + 1) * BINS; b++) bins[b] *= factor;
  }

  #fill(start: number, end: number, pieces: number): void {
    const units = (end - start) / this.minRegionSz;
    const n = Math.min(pieces, units);
    for (let i = 0; i < n; i++) {
      const slot = this.#allocate();
      this.start[slot] = start + Math.floor((i * units) / n) * this.minRegionSz;
      this.end[slot] = start + Math.floor(((i + 1) * units) / n) * this.minRegionSz;
      this.order[this.count++] = slot;
    }
  }

  /** A new record for `[start, end)` inside the region of `slot`, with that part's evidence. */
  #clone(slot: number, start: number, end: number): number {
    const copy = this.#allocate();
    const sz = this.end[slot] - this.start[slot];
    const from = ((start - this.start[slot]) * BINS) / sz;
    const to = ((end - this.start[slot]) * BINS) / sz;
    this.start[copy] = start;
    this.end[copy] = end;
    this.rate[copy] = this.rate[slot];
    this.age[copy] = this.age[slot];
    this.lastScore[copy] = this.lastScore[slot];
    this.exposureS[copy] = this.exposureS[slot];
    for (const bins of [this.binHits, this.binTrials, this.binPushes]) {
      cutBins(bins, slot * BINS, from, to);
      bins.set(SCRATCH, copy * BINS);
    }
    const share = (end - start) / sz;
    this.nowHits[copy] = this.nowHits[slot] * share;
    this.nowTrials[copy] = this.nowTrials[slot] * share;
    this.nowPushes[copy] = this.nowPushes[slot] * share;
    return copy;
  }

  #shrink(slot: number, start: number, end: number): void {
    const sz = this.end[slot] - this.start[slot];
    const from = ((start - this.start[slot]) * BINS) / sz;
    const to = ((end - this.start[slot]) * BINS) / sz;
    for (const bins of [this.binHits, this.binTrials, this.binPushes]) {
      cutBins(bins, slot * BINS, from, to);
      bins.set(SCRATCH, slot * BINS);
    }
    const share = (end - start) / sz;
    this.nowHits[slot] *= share;
    this.nowTrials[slot] *= share;
    this.nowPushes[slot] *= share;
    this.start[slot] = start;
    this.end[slot] = end;
  }

  #allocate(): number {
    invariant(this.#freeCount > 0, 'region table is full');
    const slot = this.#free[--this.#freeCount];
    this.rate[slot] = 0;
    this.age[slot] = 0;
    this.lastScore[slot] = 0;
    this.exposureS[slot] = 0;
    this.nowHits[slot] = 0;
    this.nowTrials[slot] = 0;
    this.nowPushes[slot] = 0;
    this.binHits.fill(0, slot * BINS, (slot + 1) * BINS);
    this.binTrials.fill(0, slot * BINS, (slot + 1) * BINS);
    this.binPushes.fill(0, slot * BINS, (slot + 1) * BINS);
    return slot;
  }

  #release(slot: number): void {
    this.#free[this.#freeCount++] = slot;
  }
}

const SCRATCH = new Float32Array(BINS);

/** Adds all bins at `base`, squeezed into the bin interval `[from, to)`, to the scratch bins. */
function spreadBins(bins: Float32Array, base: number, from: number, to: number): void {
  const width = (to - from) / BINS;
  for (let b = 0; b < BINS; b++) {
    const mass = bins[base + b];
    if (mass === 0) continue;
    const low = from + b * width;
    const high = low + width;
    let left = mass;
    const last = Math.min(BINS - 1, Math.ceil(high) - 1);
    for (let j = Math.floor(low); j < last; j++) {
      const part = (mass * (j + 1 - Math.max(low, j))) / width;
      SCRATCH[j] += part;
      left -= part;
    }
    SCRATCH[last] += Math.max(0, left);
  }
}

/** Stretches the bins of the interval `[from, to)` at `base` over all scratch bins. */
function cutBins(bins: Float32Array, base: number, from: number, to: number): void {
  const width = (to - from) / BINS;
  for (let j = 0; j < BINS; j++) {
    const low = from + j * width;
    const high = low + width;
    let sum = 0;
    for (let b = Math.floor(low); b < Math.min(BINS, Math.ceil(high)); b++) {
      sum += bins[base + b] * (Math.min(high, b + 1) - Math.max(low, b));
    }
    SCRATCH[j] = sum;
  }
}
