/** DAMON's rules against the kernel's own test vectors and stated formulas, not against our output. */
import { fc, test as propTest } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { ThermoError } from '../../src/memory/error.ts';
import { RandomStream } from '../../src/memory/random.ts';
import { DamonMonitor } from '../../src/monitor/damon/damon-monitor.ts';
import {
  feedLoopNext,
  incrementalMovingSum,
  intervalsAdaptationBp,
  intervalsScore,
  movingSum,
  nrAccessesMvsum,
  rescaleCounters,
  samplesPerAggr,
  tunedSampleUs,
} from '../../src/monitor/damon/formulas.ts';
import {
  applyMinNrRegions,
  type DamonRegion,
  mergeRegions,
  mergeRegionsOf,
  mergeTwoRegions,
  newRegion,
  setRegions,
  splitRandomly,
  splitRegionAt,
  splitRegions,
  threeRegions,
} from '../../src/monitor/damon/region.ts';
import { DEFAULT_ATTRS } from '../../src/monitor/monitor.ts';
import { attrsArbitrary, monitorScriptArbitrary, runMonitorScript } from '../../src/testing/index.ts';

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
  test('split at copies every counter to both parts', () => {
    const whole = region(0, 100, { nrAccesses: 42, lastNrAccesses: 15, age: 10 });
    const [left, right] = splitRegionAt(whole, 25);
    expect(left).toMatchObject({ start: 0, end: 25, nrAccesses: 42, lastNrAccesses: 15, age: 10 });
    expect(right).toMatchObject({ start: 25, end: 100, nrAccesses: 42, lastNrAccesses: 15, age: 10 });
  });

  test('merge two takes size-weighted means', () => {
    const merged = mergeTwoRegions(
      region(0, 100, { nrAccesses: 10, age: 9 }),
      region(100, 300, { nrAccesses: 20, age: 21 }),
    );
    expect(merged).toMatchObject({ start: 0, end: 300, nrAccesses: 16, age: 17 });
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

describe('limits and rates (KUnit)', () => {
  test('samples per aggregation', () => {
    expect(samplesPerAggr(0, 0)).toBe(1);
    expect(samplesPerAggr(0, 2 ** 32)).toBe(2 ** 32 - 1);
    expect(samplesPerAggr(5000, 100_000)).toBe(20);
  });

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

  test('rescaling keeps shares and times, and its state carries on', () => {
    const counters = { nrAccesses: 15, lastNrAccesses: 0, age: 20 };
    const old = { sampleUs: 10, aggrUs: 1000 };
    const steps: [number, number, number, number][] = [
      [100, 10_000, 15, 2],
      [1, 1000, 150, 2],
      [1, 100, 150, 20],
    ];
    for (const [sampleUs, aggrUs, nr, age] of steps) {
      rescaleCounters(counters, old, { sampleUs, aggrUs }, false);
      expect([counters.nrAccesses, counters.age]).toEqual([nr, age]);
    }
    rescaleCounters(counters, { sampleUs: 0, aggrUs: 0 }, old, false);
    expect(counters.nrAccesses).toBe(150);
  });

  test('a change in the middle of an aggregation puts the count into the past', () => {
    const counters = { nrAccesses: 5, lastNrAccesses: 10, age: 4 };
    rescaleCounters(counters, { sampleUs: 5, aggrUs: 100 }, { sampleUs: 5, aggrUs: 200 }, true);
    expect(counters).toEqual({ nrAccesses: 0, lastNrAccesses: 20, age: 2 });
  });

  test.each([
    [0, 49, 10_000, 49],
    [3, 10, 7000, 10],
    [3, 10, 5000, 8],
    [32, 100, 1000, 42],
    [42, 49, 0, 42],
  ])('moving sum of %d after %d with %d bp left is %d', (current, last, leftBp, sum) => {
    expect(movingSum(current, last, leftBp)).toBe(sum);
  });

  test.each([
    [0, 10, 5, 3, 3],
    [0, 10, 0, 7, 7],
    [5, 10, 3, 10, 8],
    [8, 10, 3, 10, 5],
    [10, 10, 42, 49, 42],
  ])(
    'nr_accesses at %d of %d, %d after %d, is %d',
    (passedSis, nextAggregationSis, nrAccesses, lastNrAccesses, sum) => {
      expect(
        nrAccessesMvsum({ nrAccesses, lastNrAccesses }, { passedSis, nextAggregationSis, windowSis: 10 }),
      ).toBe(sum);
    },
  );

  test('the incremental moving sum of earlier kernels', () => {
    let sum = 50_000;
    const seen = [10_000, 0, 10_000, 0, 0, 0, 10_000, 0, 0, 0].map((input) => {
      sum = incrementalMovingSum(sum, 50_000, 10, input);
      return sum;
    });
    expect(seen).toEqual([55_000, 50_000, 55_000, 50_000, 45_000, 40_000, 45_000, 40_000, 35_000, 30_000]);
  });
});

describe('attributes (KUnit)', () => {
  const accepts = (change: object): boolean => {
    try {
      new DamonMonitor({ ...DEFAULT_ATTRS, ...change }, new RandomStream(1, 'm'));
      return true;
    } catch (error) {
      expect(error).toBeInstanceOf(ThermoError);
      return false;
    }
  };
  test.each([
    [{}, true],
    [{ minNrRegions: 1 }, false],
    [{ maxNrRegions: 9 }, false],
    [{ aggrUs: 4999 }, false],
  ])('%j on 10..1000 regions, 5 ms, 100 ms: accepted %s', (change, expected) => {
    expect(accepts(change)).toBe(expected);
  });

  test('random numbers of [0, 10) are 0 to 9', () => {
    const random = new RandomStream(1, 'kunit');
    for (let i = 0; i < 10_000; i++) expect([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]).toContain(random.below(10));
  });
});

describe('tuning of the intervals', () => {
  test.each([
    [0, 20_000, 20_000, 10_000],
    [1, 19_999, 19_999, 9999],
    [2500, 17_500, 17_500, 8750],
    [5000, 15_000, 15_000, 7500],
    [9000, 11_000, 11_000, 5500],
    [9999, 10_001, 10_001, 5000],
    [10_000, 10_000, 10_000, 5000],
    [10_001, 9999, 9999, 4999],
    [11_000, 9000, 9500, 4750],
    [15_000, 5000, 7500, 3750],
    [19_999, 1, 5000, 2500],
    [20_000, 1, 5000, 2500],
    [35_000, 1, 5000, 2500],
  ])('a score of %d: raw %d, adapt %d, new sample %d', (score, raw, adapt, sample) => {
    expect(intervalsAdaptationBp(score)).toEqual({ raw, adapt });
    expect(tunedSampleUs(5000, adapt, 1, 1e9)).toBe(sample);
  });

  test('the score is 10000 when exactly the wanted share of events is seen', () => {
    // 4 % of 20 samples over 1000 bytes is 800: one region of 40 bytes with all 20 samples.
    const regions = [
      { start: 0, end: 40, nrAccesses: 20 },
      { start: 40, end: 1000, nrAccesses: 0 },
    ];
    expect(intervalsScore(regions, 400, 20)).toBe(10_000);
    expect(intervalsScore(regions, 800, 20)).toBe(5000);
  });

  test.each([
    [10_000, 0, 20_000],
    [10_000, 5000, 15_000],
    [900_000, 200, 1_782_000],
    [900_000, 2000, 1_620_000],
    [900_000, 9999, 900_090],
    [900_000, 10_001, 899_910],
    [900_000, 15_000, 450_000],
    [900_000, 19_999, 10_000],
    [900_000, 250_000_000, 10_000],
    [10_001, 15_000, 10_000],
  ])('feedback loop: %d at score %d gives %d', (last, score, next) => {
    expect(feedLoopNext(last, score)).toBe(next);
  });
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

describe('the DAMON monitor', () => {
  const attrsAndScript = attrsArbitrary().chain((attrs) =>
    fc.tuple(fc.constant(attrs), monitorScriptArbitrary(attrs.minRegionSz, 2), fc.nat()),
  );
  propTest.prop([attrsAndScript], { numRuns: 200 })(
    'keeps every invariant, on 7.3',
    ([attrs, script, seed]) => {
      runMonitorScript(
        new DamonMonitor(attrs, new RandomStream(seed, 'm'), { pushCredit: 'one-per-interval' }),
        script,
        seed,
      );
    },
  );

  /** A hot area of 1 GiB in 160 GiB at 300 accesses/s per page. */
  const hunt = (seconds: number, seed: number): number => {
    const monitor = new DamonMonitor(DEFAULT_ATTRS, new RandomStream(seed, 'm'));
    const random = new RandomStream(seed, 'truth');
    const GIB = 2 ** 30;
    const hot = { start: 32.7 * GIB, end: 33.7 * GIB };
    monitor.setRanges([{ start: 0, end: 160 * GIB }]);
    let f1 = 0;
    for (let aggregation = 0; aggregation < seconds * 10; aggregation++) {
      for (let sample = 0; sample < 20; sample++) {
        const { count, addresses } = monitor.planChecks();
        const hits = Uint8Array.from({ length: count }, (_, i) =>
          addresses[i] >= hot.start && addresses[i] < hot.end && random.unit() < 0.777 ? 1 : 0,
        );
        monitor.recordPull(hits);
      }
      monitor.aggregate();
      let [both, detected] = [0, 0];
      for (let i = 0; i < monitor.count; i++) {
        if (monitor.nrAccesses(i) < 3) continue;
        detected += monitor.end(i) - monitor.start(i);
        both += Math.max(0, Math.min(hot.end, monitor.end(i)) - Math.max(hot.start, monitor.start(i)));
      }
      f1 = (2 * both) / (detected + GIB);
      monitor.resetAndSplit();
    }
    return f1;
  };

  test('finds one hot area as the kernel does: F1 about 0.95 after 1 s, 0.999 after 2 s, in the median', () => {
    const median = (seconds: number): number =>
      [1, 2, 3, 4, 5].map((seed) => hunt(seconds, seed)).sort((a, b) => a - b)[2];
    expect(median(1)).toBeGreaterThan(0.85);
    expect(median(2)).toBeGreaterThan(0.96);
  });

  test('credits a push sample once per region and interval, or each time, or not at all', () => {
    const credit = (pushCredit: 'none' | 'one-per-interval' | 'every-sample'): number => {
      const monitor = new DamonMonitor(DEFAULT_ATTRS, new RandomStream(1, 'm'), { pushCredit });
      monitor.setRanges([{ start: 0, end: 10 * 4096 }]);
      const batch = {
        count: 5,
        address: new Float64Array(5),
        nid: new Int16Array(5),
        isStore: new Uint8Array(5),
        exposureS: 1,
        dropped: 0,
      };
      monitor.recordPush(batch);
      return monitor.nrAccesses(0);
    };
    expect(credit('none')).toBe(0);
    expect(credit('one-per-interval')).toBe(1);
    expect(credit('every-sample')).toBe(5);
  });
});
