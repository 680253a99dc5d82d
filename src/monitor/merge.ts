/**
 * Joins neighbouring regions where that loses least, until a number of regions is reached.
 *
 * The loss of a join is how much log-likelihood one common rate costs against two, plus a small charge
 * for size: among joins that lose nothing, small regions go first, so that quiet memory stays evenly
 * divided and no giant region arises that could hide a small hot area.
 */
import { twoRatesGain } from './rate.ts';
import type { RegionTable } from './region-table.ts';

/** Charge, in nats, for a join that yields a region of twice the mean size. */
const SIZE_NATS = 0.5;

/**
 * Merges down to `target` regions, as far as gaps and `sizeLimit` (bytes of a joined region) allow.
 */
export function mergeDown(table: RegionTable, target: number, sizeLimit: number): void {
  if (table.count <= target) return;
  let total = 0;
  for (let i = 0; i < table.count; i++) total += table.end[table.order[i]] - table.start[table.order[i]];
  const meanSize = total / table.count;
  while (table.count > target) {
    const losses = new Float64Array(table.count - 1);
    for (let i = 0; i + 1 < table.count; i++) losses[i] = joinLoss(table, i, sizeLimit, meanSize);
    const needed = table.count - target;
    const sorted = losses.filter(Number.isFinite).sort();
    if (sorted.length === 0) return;
    const limit = sorted[Math.min(needed, sorted.length) - 1];
    if (joinBelow(table, losses, limit, needed) === 0) return;
  }
}

/** One pass of joins of loss at most `limit`; a region takes part in one join per pass. */
function joinBelow(table: RegionTable, losses: Float64Array, limit: number, most: number): number {
  let joined = 0;
  // From the end, so that positions of pairs not yet looked at stay valid.
  for (let i = losses.length - 1; i >= 0 && joined < most; i--) {
    if (losses[i] > limit) continue;
    table.merge(i);
    joined++;
    i--;
  }
  return joined;
}

/** Loss of joining the regions at positions i and i + 1; Infinity where they must not be joined. */
function joinLoss(table: RegionTable, i: number, sizeLimit: number, meanSize: number): number {
  const a = table.order[i];
  const b = table.order[i + 1];
  const aSz = table.end[a] - table.start[a];
  const bSz = table.end[b] - table.start[b];
  if (table.end[a] !== table.start[b] || aSz + bSz > sizeLimit) return Number.POSITIVE_INFINITY;
  const sizeCharge = (SIZE_NATS * (aSz + bSz)) / (2 * meanSize);
  if (table.rate[a] === 0 && table.rate[b] === 0) return sizeCharge;
  return twoRatesGain(table.evidence(a), table.evidence(b)) + sizeCharge;
}
