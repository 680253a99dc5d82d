/**
 * Access rates over the address space at one moment: pieces of constant rate, in address order, without
 * gaps. Made for three questions in bulk: the rate of a page, a page drawn in proportion to the rates,
 * and sums over a range. Looking up and drawing cost about 50 ns, whatever the number of pieces.
 */
import { invariant } from '../../memory/error.ts';
import type { RandomStream } from '../../memory/random.ts';
import { PAGE_SIZE } from '../../memory/range.ts';

/** A range whose pages are accessed alike. Where areas overlap, their rates add up. */
export interface FieldArea {
  readonly start: number;
  readonly end: number;
  /** Accesses per page per second. */
  readonly perS: number;
  /** Node whose CPUs access it; 0 if left out. */
  readonly nid?: number;
  /** Share of stores among the accesses; 0 if left out. */
  readonly storeShare?: number;
  /** Translations stay in the TLB: the A bit of a page is not set again once it was cleared. */
  readonly isTlb?: boolean;
}

/** 64 K buckets of 4 bytes: finding a piece is one look-up and a short walk. */
const BUCKET_BITS = 16;

export class RateMap {
  readonly count: number;
  /** First byte of each piece, and the end of the last. */
  readonly start: Float64Array;
  /** Accesses per page per second of each piece. */
  readonly perS: Float64Array;
  readonly nid: Int16Array;
  readonly storeShare: Float32Array;
  readonly isTlb: Uint8Array;
  readonly hasTlb: boolean;
  /** Accesses per second of all pages together. */
  readonly totalPerS: number;
  readonly #bytesPerBucket: number;
  readonly #hint: Uint32Array;
  /** Alias table (Walker, Vose) over the accesses of the pieces. */
  readonly #keep: Float64Array;
  readonly #alias: Uint32Array;

  /**
   * @param areas in any order, inside `[0, sizeBytes)`, page-aligned. Of overlapping areas the last one
   *   listed gives node, stores and TLB.
   */
  constructor(sizeBytes: number, backgroundPerS: number, areas: readonly FieldArea[]) {
    const pieces = flatten(sizeBytes, backgroundPerS, areas);
    this.count = pieces.count;
    this.start = pieces.start.slice(0, pieces.count + 1);
    this.perS = pieces.perS.slice(0, pieces.count);
    this.nid = new Int16Array(pieces.count);
    this.storeShare = new Float32Array(pieces.count);
    this.isTlb = new Uint8Array(pieces.count);
    let hasTlb = false;
    const accesses = new Float64Array(pieces.count);
    let total = 0;
    for (let i = 0; i < pieces.count; i++) {
      const area = pieces.area[i] < 0 ? undefined : areas[pieces.area[i]];
      this.nid[i] = area?.nid ?? 0;
      this.storeShare[i] = area?.storeShare ?? 0;
      this.isTlb[i] = area?.isTlb === true ? 1 : 0;
      hasTlb ||= area?.isTlb === true;
      accesses[i] = (this.perS[i] * (this.start[i + 1] - this.start[i])) / PAGE_SIZE;
      total += accesses[i];
    }
    this.hasTlb = hasTlb;
    this.totalPerS = total;
    this.#keep = accesses;
    this.#alias = makeAlias(accesses, total);
    this.#bytesPerBucket = Math.max(PAGE_SIZE, Math.ceil(sizeBytes / 2 ** BUCKET_BITS));
    this.#hint = new Uint32Array(Math.ceil(sizeBytes / this.#bytesPerBucket));
    let piece = 0;
    for (let bucket = 0; bucket < this.#hint.length; bucket++) {
      while (this.start[piece + 1] <= bucket * this.#bytesPerBucket) piece++;
      this.#hint[bucket] = piece;
    }
  }

  /** Index of the piece that holds `address`, which must lie in the field. */
  locate(address: number): number {
    let piece = this.#hint[Math.floor(address / this.#bytesPerBucket)];
    while (this.start[piece + 1] <= address) piece++;
    return piece;
  }

  /** A piece drawn in proportion to its accesses. Needs `totalPerS` above 0. */
  drawPiece(random: RandomStream): number {
    const u = random.unit53() * this.count;
    const i = Math.floor(u);
    return u - i < this.#keep[i] ? i : this.#alias[i];
  }

  /** A page of the piece; each is equally likely. */
  drawPage(piece: number, random: RandomStream): number {
    const pages = (this.start[piece + 1] - this.start[piece]) / PAGE_SIZE;
    return this.start[piece] + random.below(pages) * PAGE_SIZE;
  }

  /** Visits every range whose pages have `minPerS` or more, in address order; neighbours are one. */
  forEachHot(minPerS: number, visit: (start: number, end: number) => void): void {
    let hotFrom = -1;
    for (let i = 0; i < this.count; i++) {
      const isHot = this.perS[i] >= minPerS;
      if (isHot && hotFrom < 0) hotFrom = this.start[i];
      if (!isHot && hotFrom >= 0) {
        visit(hotFrom, this.start[i]);
        hotFrom = -1;
      }
    }
    if (hotFrom >= 0) visit(hotFrom, this.start[this.count]);
  }
}

interface Pieces {
  count: number;
  readonly start: Float64Array;
  readonly perS: Float64Array;
  /** Index of the area that gives node, stores and TLB; -1 for none. */
  readonly area: Int32Array;
}

/** Cuts the space at all edges of areas and adds up what lies over each cut piece. */
function flatten(sizeBytes: number, backgroundPerS: number, areas: readonly FieldArea[]): Pieces {
  const order = Uint32Array.from({ length: areas.length }, (_, i) => i);
  const isSorted = areas.every((area, i) => i === 0 || areas[i - 1].start <= area.start);
  if (!isSorted) order.sort((a, b) => areas[a].start - areas[b].start);
  const capacity = 2 * areas.length + 1;
  const pieces: Pieces = {
    count: 0,
    start: new Float64Array(capacity + 1),
    perS: new Float64Array(capacity),
    area: new Int32Array(capacity),
  };
  let active: number[] = [];
  let next = 0;
  let at = 0;
  while (at < sizeBytes) {
    while (next < order.length && areas[order[next]].start <= at) {
      const { start, end } = areas[order[next]];
      invariant(start >= 0 && start < end && end <= sizeBytes, `area [${start}, ${end}) of a field`);
      invariant(
        start % PAGE_SIZE === 0 && end % PAGE_SIZE === 0,
        `area [${start}, ${end}) is not page-aligned`,
      );
      active.push(order[next++]);
    }
    let until = next < order.length ? areas[order[next]].start : sizeBytes;
    let perS = backgroundPerS;
    let owner = -1;
    for (const index of active) {
      perS += areas[index].perS;
      owner = Math.max(owner, index);
      until = Math.min(until, areas[index].end);
    }
    pieces.start[pieces.count] = at;
    pieces.perS[pieces.count] = perS;
    pieces.area[pieces.count] = owner;
    pieces.count++;
    at = until;
    if (active.length > 0) active = active.filter((index) => areas[index].end > at);
  }
  invariant(next === order.length, 'an area lies beyond the field');
  pieces.start[pieces.count] = sizeBytes;
  return pieces;
}

/** Vose's alias method; turns `weight` into the share of each column that is kept. */
function makeAlias(weight: Float64Array, total: number): Uint32Array {
  const n = weight.length;
  const alias = new Uint32Array(n);
  const small = new Uint32Array(n);
  const large = new Uint32Array(n);
  let [smalls, larges] = [0, 0];
  for (let i = 0; i < n; i++) {
    weight[i] = total > 0 ? (weight[i] * n) / total : 1;
    if (weight[i] < 1) small[smalls++] = i;
    else large[larges++] = i;
  }
  while (smalls > 0 && larges > 0) {
    const less = small[--smalls];
    const more = large[larges - 1];
    alias[less] = more;
    weight[more] -= 1 - weight[less];
    if (weight[more] < 1) {
      larges--;
      small[smalls++] = more;
    }
  }
  // What is left is 1 but for rounding.
  while (smalls > 0) weight[small[--smalls]] = 1;
  while (larges > 0) weight[large[--larges]] = 1;
  return alias;
}
