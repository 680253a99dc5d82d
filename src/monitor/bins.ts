/**
 * Bins: where inside a region the evidence lies.
 *
 * A bin is 2^binShift bytes at an address that is a multiple of it, so bins of different sizes nest:
 * joining two regions adds whole bins, a cut at a bin's edge divides nothing. A region's first and last
 * bin may lie only partly inside it. Counters are bytes: when one is full, all of the region are
 * halved, and with them the exposure that they stand for.
 */
import { PAGE_SIZE } from '../memory/range.ts';
import type { RegionTable } from './region-table.ts';

/**
 * Bins per region. More find a small area sooner, fewer leave room for more spots in the same number
 * of bytes (docs/monitor.md has the measurements).
 */
export const BINS = 32;

const PAGE_SHIFT = 12;

/** 2^shift and 2^-shift, exact; a look-up is several times faster than the power. */
export const BIN_SIZE: Float64Array = Float64Array.from({ length: 64 }, (_, shift) => 2 ** shift);
export const PER_BIN: Float64Array = Float64Array.from({ length: 64 }, (_, shift) => 2 ** -shift);

/** The finest bins with which `[start, end)` spans at most BINS of them. */
export function shiftFor(start: number, end: number): number {
  let shift = Math.max(PAGE_SHIFT, Math.floor(Math.log2((end - start) / BINS)));
  while (binSpan(start, end, shift) > BINS) shift++;
  return shift;
}

/** Number of bins of 2^shift bytes that `[start, end)` touches. */
export function binSpan(start: number, end: number, shift: number): number {
  const per = PER_BIN[shift];
  return Math.floor((end - 1) * per) - Math.floor(start * per) + 1;
}

/** Bins that a region uses. */
export function binCount(table: RegionTable, slot: number): number {
  return binSpan(table.start[slot], table.end[slot], table.binShift[slot]);
}

/** Pages of the region in its bin `b`. */
export function binPages(table: RegionTable, slot: number, b: number): number {
  const shift = table.binShift[slot];
  const size = BIN_SIZE[shift];
  const from = (Math.floor(table.start[slot] * PER_BIN[shift]) + b) * size;
  const inside = Math.min(table.end[slot], from + size) - Math.max(table.start[slot], from);
  return inside / PAGE_SIZE;
}

/** First address of bin `b`, not before the region. */
export function binStart(table: RegionTable, slot: number, b: number): number {
  const shift = table.binShift[slot];
  return Math.max(table.start[slot], (Math.floor(table.start[slot] * PER_BIN[shift]) + b) * BIN_SIZE[shift]);
}

/** Halves all counters of a region's bins. `up` rounds odd ones up: alternate it, and single events do not all vanish. */
export function halveBins(table: RegionTable, slot: number, up: 0 | 1 = 0): void {
  const { binHits, binTrials, binPushes } = table;
  for (let b = slot * BINS; b < (slot + 1) * BINS; b++) {
    binHits[b] = (binHits[b] + up) >> 1;
    binTrials[b] = (binTrials[b] + up) >> 1;
    binPushes[b] = (binPushes[b] + up) >> 1;
  }
  table.binExposureS[slot] /= 2;
}

/** Scales one kind of a region's counters, to the nearest whole number. */
export function scaleBins(bins: Uint8Array, slot: number, factor: number): void {
  if (factor === 1) return;
  for (let b = slot * BINS; b < (slot + 1) * BINS; b++) bins[b] = Math.round(bins[b] * factor);
}

export function clearBins(table: RegionTable, slot: number): void {
  table.binHits.fill(0, slot * BINS, (slot + 1) * BINS);
  table.binTrials.fill(0, slot * BINS, (slot + 1) * BINS);
  table.binPushes.fill(0, slot * BINS, (slot + 1) * BINS);
  table.binExposureS[slot] = 0;
}

const SCRATCH = new Float64Array(BINS);

/**
 * Copies the bins of `from` to `to`, of which only `[start, end)` remains if given; bin size and
 * exposure go along. A bin cut in two keeps its share.
 */
export function copyBins(
  table: RegionTable,
  from: number,
  to: number,
  start = table.start[from],
  end = table.end[from],
): void {
  const shift = table.binShift[from];
  const size = BIN_SIZE[shift];
  const first = Math.floor(table.start[from] * PER_BIN[shift]);
  const skip = Math.floor(start * PER_BIN[shift]) - first;
  const count = binSpan(start, end, shift);
  for (const bins of [table.binHits, table.binTrials, table.binPushes]) {
    for (let b = 0; b < BINS; b++) {
      if (b >= count) {
        SCRATCH[b] = 0;
        continue;
      }
      const at = (first + skip + b) * size;
      const had = Math.min(table.end[from], at + size) - Math.max(table.start[from], at);
      const has = Math.min(end, at + size) - Math.max(start, at);
      const value = bins[from * BINS + skip + b];
      SCRATCH[b] = has === had ? value : Math.floor((value * has) / had);
    }
    bins.set(SCRATCH, to * BINS);
  }
  table.binShift[to] = shift;
  table.binExposureS[to] = table.binExposureS[from];
}

const JOINED = [new Float64Array(BINS), new Float64Array(BINS), new Float64Array(BINS)];

/** Adds the bins of `right` to those of its neighbour `left`, before the addresses are joined. */
export function joinBins(table: RegionTable, left: number, right: number): void {
  const shift = shiftFor(table.start[left], table.end[right]);
  const shared = Math.max(shift, table.binShift[left], table.binShift[right]);
  const first = Math.floor(table.start[left] * PER_BIN[shared]);
  // Samples of both sides are brought to the shorter exposure, so that their counts can be compared;
  // hits are a share of trials, which needs no common exposure.
  const exposureS = Math.min(table.binExposureS[left], table.binExposureS[right]);
  for (const sums of JOINED) sums.fill(0);
  for (const slot of [left, right]) {
    const own = Math.floor(table.start[slot] * PER_BIN[table.binShift[slot]]);
    const up = PER_BIN[shared - table.binShift[slot]];
    const scale = table.binExposureS[slot] > exposureS ? exposureS / table.binExposureS[slot] : 1;
    const count = binCount(table, slot);
    for (let b = 0; b < count; b++) {
      const to = Math.floor((own + b) * up) - first;
      JOINED[0][to] += table.binHits[slot * BINS + b];
      JOINED[1][to] += table.binTrials[slot * BINS + b];
      JOINED[2][to] += table.binPushes[slot * BINS + b] * scale;
    }
  }
  let most = 0;
  for (const sums of JOINED) for (let b = 0; b < BINS; b++) most = Math.max(most, sums[b]);
  const down = most > 255 ? 2 ** -Math.ceil(Math.log2(most / 255)) : 1;
  [table.binHits, table.binTrials, table.binPushes].forEach((bins, kind) => {
    for (let b = 0; b < BINS; b++) bins[left * BINS + b] = Math.floor(JOINED[kind][b] * down);
  });
  table.binExposureS[left] = exposureS * down;
  table.binShift[left] = shared;
}
