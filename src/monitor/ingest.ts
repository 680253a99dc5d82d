/**
 * The push hot path: a batch of samples into the bins of their regions.
 *
 * Speed wins here (about 10 ns a sample; `thermocline bench`, case push-ingest): typed arrays, index
 * loops, no allocation, closure or BigInt per sample; and two passes over short chunks, the first of
 * which writes to nothing but the scratch, so that the compiler may keep what it reads in registers.
 * {@link ingestPlainly} is the same, obviously right, for any ranges; a property test holds them equal.
 */
import type { AccessBatch } from '../memory/access-batch.ts';
import { PAGE_SIZE } from '../memory/range.ts';
import { BINS, halveBins, PER_BIN } from './bins.ts';
import {
  DENSE_AT,
  FIRST_BIN_AT,
  FIRST_BIN_MASK,
  type RegionIndex,
  SHIFT_MASK,
  SLOT_AT,
} from './region-index.ts';
import { IS_DENSE, type RegionTable } from './region-table.ts';
import type { SpotTable } from './spot-table.ts';
import { countUser } from './users.ts';

/** From this batch size on every eighth sample tells enough about who accesses. */
const MANY = 1024;
const USER_STRIDE = 8;
const CHUNK = 256;
const PER_PAGE = 1 / PAGE_SIZE;
const LOG_BINS = Math.log2(BINS);
/** A scratch entry: outside all regions; else a bin, negative where pages of its region are remembered. */
const OUTSIDE = -1;
const BIN_MASK = 0x7fffffff;

/** Bins of the samples of a chunk, with marks. */
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
    countEvents(table, batch, from, n, count);
    if (sparse === 0) continue;
    if (out.remembered < room) rememberSparse(spots, batch.address, from, n, room, out);
    else out.sparse += sparse;
  }
}

/** First pass: bins of samples `from` to `from + n`, into the scratch; how many are sparse. */
function locate(index: RegionIndex, address: Float64Array, from: number, n: number, out: Ingested): number {
  const { hint, packed, bucketShift, firstPage, pageCount } = index;
  const limit = firstPage + pageCount;
  let sparse = 0;
  for (let s = 0; s < n; s++) {
    const place = address[from + s] * PER_PAGE;
    if (!(place >= firstPage && place < limit)) {
      scratch[s] = OUTSIDE;
      out.outside++;
      continue;
    }
    const page = place >>> 0;
    let i = hint[(page - firstPage) >>> bucketShift] << 1;
    // The edge of two regions lies anywhere in a bucket: arithmetic, since a branch would be guessed wrong.
    i += ((packed[i] - page) >>> 31) << 1;
    while (packed[i] < page) i += 2;
    const word = packed[i + 1];
    const bin = ((page >>> (word & SHIFT_MASK)) - (word >>> FIRST_BIN_AT)) & FIRST_BIN_MASK;
    const isSparse = ((word >>> DENSE_AT) & 1) ^ 1;
    sparse += isSparse;
    scratch[s] = (((word >>> SLOT_AT) << LOG_BINS) + bin) | (isSparse << 31);
  }
  return sparse;
}

/** Second pass: counts what the scratch says. */
function countEvents(table: RegionTable, batch: AccessBatch, from: number, n: number, all: number): void {
  const { binPushes, nowPushes } = table;
  for (let s = 0; s < n; s++) {
    const mark = scratch[s];
    if (mark === OUTSIDE) continue;
    const bin = mark & BIN_MASK;
    const value = binPushes[bin];
    if (value === 255) {
      halveBins(table, bin >>> LOG_BINS);
      binPushes[bin]++;
    } else binPushes[bin] = value + 1;
    nowPushes[bin >>> LOG_BINS]++;
  }
  const stride = all >= MANY ? USER_STRIDE : 1;
  for (let s = 0; s < n; s += stride) {
    if (scratch[s] === OUTSIDE) continue;
    countUser(table, (scratch[s] & BIN_MASK) >>> LOG_BINS, batch.nid[from + s], batch.isStore[from + s]);
  }
}

function rememberSparse(
  spots: SpotTable,
  address: Float64Array,
  from: number,
  n: number,
  room: number,
  out: Ingested,
): void {
  for (let s = 0; s < n; s++) {
    if (scratch[s] !== OUTSIDE && scratch[s] < 0) remember(spots, address[from + s], room, out);
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
