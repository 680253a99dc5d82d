/**
 * The push hot path: a batch of samples into the bins of their regions.
 *
 * Speed wins here (below 10 ns a sample; `thermocline bench`, case push-ingest): typed arrays, index
 * loops, no allocation, closure or BigInt per sample; passes over short chunks, each of which does little;
 * and two habits that V8 rewards. It lifts what does not change out of innermost loops only, so rare
 * events that need a loop of their own (walking on to a later region, halving full counters) leave the
 * loop or wait for a later one. And it looks up imported constants anew each time they are used (a
 * module's own exported ones too), so the ones needed per sample are copied.
 * {@link ingestPlainly} is the same, obviously right, for any ranges; a property test holds them equal.
 */
import type { AccessBatch } from '../memory/access-batch.ts';
import { PAGE_SIZE } from '../memory/range.ts';
import { BINS, halveBins, PER_BIN } from './bins.ts';
import { BIN_MASK, OFFSET_AT, type RegionIndex, SPARSE_AT } from './region-index.ts';
import { IS_DENSE, type RegionTable } from './region-table.ts';
import type { SpotTable } from './spot-table.ts';
import { countUser, countUsers } from './users.ts';

/** From this batch size on every eighth sample tells enough about who accesses. */
const MANY = 1024;
const USER_STRIDE = 8;
const CHUNK = 256;
const PER_PAGE = 1 / PAGE_SIZE;
const LOG_BINS = Math.log2(BINS);
const OFFSET = OFFSET_AT;
const MASK = BIN_MASK;
const SPARSE_BIT = 1 << SPARSE_AT;
/** In place of a bin: outside all regions; or further on than two regions after the hint. */
const OUTSIDE = -1;
const FURTHER = -2;

/** Bins of the samples of a chunk, in all of the table (slot * BINS + bin). */
const scratch = new Int32Array(CHUNK);

export interface Ingested {
  /** Samples outside all regions. */
  outside: number;
  /** Samples in regions whose pages are remembered, and how many of them were. */
  sparse: number;
  remembered: number;
}

/**
 * Counts the samples of a batch. At most `room` of them go to the spot table, the first ones; the
 * caller scales the table's exposure by what was left out.
 */
export function ingest(
  table: RegionTable,
  index: RegionIndex,
  spots: SpotTable,
  batch: AccessBatch,
  room: number,
  out: Ingested,
): void {
  if (index.pageCount === 0) {
    ingestPlainly(table, index, spots, batch, room, out);
    return;
  }
  out.outside = 0;
  out.sparse = 0;
  out.remembered = 0;
  const { count } = batch;
  for (let from = 0; from < count; from += CHUNK) {
    const n = Math.min(CHUNK, count - from);
    const sparse = locate(index, batch.address, from, n, out);
    countEvents(table, n);
    countUsers(table, scratch, LOG_BINS, batch, from, n, count >= MANY ? USER_STRIDE : 1);
    if (sparse === 0) continue;
    if (out.remembered < room) rememberSparse(table, spots, batch.address, from, n, room, out);
    else out.sparse += sparse;
  }
}

/** Bins of samples `from` to `from + n`, into the scratch; how many are sparse. */
function locate(index: RegionIndex, address: Float64Array, from: number, n: number, out: Ingested): number {
  const { hint, packed, bucketShift, firstPage, pageCount } = index;
  const limit = firstPage + pageCount;
  let sparse = 0;
  let outside = 0;
  let further = 0;
  for (let s = 0; s < n; s++) {
    const place = address[from + s] * PER_PAGE;
    if (!(place >= firstPage && place < limit)) {
      scratch[s] = OUTSIDE;
      outside++;
      continue;
    }
    const page = place >>> 0;
    let i = hint[(page - firstPage) >>> bucketShift] << 1;
    // Edges of regions lie anywhere in a bucket: arithmetic, since a branch would be guessed wrong.
    i += ((packed[i] - page) >>> 31) << 1;
    i += ((packed[i] - page) >>> 31) << 1;
    if (packed[i] < page) {
      scratch[s] = FURTHER;
      further++;
      continue;
    }
    const word = packed[i + 1];
    sparse += word & SPARSE_BIT;
    // A shift takes the low five bits of its count, which are the word's first field.
    scratch[s] = ((page >>> word) + (word >>> OFFSET)) & MASK;
  }
  out.outside += outside;
  if (further > 0) sparse += walkFurther(index, address, from, n);
  return sparse / SPARSE_BIT;
}

/** The same for samples with more edges of regions between their bucket's beginning and them. */
function walkFurther(index: RegionIndex, address: Float64Array, from: number, n: number): number {
  const { hint, packed, bucketShift, firstPage } = index;
  let sparse = 0;
  for (let s = 0; s < n; s++) {
    if (scratch[s] !== FURTHER) continue;
    const page = (address[from + s] * PER_PAGE) >>> 0;
    let i = (hint[(page - firstPage) >>> bucketShift] << 1) + 4;
    while (packed[i] < page) i += 2;
    const word = packed[i + 1];
    sparse += word & SPARSE_BIT;
    scratch[s] = ((page >>> word) + (word >>> OFFSET)) & MASK;
  }
  return sparse;
}

/** Counts the events of the scratch. */
function countEvents(table: RegionTable, n: number): void {
  for (let s = 0; s < n; ) {
    s = countUntilFull(table.binPushes, table.nowPushes, s, n);
    if (s < n) halveBins(table, scratch[s] >>> LOG_BINS);
  }
}

/** Counts until a bin is full; returns the first sample not counted. */
function countUntilFull(binPushes: Uint8Array, nowPushes: Uint32Array, from: number, n: number): number {
  for (let s = from; s < n; s++) {
    const bin = scratch[s];
    if (bin === OUTSIDE) continue;
    const value = binPushes[bin];
    if (value === 255) return s;
    binPushes[bin] = value + 1;
    nowPushes[bin >>> LOG_BINS]++;
  }
  return n;
}

function rememberSparse(
  table: RegionTable,
  spots: SpotTable,
  address: Float64Array,
  from: number,
  n: number,
  room: number,
  out: Ingested,
): void {
  for (let s = 0; s < n; s++) {
    if (scratch[s] === OUTSIDE || (table.flags[scratch[s] >>> LOG_BINS] & IS_DENSE) !== 0) continue;
    remember(spots, address[from + s], room, out);
  }
}

function remember(spots: SpotTable, address: number, room: number, out: Ingested): void {
  out.sparse++;
  if (out.remembered >= room) return;
  out.remembered++;
  spots.add(address, false);
}

/** What {@link ingest} does, sample by sample. */
export function ingestPlainly(
  table: RegionTable,
  index: RegionIndex,
  spots: SpotTable,
  batch: AccessBatch,
  room: number,
  out: Ingested,
): void {
  out.outside = 0;
  out.sparse = 0;
  out.remembered = 0;
  const { count, address, nid, isStore } = batch;
  for (let s = 0; s < count; s++) {
    const i = index.locate(address[s]);
    if (i < 0) {
      out.outside++;
      continue;
    }
    const slot = table.order[i];
    const per = PER_BIN[table.binShift[slot]];
    const bin = slot * BINS + Math.floor(address[s] * per) - Math.floor(table.start[slot] * per);
    if (table.binPushes[bin] === 255) halveBins(table, slot);
    table.binPushes[bin]++;
    table.nowPushes[slot]++;
    const stride = count >= MANY ? USER_STRIDE : 1;
    if ((s % CHUNK) % stride === 0) countUser(table, slot, nid[s], isStore[s]);
    if ((table.flags[slot] & IS_DENSE) === 0) remember(spots, address[s], room, out);
  }
}
