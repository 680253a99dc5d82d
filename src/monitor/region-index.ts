/**
 * From an address to its region: a direct-mapped table of hints over the watched pages (ranges laid end
 * to end), then a short walk. Several times faster than binary search, since nearly nothing branches on
 * the data. Rebuilt once per aggregation interval.
 *
 * For a single range below 8 TiB (physical memory, mostly) there is also a packed layout of two
 * 32-bit words per region, all that the push hot path needs to know of it.
 */
import { invariant } from '../memory/error.ts';
import { type AddressRange, PAGE_SIZE } from '../memory/range.ts';
import { BINS, PER_BIN } from './bins.ts';
import { IS_DENSE, type RegionTable } from './region-table.ts';

/** Buckets per region allowed, at least: then most buckets hold one region, or the edge of two. */
const BUCKETS_PER_REGION = 2;
const PAGE_SHIFT = 12;
/** Page numbers of the packed layout have 31 bits, so that differences keep their sign. */
const PACKED_LIMIT = 2 ** (31 + PAGE_SHIFT);

/**
 * Fields of a packed word: page shift of the bins; whether single pages of the region are remembered; and
 * what is to be added to an address in bins for the bin's number in the table (slot * BINS + bin), modulo
 * 2^BIN_BITS: with slots of 16 bits no more is needed.
 */
export const SPARSE_AT = 5;
export const OFFSET_AT = 11;
const BIN_BITS = 21;
export const BIN_MASK = 2 ** BIN_BITS - 1;

export class RegionIndex {
  /** Position of the first region that reaches into each bucket. */
  readonly hint: Uint16Array;
  /** Two words per region in address order: its last page, and the fields above. */
  readonly packed: Uint32Array;
  /** log2 of the pages of a bucket. */
  bucketShift = 0;
  /** First and one past the last page of the single range of the packed layout; equal if there is none. */
  firstPage = 0;
  pageCount = 0;
  readonly #bits: number;
  #ranges: readonly AddressRange[] = [];
  /** 2^-bucketShift. */
  #perBucketPage = 1;
  /** First page, end to end, of each range. */
  #base: Float64Array = new Float64Array(0);
  #table: RegionTable | undefined;

  constructor(maxRegions: number) {
    this.#bits = Math.ceil(Math.log2(BUCKETS_PER_REGION * maxRegions));
    this.hint = new Uint16Array(2 ** this.#bits + 1);
    this.packed = new Uint32Array(2 * maxRegions);
  }

  get metadataBytes(): number {
    return this.hint.byteLength + this.packed.byteLength;
  }

  setRanges(ranges: readonly AddressRange[]): void {
    this.#ranges = ranges;
    this.#base = new Float64Array(ranges.length);
    let pages = 0;
    ranges.forEach((range, i) => {
      this.#base[i] = pages;
      pages += (range.end - range.start) / PAGE_SIZE;
    });
    this.bucketShift = Math.max(0, Math.ceil(Math.log2(Math.max(1, pages))) - this.#bits);
    this.#perBucketPage = 2 ** -this.bucketShift;
    const only = ranges.length === 1 && ranges[0].end <= PACKED_LIMIT ? ranges[0] : undefined;
    this.firstPage = only === undefined ? 0 : only.start / PAGE_SIZE;
    this.pageCount = only === undefined ? 0 : pages;
  }

  rebuild(table: RegionTable): void {
    this.#table = table;
    const { hint } = this;
    const per = this.#perBucketPage;
    let bucket = 0;
    let page = 0;
    for (let i = 0; i < table.count; i++) {
      const slot = table.order[i];
      page += (table.end[slot] - table.start[slot]) / PAGE_SIZE;
      const until = Math.ceil(page * per);
      // Mostly one or two: a loop, not a call of fill.
      while (bucket < until) hint[bucket++] = i;
    }
    invariant(bucket < hint.length, 'hint table too small');
    if (this.pageCount > 0) this.#pack(table);
  }

  #pack(table: RegionTable): void {
    const { order, start, end, binShift, flags } = table;
    for (let i = 0; i < table.count; i++) {
      const slot = order[i];
      const shift = binShift[slot];
      const firstBin = Math.floor(start[slot] * PER_BIN[shift]);
      this.packed[2 * i] = end[slot] / PAGE_SIZE - 1;
      this.packed[2 * i + 1] =
        ((slot * BINS - firstBin) << OFFSET_AT) |
        ((flags[slot] & IS_DENSE) === 0 ? 1 << SPARSE_AT : 0) |
        (shift - PAGE_SHIFT);
    }
  }

  /** Position in address order of the region that holds `address`, or -1 outside all ranges. */
  locate(address: number): number {
    const table = this.#table;
    const ranges = this.#ranges;
    if (table === undefined || ranges.length === 0) return -1;
    let low = 0;
    let high = ranges.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (ranges[middle].start <= address) low = middle;
      else high = middle - 1;
    }
    const range = ranges[low];
    if (address < range.start || address >= range.end) return -1;
    const page = this.#base[low] + (address - range.start) / PAGE_SIZE;
    let i = this.hint[Math.floor(page * this.#perBucketPage)];
    while (table.end[table.order[i]] <= address) i++;
    return i;
  }
}
