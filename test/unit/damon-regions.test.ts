/**
 * DAMON's rules on regions against the kernel's own test vectors (KUnit; reference sections 6.1, 6.2 and
 * 6.5) and stated formulas, not against our output.
 */
import { describe, expect, test } from 'vitest';
import { ThermoError } from '../../src/memory/error.ts';
import { RandomStream } from '../../src/memory/random.ts';
import { hitsOf } from '../../src/monitor/damon/probe.ts';
import {
  applyMinNrRegions,
  type DamonRegion,
  mergeRegions,
  mergeRegionsOf,
  mergeTwoRegions,
  newRegion,
  resetAggregated,
  splitRandomly,
  splitRegionAt,
  splitRegions,
} from '../../src/monitor/damon/region.ts';
import { setRegions, splitEvenly, threeRegions } from '../../src/monitor/damon/target-ranges.ts';

const region = (start: number, end: number, fields: Partial<DamonRegion> = {}): DamonRegion => ({
  ...newRegion(start, end),
  ...fields,
});
const bounds = (regions: readonly DamonRegion[]): string =>
  regions.map(({ start, end }) => `${start}-${end}`).join(', ');
const parse = (text: string): DamonRegion[] =>
  text === ''
    ? []
    : text.split(', ').map((part) => {
        const [start, end] = part.split('-').map(Number);
        return newRegion(start, end);
      });

describe('regions (KUnit)', () => {
  test('a new region [1,2) has counted nothing', () => {
    expect(newRegion(1, 2)).toMatchObject({ start: 1, end: 2, nrAccesses: 0, age: 0 });
  });

  test('reset aggregated: all nr_accesses become 0 and the last ones, no region is lost', () => {
    const counts = [42, 95, 84, 10, 20, 30, 0, 1, 2];
    const regions = counts.map((nrAccesses, i) => region(i, i + 1, { nrAccesses, probeHits: i }));
    resetAggregated(regions);
    expect(regions.map((each) => each.nrAccesses)).toEqual(counts.map(() => 0));
    expect(regions.map((each) => each.lastNrAccesses)).toEqual(counts);
    expect(regions.map((each) => [each.probeHits, each.lastProbeHits])).toEqual(counts.map((_, i) => [0, i]));
  });

  test('split at copies every counter to both parts', () => {
    const counters = { nrAccesses: 42, lastNrAccesses: 15, age: 10, probeHits: 7, lastProbeHits: 3 };
    const [left, right] = splitRegionAt(region(0, 100, counters), 25);
    expect(left).toMatchObject({ start: 0, end: 25, ...counters });
    expect(right).toMatchObject({ start: 25, end: 100, ...counters });
  });

  test('merge two takes size-weighted means; the last count of the left one is kept', () => {
    const merged = mergeTwoRegions(
      region(0, 100, { nrAccesses: 10, age: 9, probeHits: 6, lastNrAccesses: 1 }),
      region(100, 300, { nrAccesses: 20, age: 21, probeHits: 14, lastNrAccesses: 7 }),
    );
    expect(merged).toMatchObject({ start: 0, end: 300, nrAccesses: 16, age: 17, lastNrAccesses: 1 });
    expect(hitsOf(merged.probeHits, 0)).toBe(11);
  });

  test('a merge pass joins what is adjacent, similar and small enough', () => {
    const given =
      '0-100:0, 100-112:0, 114-122:10, 122-130:10, 130-156:20, 156-170:30, 170-184:1, 184-230:2, 230-10170:5';
    const regions = given.split(', ').map((part) => {
      const [range, nr] = part.split(':');
      const [start, end] = range.split('-').map(Number);
      return region(start, end, { nrAccesses: Number(nr) });
    });
    expect(bounds(mergeRegionsOf(regions, 9, 9999, '7.3', true))).toBe(
      '0-112, 114-130, 130-156, 156-170, 170-230, 230-10170',
    );
  });

  test.each([
    ['0-22', 2, 1, 2],
    ['0-220', 4, 1, 4],
    ['0-220, 300-400, 500-700', 4, 5, 12],
  ])('%s into %d with a minimum of %d bytes gives at most %d regions', (given, pieces, minSz, most) => {
    for (let seed = 0; seed < 100; seed++) {
      const random = new RandomStream(seed, 'split');
      const parts = parse(given).flatMap((each) => splitRandomly(each, pieces, minSz, random));
      expect(parts.length).toBeLessThanOrEqual(most);
      for (const part of parts) expect((part.end - part.start) % minSz).toBe(0);
    }
  });

  const alternating = () =>
    Array.from({ length: 760 }, (_, i) =>
      region(i * 100, (i + 1) * 100, { nrAccesses: (i % 2) * 100, age: 5 }),
    );
  const split = (version: '7.3' | '7.2' | '6.12') =>
    splitRegions(
      alternating(),
      { lastNrRegions: 0, counter: 0 },
      { maxNrRegions: 1500, minRegionSz: 1, version },
      new RandomStream(1, 'split'),
    ).length;
  test('above half of the maximum 7.3 goes on splitting, earlier kernels stop', () => {
    expect(split('7.3')).toBeGreaterThan(760);
    expect(split('7.3')).toBeLessThanOrEqual(1500);
    expect(split('7.2')).toBe(760);
    expect(split('6.12')).toBe(760);
  });

  test('above half of the maximum every step-th region of at least two smallest is cut, in turn', () => {
    // 8 of 12: step 12 / 4 = 3, so regions 0, 3 and 6, then 1, 4 and 7.
    const state = { lastNrRegions: 0, counter: 0 };
    const options = { maxNrRegions: 12, minRegionSz: 1, version: '7.3' } as const;
    const eight = Array.from({ length: 8 }, (_, i) => region(i * 100, i * 100 + 100, { age: i }));
    const cutAges = (): number[] => {
      const ages = splitRegions(eight, state, options, new RandomStream(1, 'split')).map(({ age }) => age);
      return ages.filter((age, i) => age === ages[i - 1]);
    };
    expect(cutAges()).toEqual([0, 3, 6]);
    expect(cutAges()).toEqual([1, 4, 7]);
    const sizes = (sz: number): number => {
      const small = Array.from({ length: 8 }, (_, i) => region(i * sz, i * sz + sz));
      let most = 0;
      for (let seed = 0; seed < 20; seed++) {
        const cut = splitRegions(
          small,
          { lastNrRegions: 0, counter: 0 },
          options,
          new RandomStream(seed, 's'),
        );
        most = Math.max(most, cut.length);
      }
      return most;
    };
    expect(sizes(1)).toBe(8);
    expect(sizes(2)).toBeGreaterThan(8);
  });

  test('with many free records a count that stands still is split into three', () => {
    const random = new RandomStream(1, 'split');
    const state = { lastNrRegions: 10, counter: 0 };
    const regions = Array.from({ length: 10 }, (_, i) => region(i * 1000, (i + 1) * 1000));
    expect(
      splitRegions(regions, state, { maxNrRegions: 1000, minRegionSz: 1, version: '7.3' }, random).length,
    ).toBe(30);
    expect(
      splitRegions(regions.slice(1), state, { maxNrRegions: 1000, minRegionSz: 1, version: '7.3' }, random)
        .length,
    ).toBe(18);
  });
});

describe('apply_min_nr_regions (KUnit)', () => {
  test.each([
    [10, 1, 10, 1, 10],
    [10, 1, 15, 1, 10],
    [10, 2, 2, 6, 2],
    [10, 2, 10, 2, 5],
  ])(
    'apply_min_nr_regions of %d bytes, minimum %d, %d regions: limit %d, %d regions',
    (sz, minSz, minNr, limit, count) => {
      const { regions, szLimit } = applyMinNrRegions([newRegion(0, sz)], minNr, minSz);
      expect(szLimit).toBe(limit);
      expect(regions.length).toBe(count);
    },
  );
});

describe('set_regions (KUnit)', () => {
  test.each([
    ['', '5-15, 15-25', '5-15, 15-25'],
    ['4-16, 24-32', '18-23', '18-23'],
    ['4-16, 24-32', '8-28', '8-16, 16-24, 24-28'],
    ['0-4, 4-17', '0-15, 25-40', '0-4, 4-15, 25-40'],
    ['0-4, 42-52', '0-15, 25-40, 44-50', '0-15, 25-40, 44-50'],
    [
      '10-20, 20-30, 50-55, 55-57, 57-59, 70-80, 80-90, 90-100',
      '5-27, 45-55, 73-104',
      '5-20, 20-27, 45-55, 73-80, 80-90, 90-104',
    ],
    [
      '10-20, 20-30, 50-55, 55-57, 57-59, 70-80, 80-90, 90-100',
      '5-27, 56-57, 65-104',
      '5-20, 20-27, 56-57, 65-80, 80-90, 90-104',
    ],
    [
      '10-20, 20-30, 50-55, 55-57, 57-59, 70-80, 80-90, 90-100',
      '5-27, 61-63, 65-104',
      '5-20, 20-27, 61-63, 65-80, 80-90, 90-104',
    ],
    ['10-20, 20-30, 50-55, 55-57, 57-59, 70-80, 80-90, 90-100', '5-7, 30-32, 65-68', '5-7, 30-32, 65-68'],
  ])('%s under %s becomes %s', (old, ranges, expected) => {
    expect(bounds(setRegions(parse(old), parse(ranges), 1))).toBe(expected);
  });

  test.each([
    ['42-42', 1],
    ['42-21', 1],
    ['10-20, 20-30', 4096],
  ])('%s with a minimum of %d is refused', (ranges, minSz) => {
    expect(() => setRegions([], parse(ranges), minSz)).toThrow(ThermoError);
  });

  test('counters of what remains survive', () => {
    const kept = setRegions([region(4, 16, { nrAccesses: 7, age: 3 })], parse('8-28'), 1);
    expect(kept).toEqual([expect.objectContaining({ start: 8, end: 28, nrAccesses: 7, age: 3 })]);
  });

  test('a region that reaches into two ranges stays with the first; the second begins anew', () => {
    const kept = setRegions([region(4, 16, { nrAccesses: 7 })], parse('4-8, 10-16'), 1);
    expect(bounds(kept)).toBe('4-8, 10-16');
    expect(kept.map((each) => each.nrAccesses)).toEqual([7, 0]);
  });
});

describe('even split (KUnit, removed in 7.1)', () => {
  test.each([
    ['0-100', 10, '0-10, 10-20, 20-30, 30-40, 40-50, 50-60, 60-70, 70-80, 80-90, 90-100'],
    ['5-59', 5, '5-15, 15-25, 25-35, 35-45, 45-59'],
    ['4-6', 1, '4-6'],
    ['0-3', 2, '0-1, 1-3'],
  ])('%s into %d', (range, pieces, expected) => {
    expect(bounds(splitEvenly(parse(range)[0], pieces, 1))).toBe(expected);
  });
  test.each([
    ['0-100', 0],
    ['5-6', 2],
  ])('%s into %d is refused', (range, pieces) => {
    expect(() => splitEvenly(parse(range)[0], pieces, 1)).toThrow(ThermoError);
  });
});

test('three regions (KUnit)', () => {
  expect(
    bounds(
      threeRegions(parse('10-20, 20-25, 200-210, 210-220, 300-305, 307-330')).map((r) =>
        newRegion(r.start, r.end),
      ),
    ),
  ).toBe('10-25, 200-220, 300-330');
  expect(() => threeRegions(parse('10-20, 20-25'))).toThrow(ThermoError);
});

describe('merging to respect the maximum', () => {
  // Counts of 10 and 13 in turn: a threshold of 1 and 2 joins nothing, 4 everything.
  const noisy = () =>
    Array.from({ length: 100 }, (_, i) =>
      region(i * 10, (i + 1) * 10, { nrAccesses: i % 2 === 0 ? 10 : 13 }),
    );
  const options = { maxNrRegions: 10, samplesPerAggr: 20 };
  test('7.3 ages once however often it merges, 7.2 in each pass', () => {
    const merge = (version: '7.3' | '7.2') =>
      mergeRegions(
        noisy().map((each) => ({ ...each, lastNrAccesses: each.nrAccesses })),
        1,
        1e9,
        { ...options, version },
      );
    expect(merge('7.3').length).toBeLessThanOrEqual(10);
    expect(Math.max(...merge('7.3').map((each) => each.age))).toBe(1);
    expect(Math.max(...merge('7.2').map((each) => each.age))).toBe(3);
  });

  test('a count that falls to zero resets the age since 2025, not in 6.12', () => {
    const falling = () => [region(0, 10, { nrAccesses: 0, lastNrAccesses: 1, age: 9 })];
    const ageOf = (version: '7.3' | '6.12') => mergeRegionsOf(falling(), 1, 1e9, version, true)[0].age;
    expect(ageOf('7.3')).toBe(0);
    expect(ageOf('6.12')).toBe(10);
  });
});
