/**
 * DAMON's regions and what its core does to them, rule by rule (mm/damon/core.c, Linux 7.3-rc1, with
 * the rules of 7.2 and 6.12 where they differ). Integer arithmetic rounds down, as in the kernel.
 *
 * Plain objects in arrays: this is the model to compare with, so it stays readable line by line beside
 * the kernel's rules. The engine's own monitor is the fast one.
 */
import { ThermoError } from '../../memory/error.ts';
import type { RandomStream } from '../../memory/random.ts';
import { type AddressRange, roundDown, roundUp } from '../../memory/range.ts';

export interface DamonRegion {
  start: number;
  end: number;
  samplingAddr: number;
  /** Sampling intervals of this aggregation in which the sampled page was accessed. */
  nrAccesses: number;
  lastNrAccesses: number;
  /** Aggregations of similar access rate. */
  age: number;
}

/** Kernels whose rules are modelled. */
export type DamonVersion = '7.3' | '7.2' | '6.12';

export function newRegion(start: number, end: number): DamonRegion {
  return { start, end, samplingAddr: start, nrAccesses: 0, lastNrAccesses: 0, age: 0 };
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
  return {
    ...left,
    end: right.end,
    nrAccesses: mean(left.nrAccesses, right.nrAccesses),
    age: mean(left.age, right.age),
  };
}

/** Ages a region before merging. The zero rule is of 2025; 6.12 lacks it. */
function updateAge(region: DamonRegion, threshold: number, version: DamonVersion): void {
  const isOneZero = (region.nrAccesses === 0) !== (region.lastNrAccesses === 0);
  if (Math.abs(region.nrAccesses - region.lastNrAccesses) > threshold) region.age = 0;
  else if (version !== '6.12' && isOneZero) region.age = 0;
  else region.age++;
}

/**
 * damon_merge_regions_of: one pass in address order. Neighbours without a gap merge when their counts
 * differ by at most `threshold` and the result is at most `szLimit` bytes.
 */
export function mergeRegionsOf(
  regions: readonly DamonRegion[],
  threshold: number,
  szLimit: number,
  version: DamonVersion,
  doesAge: boolean,
): DamonRegion[] {
  const merged: DamonRegion[] = [];
  for (const region of regions) {
    if (doesAge) updateAge(region, threshold, version);
    const previous = merged.at(-1);
    if (
      previous !== undefined &&
      previous.end === region.start &&
      Math.abs(previous.nrAccesses - region.nrAccesses) <= threshold &&
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
  options: { readonly maxNrRegions: number; readonly samplesPerAggr: number; readonly version: DamonVersion },
): DamonRegion[] {
  const { maxNrRegions, samplesPerAggr, version } = options;
  let current = mergeRegionsOf(regions, threshold, szLimit, version, true);
  let limit = threshold;
  if (version === '7.3') {
    while (current.length > maxNrRegions && limit < samplesPerAggr) {
      limit = limit < samplesPerAggr / 2 ? Math.max(1, 2 * limit) : samplesPerAggr;
      current = mergeRegionsOf(current, limit, szLimit, version, false);
    }
    return current;
  }
  limit = Math.max(1, 2 * limit);
  while (current.length > maxNrRegions && limit / 2 < samplesPerAggr) {
    current = mergeRegionsOf(current, limit, szLimit, version, true);
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
      return isChosen ? splitRandomly(region, 2, minRegionSz, random) : [region];
    });
  }
  const pieces = count === last && count < maxNrRegions / 3 ? 3 : 2;
  return regions.flatMap((region) => splitRandomly(region, pieces, minRegionSz, random));
}

/** damon_split_regions_of for one region: cuts at 10 to 90 %, the left piece is what is cut again. */
export function splitRandomly(
  region: DamonRegion,
  pieces: number,
  minRegionSz: number,
  random: RandomStream,
): DamonRegion[] {
  const parts = [region];
  for (let i = 0; i < pieces - 1 && szRegion(parts[0]) > 2 * minRegionSz; i++) {
    const sz = szRegion(parts[0]);
    const szLeft = roundDown(Math.floor(((1 + random.below(9)) * sz) / 10), minRegionSz);
    if (szLeft === 0 || szLeft >= sz) continue;
    parts.splice(0, 1, ...splitRegionAt(parts[0], szLeft));
  }
  return parts;
}

/**
 * damon_set_regions: clips and fills so that the regions cover the ranges; counters of what remains
 * survive.
 * @throws ThermoError THERMO_MONITOR_CONFIG if a range is empty or they overlap after rounding
 */
export function setRegions(
  regions: readonly DamonRegion[],
  ranges: readonly AddressRange[],
  minRegionSz: number,
): DamonRegion[] {
  const rounded = ranges.map(({ start, end }) => ({
    start: roundDown(start, minRegionSz),
    end: roundUp(end, minRegionSz),
  }));
  rounded.forEach(({ start, end }, i) => {
    const isBad = ranges[i].start >= ranges[i].end || start >= end || (i > 0 && start < rounded[i - 1].end);
    if (isBad) {
      throw new ThermoError(
        'THERMO_MONITOR_CONFIG',
        `the range ${ranges[i].start}-${ranges[i].end} is empty or overlaps its neighbour`,
        {
          hint: `expected ranges in order that do not overlap when rounded to ${minRegionSz} bytes`,
        },
      );
    }
  });
  return rounded.flatMap((range) => {
    const touching = regions.filter((region) => region.start < range.end && region.end > range.start);
    if (touching.length === 0) return [newRegion(range.start, range.end)];
    const kept = touching.map((region) => ({ ...region }));
    kept[0].start = range.start;
    kept[kept.length - 1].end = range.end;
    const filled: DamonRegion[] = [];
    for (const region of kept) {
      const previous = filled.at(-1);
      if (previous !== undefined && previous.end < region.start)
        filled.push(newRegion(previous.end, region.start));
      filled.push(region);
    }
    return filled;
  });
}

/**
 * damon_va_three_regions: the ranges that leave out the two largest gaps between mappings, in address
 * order.
 * @throws ThermoError if there are not two gaps
 */
export function threeRegions(mappings: readonly AddressRange[]): AddressRange[] {
  const gaps = mappings
    .slice(1)
    .map((mapping, i) => ({ start: mappings[i].end, end: mapping.start }))
    .filter((gap) => gap.end > gap.start)
    .sort((a, b) => b.end - b.start - (a.end - a.start) || a.start - b.start)
    .slice(0, 2)
    .sort((a, b) => a.start - b.start);
  if (gaps.length < 2) {
    throw new ThermoError('THERMO_MONITOR_CONFIG', `${mappings.length} mappings leave fewer than two gaps`, {
      hint: 'the three-regions rule needs heap, mmap area and stack apart',
    });
  }
  return [
    { start: mappings[0].start, end: gaps[0].start },
    { start: gaps[0].end, end: gaps[1].start },
    { start: gaps[1].end, end: mappings[mappings.length - 1].end },
  ];
}
