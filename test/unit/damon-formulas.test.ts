/**
 * DAMON's formulas against the kernel's own test vectors (KUnit; reference section 6.3) and the golden
 * table of its interval tuning (section 2), not against our output.
 */
import { describe, expect, test } from 'vitest';
import {
  feedLoopNext,
  incrementalMovingSum,
  movingSum,
  nrAccessesMvsum,
  samplesPerAggr,
} from '../../src/monitor/damon/formulas.ts';
import { newRegion, rescaleCounters } from '../../src/monitor/damon/region.ts';
import {
  intervalsAdaptationBp,
  intervalsScore,
  tunedSampleUs,
  tuneIntervals,
} from '../../src/monitor/interval-tuner.ts';
import { DEFAULT_ATTRS, type Regions } from '../../src/monitor/monitor.ts';

describe('limits and rates (KUnit)', () => {
  test('samples per aggregation', () => {
    expect(samplesPerAggr(0, 0)).toBe(1);
    expect(samplesPerAggr(0, 2 ** 32)).toBe(2 ** 32 - 1);
    expect(samplesPerAggr(5000, 100_000)).toBe(20);
  });

  test('rescaling keeps shares and times, and its state carries on', () => {
    // Reference 6.3: old is always sample 10, aggr 1000; start nr 15 age 20.
    const region = { ...newRegion(3, 7), nrAccesses: 15, age: 20 };
    const old = { sampleUs: 10, aggrUs: 1000 };
    const steps: [number, number, number, number][] = [
      [100, 10_000, 15, 2],
      [1, 1000, 150, 2],
      [1, 100, 150, 20],
    ];
    for (const [sampleUs, aggrUs, nr, age] of steps) {
      rescaleCounters(region, old, { sampleUs, aggrUs }, false);
      expect([region.nrAccesses, region.age]).toEqual([nr, age]);
    }
    rescaleCounters(region, { sampleUs: 0, aggrUs: 0 }, old, false);
    expect(region.nrAccesses).toBe(150);
  });

  test('a change in the middle of an aggregation puts the count into the past, but not in 6.12', () => {
    const change = (version: '7.3' | '7.2' | '6.12') => {
      const region = { ...newRegion(0, 1), nrAccesses: 5, lastNrAccesses: 10, age: 4 };
      rescaleCounters(region, { sampleUs: 5, aggrUs: 100 }, { sampleUs: 5, aggrUs: 200 }, true, version);
      return region;
    };
    const dropped = { nrAccesses: 0, lastNrAccesses: 20, age: 2, nrAccessesBp: 200_000 };
    expect(change('7.3')).toMatchObject(dropped);
    expect(change('7.2')).toMatchObject(dropped);
    expect(change('6.12')).toMatchObject({
      nrAccesses: 10,
      lastNrAccesses: 10,
      age: 2,
      nrAccessesBp: 100_000,
    });
  });

  test('at the end of an aggregation 7.3 rescales the last count and probe hits too, 7.2 does not', () => {
    const change = (version: '7.3' | '7.2') => {
      const region = {
        ...newRegion(0, 1),
        nrAccesses: 5,
        lastNrAccesses: 10,
        probeHits: 3,
        lastProbeHits: 2,
      };
      rescaleCounters(region, { sampleUs: 5, aggrUs: 100 }, { sampleUs: 5, aggrUs: 200 }, false, version);
      return region;
    };
    expect(change('7.3')).toMatchObject({
      nrAccesses: 10,
      lastNrAccesses: 20,
      probeHits: 6,
      lastProbeHits: 4,
    });
    expect(change('7.2')).toMatchObject({
      nrAccesses: 10,
      lastNrAccesses: 10,
      probeHits: 3,
      lastProbeHits: 2,
    });
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

  /** Regions of [bytes, nr_accesses] laid end to end. */
  const regionsOf = (list: readonly (readonly [number, number])[]): Regions => {
    const starts = list.map((_, i) => list.slice(0, i).reduce((sum, [bytes]) => sum + bytes, 0));
    return {
      count: list.length,
      start: (i) => starts[i],
      end: (i) => starts[i] + list[i][0],
      nrAccesses: (i) => list[i][1],
      rate: () => 0,
      age: () => 0,
      accessingNid: () => -1,
      storeShare: () => Number.NaN,
      isIdle: () => false,
    };
  };

  test('the score is 10000 when exactly the wanted share of events is seen', () => {
    // 4 % of 20 samples over 1000 bytes is 800: one region of 40 bytes with all 20 samples.
    const regions = regionsOf([
      [40, 20],
      [960, 0],
    ]);
    expect(intervalsScore(regions, 400, 20)).toBe(10_000);
    expect(intervalsScore(regions, 800, 20)).toBe(5000);
  });

  const goal = { accessBp: 400, aggrs: 3, minSampleUs: 5000, maxSampleUs: 8000 };
  test.each([
    ['nothing is seen: twice as long, but at most the largest', [[1000, 0]], goal, 8000],
    ['all is seen: half as long, but at least the smallest', [[1000, 20]], goal, 5000],
    [
      'half of the goal is seen: 1.5 times as long',
      [
        [20, 20],
        [980, 0],
      ],
      goal,
      7500,
    ],
    [
      'the goal is seen: nothing changes',
      [
        [40, 20],
        [960, 0],
      ],
      goal,
      5000,
    ],
    ['a goal of 0 aggregations is off', [[1000, 0]], { ...goal, aggrs: 0 }, 5000],
  ] as const)('%s', (_, regions, intervalsGoal, sampleUs) => {
    const attrs = { ...DEFAULT_ATTRS, intervalsGoal };
    const tuned = tuneIntervals(attrs, regionsOf(regions));
    expect(tuned).toEqual({ ...attrs, sampleUs, aggrUs: 20 * sampleUs });
    if (sampleUs === 5000) expect(tuned).toBe(attrs);
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
