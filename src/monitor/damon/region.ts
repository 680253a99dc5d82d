/**
 * DAMON's regions and what its core does to them, rule by rule (mm/damon/core.c, Linux 7.3-rc1, with
 * the rules of 7.2 and 6.12 where they differ). Integer arithmetic rounds down, as in the kernel.
 *
 * Plain objects in arrays: this is the model to compare with, so it stays readable line by line beside
 * the kernel's rules. The engine's own monitor is the fast one.
 */
import type { RandomStream } from '../../memory/random.ts';
import { roundDown, roundUp } from '../../memory/range.ts';
import { samplesPerAggr } from './formulas.ts';
import { hitsOf, mapHits, weightedHits } from './probe.ts';

export interface DamonRegion {
  start: number;
  end: number;
  samplingAddr: number;
  /** Sampling intervals of this aggregation in which the sampled page was accessed. */
  nrAccesses: number;
  lastNrAccesses: number;
  /** Moving sum of nr_accesses x 10000, kept sample by sample; up to 7.2, see formulas.ts for 7.3. */
  nrAccessesBp: number;
  /** Four packed 8-bit counters, see probe.ts. */
  probeHits: number;
  lastProbeHits: number;
  /** Aggregations of similar access rate. */
  age: number;
}

/** What merging and ageing compare: nr_accesses, or in attributes-only mode the weighted probe hits. */
export interface Score {
  of(region: DamonRegion): number;
  lastOf(region: DamonRegion): number;
}

export const ACCESS_SCORE: Score = {
  of: (region) => region.nrAccesses,
  lastOf: (region) => region.lastNrAccesses,
};

export function probeScore(weights: readonly number[]): Score {
  return {
    of: (region) => weightedHits(region.probeHits, weights),
    lastOf: (region) => weightedHits(region.lastProbeHits, weights),
  };
}

/** Kernels whose rules are modelled. */
export type DamonVersion = '7.3' | '7.2' | '6.12';

export function newRegion(start: number, end: number): DamonRegion {
  return {
    start,
    end,
    samplingAddr: start,
    nrAccesses: 0,
    lastNrAccesses: 0,
    nrAccessesBp: 0,
    probeHits: 0,
    lastProbeHits: 0,
    age: 0,
  };
}

export function szRegion(region: DamonRegion): number {
  return region.end - region.start;
}

/** damon_split_region_at: the right part copies every counter, since they are rates per page. */
export function splitRegionAt(region: DamonRegion, szLeft: number): [DamonRegion, DamonRegion] {
  const at = region.start + szLeft;
  return [
    { ...region, end: at },
    { ...region, start: at },
  ];
}

/** damon_merge_two_regions: size-weighted means; the last count of the left one is kept (a known flaw). */
export function mergeTwoRegions(left: DamonRegion, right: DamonRegion): DamonRegion {
  const [szLeft, szRight] = [szRegion(left), szRegion(right)];
  const mean = (a: number, b: number): number => Math.floor((a * szLeft + b * szRight) / (szLeft + szRight));
  const nrAccesses = mean(left.nrAccesses, right.nrAccesses);
  return {
    ...left,
    end: right.end,
    nrAccesses,
    nrAccessesBp: nrAccesses * 10000,
    probeHits: mapHits(left.probeHits | right.probeHits, (_, probe) =>
      mean(hitsOf(left.probeHits, probe), hitsOf(right.probeHits, probe)),
    ),
    age: mean(left.age, right.age),
  };
}

/** Ages a region before merging. The zero rule is of 2025; 6.12 lacks it. */
function updateAge(region: DamonRegion, threshold: number, version: DamonVersion, score: Score): void {
  const [now, last] = [score.of(region), score.lastOf(region)];
  const isOneZero = (now === 0) !== (last === 0);
  if (Math.abs(now - last) > threshold) region.age = 0;
  else if (version !== '6.12' && isOneZero) region.age = 0;
  else region.age++;
}

/**
 * damon_merge_regions_of: one pass in address order. Neighbours without a gap merge when their scores
 * differ by at most `threshold` and the result is at most `szLimit` bytes.
 */
export function mergeRegionsOf(
  regions: readonly DamonRegion[],
  threshold: number,
  szLimit: number,
  version: DamonVersion,
  doesAge: boolean,
  score: Score = ACCESS_SCORE,
): DamonRegion[] {
  const merged: DamonRegion[] = [];
  for (const region of regions) {
    if (doesAge) updateAge(region, threshold, version, score);
    const previous = merged.at(-1);
    if (
      previous !== undefined &&
      previous.end === region.start &&
      Math.abs(score.of(previous) - score.of(region)) <= threshold &&
      szRegion(previous) + szRegion(region) <= szLimit
    ) {
      merged[merged.length - 1] = mergeTwoRegions(previous, region);
    } else merged.push(region);
  }
  return merged;
}

/**
 * kdamond_merge_regions: merges again with a doubled threshold until the maximum number of regions is
 * respected, as far as that can be. 7.3 ages in the first pass only; before, in each.
 */
export function mergeRegions(
  regions: readonly DamonRegion[],
  threshold: number,
  szLimit: number,
  options: {
    readonly maxNrRegions: number;
    readonly samplesPerAggr: number;
    readonly version: DamonVersion;
    readonly score?: Score;
  },
): DamonRegion[] {
  const { maxNrRegions, samplesPerAggr, version, score } = options;
  let current = mergeRegionsOf(regions, threshold, szLimit, version, true, score);
  let limit = threshold;
  if (version === '7.3') {
    while (current.length > maxNrRegions && limit < samplesPerAggr) {
      limit = limit < Math.floor(samplesPerAggr / 2) ? Math.max(1, 2 * limit) : samplesPerAggr;
      current = mergeRegionsOf(current, limit, szLimit, version, false, score);
    }
    return current;
  }
  limit = Math.max(1, 2 * limit);
  while (current.length > maxNrRegions && Math.floor(limit / 2) < samplesPerAggr) {
    current = mergeRegionsOf(current, limit, szLimit, version, true, score);
    limit = Math.max(1, 2 * limit);
  }
  return current;
}

/** damon_region_sz_limit: all memory / minimum number of regions, at least the smallest region. */
export function regionSzLimit(
  regions: readonly DamonRegion[],
  minNrRegions: number,
  minRegionSz: number,
): number {
  const total = regions.reduce((sum, region) => sum + szRegion(region), 0);
  return Math.max(Math.floor(total / Math.max(minNrRegions, 1)), minRegionSz);
}

/** damon_apply_min_nr_regions (7.1): cuts what is larger than the limit, from the left. */
export function applyMinNrRegions(
  regions: readonly DamonRegion[],
  minNrRegions: number,
  minRegionSz: number,
): { readonly regions: DamonRegion[]; readonly szLimit: number } {
  const szLimit = roundUp(regionSzLimit(regions, minNrRegions, minRegionSz), minRegionSz);
  const cut: DamonRegion[] = [];
  for (const region of regions) {
    let rest = region;
    while (szRegion(rest) > szLimit) {
      const [left, right] = splitRegionAt(rest, szLimit);
      cut.push(left);
      rest = right;
    }
    cut.push(rest);
  }
  return { regions: cut, szLimit };
}

/** kdamond_reset_aggregated: this aggregation's counts become the last one's. */
export function resetAggregated(regions: readonly DamonRegion[]): void {
  for (const region of regions) {
    region.lastNrAccesses = region.nrAccesses;
    region.nrAccesses = 0;
    region.lastProbeHits = region.probeHits;
    region.probeHits = 0;
  }
}

/** What the splitting remembers from call to call (in the kernel shared by all contexts; here not). */
export interface SplitState {
  lastNrRegions: number;
  /** Starting offset of the refinement above half of the maximum (7.3). */
  counter: number;
}

/** kdamond_split_regions: random cuts, into two or three, as the number of regions allows. */
export function splitRegions(
  regions: readonly DamonRegion[],
  state: SplitState,
  options: { readonly maxNrRegions: number; readonly minRegionSz: number; readonly version: DamonVersion },
  random: RandomStream,
): DamonRegion[] {
  const { maxNrRegions, minRegionSz, version } = options;
  const count = regions.length;
  const last = state.lastNrRegions;
  const isAboveHalf = count > maxNrRegions / 2;
  if (version === '7.3' || !isAboveHalf) state.lastNrRegions = count;
  if (count >= maxNrRegions || (isAboveHalf && version !== '7.3')) return [...regions];
  if (isAboveHalf) {
    const step = Math.floor(maxNrRegions / (maxNrRegions - count));
    const offset = state.counter++ % step;
    return regions.flatMap((region, i) => {
      const isChosen = i % step === offset && szRegion(region) >= 2 * minRegionSz;
      return isChosen ? cutRandomly(region, minRegionSz, random) : [region];
    });
  }
  const pieces = count === last && count < maxNrRegions / 3 ? 3 : 2;
  return regions.flatMap((region) => splitRandomly(region, pieces, minRegionSz, random));
}

/** One cut at 10 to 90 %, rounded down to the smallest region; none where that leaves nothing. */
function cutRandomly(region: DamonRegion, minRegionSz: number, random: RandomStream): DamonRegion[] {
  const sz = szRegion(region);
  const szLeft = roundDown(Math.floor(((1 + random.below(9)) * sz) / 10), minRegionSz);
  return szLeft === 0 || szLeft >= sz ? [region] : splitRegionAt(region, szLeft);
}

/** damon_split_regions_of for one region: the left piece is what is cut again; a try may fail. */
export function splitRandomly(
  region: DamonRegion,
  pieces: number,
  minRegionSz: number,
  random: RandomStream,
): DamonRegion[] {
  const parts = [region];
  for (let i = 0; i < pieces - 1 && szRegion(parts[0]) > 2 * minRegionSz; i++)
    parts.splice(0, 1, ...cutRandomly(parts[0], minRegionSz, random));
  return parts;
}

/**
 * damon_update_monitoring_result: brings the counters of a region to new intervals. Age keeps its time,
 * nr_accesses its share of the samples. In the middle of an aggregation the incomplete count is dropped
 * and the last one rescaled, as if a new aggregation had just begun (since 6.15; 6.12 makes no such
 * difference). Nothing happens where an interval is 0.
 */
export function rescaleCounters(
  region: DamonRegion,
  old: { readonly sampleUs: number; readonly aggrUs: number },
  now: { readonly sampleUs: number; readonly aggrUs: number },
  isMidAggregation: boolean,
  version: DamonVersion = '7.3',
): void {
  if (old.sampleUs === 0 || old.aggrUs === 0 || now.sampleUs === 0 || now.aggrUs === 0) return;
  const oldSamples = samplesPerAggr(old.sampleUs, old.aggrUs);
  const newSamples = samplesPerAggr(now.sampleUs, now.aggrUs);
  const rescale = (count: number): number =>
    Math.floor((Math.floor((count * 10000) / oldSamples) * newSamples) / 10000);
  const isDropped = isMidAggregation && version !== '6.12';
  region.age = Math.floor((region.age * old.aggrUs) / now.aggrUs);
  if (isDropped || version === '7.3') region.lastNrAccesses = rescale(region.lastNrAccesses);
  region.nrAccesses = isDropped ? 0 : rescale(region.nrAccesses);
  region.nrAccessesBp = 10000 * (isDropped ? region.lastNrAccesses : region.nrAccesses);
  if (version !== '7.3') return;
  region.lastProbeHits = mapHits(region.lastProbeHits, rescale);
  region.probeHits = isDropped ? 0 : mapHits(region.probeHits, rescale);
}
