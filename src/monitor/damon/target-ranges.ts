/** The ranges that regions cover: set, updated and found as DAMON does (mm/damon/core.c and vaddr.c). */
import { ThermoError } from '../../memory/error.ts';
import { type AddressRange, roundDown, roundUp } from '../../memory/range.ts';
import { type DamonRegion, newRegion } from './region.ts';

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
  // Region after region, range after range: one that reaches into two ranges stays with the first.
  const kept = regions
    .filter((region) => rounded.some((range) => isTouching(region, range)))
    .map((region) => ({ ...region }));
  return rounded.flatMap((range) => {
    const touching = kept.filter((region) => isTouching(region, range));
    if (touching.length === 0) return [newRegion(range.start, range.end)];
    touching[0].start = range.start;
    touching[touching.length - 1].end = range.end;
    return fillHoles(touching);
  });
}

function isTouching(region: AddressRange, range: AddressRange): boolean {
  return region.start < range.end && region.end > range.start;
}

/** damon_fill_regions_holes: new regions between those that are not adjacent. */
function fillHoles(regions: readonly DamonRegion[]): DamonRegion[] {
  return regions.flatMap((region, i) =>
    i > 0 && regions[i - 1].end < region.start
      ? [newRegion(regions[i - 1].end, region.start), region]
      : [region],
  );
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

/**
 * damon_va_evenly_split_region (up to 7.0, for the initial ranges of a process): `pieces` regions of equal
 * size, the last one with the rest.
 * @throws ThermoError if a piece would be smaller than the smallest region
 */
export function splitEvenly(range: AddressRange, pieces: number, minRegionSz: number): DamonRegion[] {
  const sz = roundDown(Math.floor((range.end - range.start) / pieces), minRegionSz);
  if (!(pieces >= 1 && sz > 0)) {
    throw new ThermoError(
      'THERMO_MONITOR_CONFIG',
      `${range.start}-${range.end} cannot be cut into ${pieces} pieces`,
      { hint: `expected 1 piece or more, each of ${minRegionSz} bytes or more` },
    );
  }
  return Array.from({ length: pieces }, (_, i) =>
    newRegion(range.start + i * sz, i === pieces - 1 ? range.end : range.start + (i + 1) * sz),
  );
}
