/**
 * Joins neighbouring regions where that loses least, until a number of regions is reached.
 *
 * The loss of a join is how much log-likelihood one common rate costs against two, plus a small charge
 * for size: among joins that lose nothing, small regions go first, so that quiet memory stays evenly
 * divided and no giant region arises that could hide a small hot area.
 */
import { gainBound } from './rate.ts';
import {
  EXPOSURE_S as EXPOSURE_AT,
  HITS as HITS_AT,
  IS_DUE,
  PUSHES as PUSHES_AT,
  type RegionTable,
  TRIALS as TRIALS_AT,
} from './region-table.ts';

/** Copies, since V8 looks imported constants up at every use (see `ingest.ts`). */
const [HITS, TRIALS, PUSHES, EXPOSURE_S] = [HITS_AT, TRIALS_AT, PUSHES_AT, EXPOSURE_AT];

/** Charge, in nats, for a join that yields a region of twice the mean size. */
const SIZE_NATS = 0.5;

/**
 * Merges down to `target` regions, as far as gaps and `sizeLimit` (bytes of a joined region) allow.
 * @returns whether anything was joined
 */
export function mergeDown(table: RegionTable, target: number, sizeLimit: number): boolean {
  let isJoined = false;
  while (table.count > target) {
    const losses = joinLosses(table, sizeLimit);
    const needed = table.count - target;
    const sorted = losses.filter(Number.isFinite).sort();
    if (sorted.length === 0) break;
    const limit = sorted[Math.min(needed, sorted.length) - 1];
    if (joinBelow(table, losses, limit, needed) === 0) break;
    isJoined = true;
  }
  return isJoined;
}

/**
 * Makes room for cuts: joins as many pairs, the cheapest first, as there are `gains` (nats, falling)
 * that are worth more than `exchange` times the loss.
 */
export function mergeForGains(
  table: RegionTable,
  gains: readonly number[],
  sizeLimit: number,
  exchange: number,
): void {
  if (gains.length === 0) return;
  const most = gains[0] / exchange;
  const losses = joinLosses(table, sizeLimit, most);
  const sorted = lowest(losses, gains.length, most);
  let joins = 0;
  while (joins < gains.length && joins < sorted.length && sorted[joins] * exchange < gains[joins]) joins++;
  if (joins > 0) joinBelow(table, losses, sorted[joins - 1], joins);
}

/**
 * The `count` lowest values below `limit`, ascending: `values.filter((v) => v < limit).sort().slice(0, count)`
 * without sorting them all, by a heap of the lowest so far, the highest of them on top.
 */
export function lowest(values: Float64Array, count: number, limit: number): Float64Array {
  const heap = new Float64Array(Math.min(count, values.length));
  let used = 0;
  let top = limit;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (!(value < top)) continue;
    if (used < heap.length) {
      let at = used++;
      for (; at > 0 && heap[(at - 1) >> 1] < value; at = (at - 1) >> 1) heap[at] = heap[(at - 1) >> 1];
      heap[at] = value;
    } else siftDown(heap, value);
    if (used === heap.length) top = heap[0];
  }
  return heap.subarray(0, used).sort();
}

/** Puts `value` in the place of the highest. */
function siftDown(heap: Float64Array, value: number): void {
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && heap[child + 1] > heap[child]) child++;
    if (heap[child] <= value) break;
    heap[at] = heap[child];
    at = child;
  }
  heap[at] = value;
}

function joinLosses(table: RegionTable, sizeLimit: number, most = Number.POSITIVE_INFINITY): Float64Array {
  const meanSize = table.totalBytes / table.count;
  const losses = new Float64Array(Math.max(0, table.count - 1));
  for (let i = 0; i < losses.length; i++) losses[i] = joinLoss(table, i, sizeLimit, meanSize, most);
  return losses;
}

/** One pass of joins of loss at most `limit`; a region takes part in one join per pass. */
function joinBelow(table: RegionTable, losses: Float64Array, limit: number, most: number): number {
  let joined = 0;
  // From the end, so that positions of pairs not yet looked at stay valid.
  for (let i = losses.length - 1; i >= 0 && joined < most; i--) {
    if (!(losses[i] <= limit)) continue;
    table.merge(i);
    joined++;
    i--;
  }
  return joined;
}

/**
 * Loss of joining the regions at positions i and i + 1: half of Pearson's chi-squared, the quadratic
 * form of the log-likelihood ratio. Infinity where they must not be joined (a gap, too large, about to
 * be cut), and where the samples alone say that it is more than `most`: hot beside cold, at a glance.
 */
export function joinLoss(
  table: RegionTable,
  i: number,
  sizeLimit: number,
  meanSize: number,
  most = Number.POSITIVE_INFINITY,
): number {
  const { order, start, end, flags, past, recent } = table;
  const a = order[i];
  const b = order[i + 1];
  const sz = end[b] - start[a];
  if (end[a] !== start[b] || sz > sizeLimit || ((flags[a] | flags[b]) & IS_DUE) !== 0) {
    return Number.POSITIVE_INFINITY;
  }
  const sizeCharge = (SIZE_NATS * sz) / (2 * meanSize);
  if (table.rate[a] === 0 && table.rate[b] === 0) return sizeCharge;
  const p = a * 4;
  const q = b * 4;
  const samplesA = past[p + PUSHES] + recent[p + PUSHES];
  const samplesB = past[q + PUSHES] + recent[q + PUSHES];
  const exposureA = (past[p + EXPOSURE_S] + recent[p + EXPOSURE_S]) * (end[a] - start[a]);
  const exposureB = (past[q + EXPOSURE_S] + recent[q + EXPOSURE_S]) * (end[b] - start[b]);
  const both = exposureA * exposureB;
  const off = samplesA * exposureB - samplesB * exposureA;
  // The part of gainBound that samples make, without its division.
  if (both > 0 && off * off > 2 * most * (samplesA + samplesB) * both) return Number.POSITIVE_INFINITY;
  const bound = gainBound(
    past[p + HITS] + recent[p + HITS],
    past[p + TRIALS] + recent[p + TRIALS],
    samplesA,
    exposureA,
    past[q + HITS] + recent[q + HITS],
    past[q + TRIALS] + recent[q + TRIALS],
    samplesB,
    exposureB,
  );
  return 0.5 * bound + sizeCharge;
}
