import { fc, test as propTest } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { NO_VALUE } from '../../src/memory/page-runs.ts';
import { NO_REGIONS } from '../../src/monitor/monitor.ts';
import { forEachPieceOf, forEachRegion, NO_SPOT } from '../../src/monitor/pieces.ts';
import { checkQuota } from '../../src/testing/index.ts';
import { executorOf, FakeHost, type FakeRegion, regionsOf } from './scheme-fakes.ts';

const MIB = 2 ** 20;
const FIVE: FakeRegion[] = [60, 900, 70, 300, 80].map((rate, i) => ({
  start: i * MIB,
  end: (i + 1) * MIB,
  rate,
}));

describe('the executor', () => {
  test('takes the hottest first and cuts the last region at the quota', () => {
    const target = new FakeHost(5 * MIB);
    const executor = executorOf('promote hot>5 quota 2560K/s');
    executor.apply(0, regionsOf(FIVE), NO_REGIONS, target);
    expect(target.moved).toEqual([
      [1 * MIB, 2 * MIB],
      [3 * MIB, 4 * MIB],
      [4 * MIB, 4.5 * MIB],
    ]);
    expect(executor.stats(0)).toMatchObject({ nrTried: 3, szTried: 2.5 * MIB, nrQuotaExceeded: 1 });
  });

  test('goes on in the next window, and not before', () => {
    const target = new FakeHost(5 * MIB);
    const executor = executorOf('promote hot>5 quota 2M/s');
    for (const timeUs of [0, 100_000, 999_999]) executor.apply(timeUs, regionsOf(FIVE), NO_REGIONS, target);
    expect(target.moved.length).toBe(2);
    executor.apply(1_000_000, regionsOf(FIVE), NO_REGIONS, target);
    expect(target.moved.slice(2)).toEqual([
      [4 * MIB, 5 * MIB],
      [2 * MIB, 3 * MIB],
    ]);
  });

  test('top 2 acts on exactly the two hottest regions', () => {
    const target = new FakeHost(5 * MIB);
    executorOf('promote hot>5 top 2').apply(0, regionsOf(FIVE), NO_REGIONS, target);
    expect(target.moved.map(([start]) => start / MIB)).toEqual([1, 3]);
  });

  test('breaks ties by address', () => {
    const target = new FakeHost(5 * MIB);
    const same = FIVE.map((region) => ({ ...region, rate: 100 }));
    executorOf('promote hot>5 top 3').apply(0, regionsOf(same), NO_REGIONS, target);
    expect(target.moved.map(([start]) => start / MIB)).toEqual([0, 1, 2]);
  });

  test('neither tries nor charges what is at the target already, or not mapped', () => {
    const target = new FakeHost(5 * MIB);
    target.runs.set(1 * MIB, 1.5 * MIB, 0);
    target.runs.set(3 * MIB, 3.25 * MIB, NO_VALUE);
    const executor = executorOf('promote hot>5 quota 1M/s');
    executor.apply(0, regionsOf(FIVE), NO_REGIONS, target);
    expect(target.moved).toEqual([
      [1.5 * MIB, 2 * MIB],
      [3.25 * MIB, 3.75 * MIB],
    ]);
    expect(executor.stats(0).szTried).toBe(MIB);
  });

  test('demotes what was idle for longer than asked, and nothing else', () => {
    const target = new FakeHost(5 * MIB);
    const ages: FakeRegion[] = [299, 300, 301].map((age, i) => ({
      start: i * MIB,
      end: (i + 1) * MIB,
      rate: 0,
      age,
    }));
    executorOf('demote cold>30s', [2]).apply(
      0,
      regionsOf([...ages, { ...FIVE[3], age: 999 }]),
      NO_REGIONS,
      target,
    );
    expect(target.moved).toEqual([[2 * MIB, 3 * MIB]]);
  });

  test('obeys the apply interval', () => {
    const executor = executorOf('stat every 1s');
    const target = new FakeHost(5 * MIB);
    for (let t = 0; t < 2_000_000; t += 100_000) executor.apply(t, regionsOf(FIVE), NO_REGIONS, target);
    // Two rounds on five regions.
    expect(executor.stats(0).nrTried).toBe(10);
  });
});

const PAGE = 4096;
/** A lukewarm MiB at 10/s, an idle one, and one at 900/s. */
const THREE: FakeRegion[] = [10, 0, 900].map((rate, i) => ({
  start: i * MIB,
  end: (i + 1) * MIB,
  rate,
  age: 400,
}));
const spot = (page: number, rate: number, pages = 1): FakeRegion => ({
  start: page * PAGE,
  end: (page + pages) * PAGE,
  rate,
  age: 400,
});
const pagesOf = (target: FakeHost): number[][] =>
  target.moved.map(([start, end]) => [start / PAGE, end / PAGE]);

describe('spots', () => {
  const apply = (
    sentence: string,
    spots: readonly FakeRegion[],
    regions: readonly FakeRegion[] = THREE,
  ): FakeHost => {
    const target = new FakeHost(3 * MIB);
    executorOf(sentence).apply(0, regionsOf(regions), regionsOf(spots), target);
    return target;
  };

  test('that are hot move out of a region that is not', () => {
    expect(pagesOf(apply('promote hot>5', [spot(7, 2000)]))).toEqual([
      [7, 8],
      [512, 768],
    ]);
  });

  test('that are hot stay where the region around them goes', () => {
    // Their accesses are all that the region has, so nothing was seen outside them.
    const region = { ...THREE[0], rate: (2 * 1280) / 256 };
    const spots = [spot(7, 1280), spot(255, 1280)];
    expect(pagesOf(apply('demote cold>30s', spots, [region]))).toEqual([
      [0, 7],
      [8, 255],
    ]);
    expect(pagesOf(apply('demote cold>30s', spots, [{ ...region, rate: 11 }]))).toEqual([]);
  });

  test('that are cool are left by the hot region around them', () => {
    expect(pagesOf(apply('promote hot>5', [spot(600, 1)]))).toEqual([
      [512, 600],
      [601, 768],
    ]);
  });

  test('take their rate from the region: what is left may be too little for it', () => {
    const region = { ...THREE[0], rate: 60 };
    expect(pagesOf(apply('promote hot>57/s', [], [region]))).toEqual([[0, 256]]);
    expect(pagesOf(apply('promote hot>57/s', [spot(7, 2000)], [region]))).toEqual([[7, 8]]);
  });

  test('are told apart by their own size', () => {
    const spots = [spot(7, 2000), spot(20, 1000, 2)];
    expect(pagesOf(apply('promote hot>5 size<1M', spots))).toEqual([
      [7, 8],
      [20, 22],
    ]);
    expect(pagesOf(apply('promote hot>5 size<8K', spots))).toEqual([[7, 8]]);
    expect(pagesOf(apply('promote hot>5 size>=1M', [spot(600, 1)]))).toEqual([
      [512, 600],
      [601, 768],
    ]);
  });

  test('count as regions do in top N, and the parts of one region count once', () => {
    const spots = [spot(7, 2000), spot(600, 1), spot(700, 3000)];
    expect(pagesOf(apply('promote hot>5 top 1', spots))).toEqual([[700, 701]]);
    expect(pagesOf(apply('promote hot>5 top 3', spots))).toEqual([
      [700, 701],
      [7, 8],
      [512, 600],
      [601, 700],
      [701, 768],
    ]);
  });

  test('and regions of one priority go by address, whole regions first', () => {
    const region = { ...THREE[2], rate: 0 };
    const spots = [spot(520, 0)];
    expect(pagesOf(apply('demote cold>30s top 1', spots, [region]))).toEqual([
      [512, 520],
      [521, 768],
    ]);
  });

  test('smaller than the smallest region are acted on, and do not end the round', () => {
    const target = new FakeHost(3 * MIB);
    const executor = executorOf('promote hot>5 quota 532K/s', [0], 64 * 1024);
    executor.apply(0, regionsOf(THREE), regionsOf([spot(7, 2000)]), target);
    // 4K of the quota went to the spot; of the rest a cut takes whole regions of 64K.
    expect(pagesOf(target)).toEqual([
      [7, 8],
      [512, 640],
    ]);
    expect(executor.stats(0)).toMatchObject({ nrTried: 2, szTried: 516 * 1024, nrQuotaExceeded: 1 });
  });
});

/** Sorted disjoint ranges with rates, in pages. */
const ranges = (maxLength: number): fc.Arbitrary<FakeRegion[]> =>
  fc
    .array(
      fc.record({
        gap: fc.nat({ max: 20 }),
        pages: fc.integer({ min: 1, max: 40 }),
        rate: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1000, noNaN: true })),
        age: fc.nat({ max: 600 }),
      }),
      { minLength: 1, maxLength },
    )
    .map((parts) => {
      let at = 0;
      return parts.map(({ gap, pages, rate, age }) => {
        const start = at + gap * PAGE;
        at = start + pages * PAGE;
        return { start, end: at, rate, age };
      });
    });

describe('a round', () => {
  propTest.prop(
    [
      ranges(12),
      ranges(20),
      fc.constantFrom('promote hot>5', 'promote hot>10/s', 'demote cold>30s', 'demote'),
      fc.integer({ min: 1, max: 300 }),
      fc.integer({ min: 1, max: 20 }),
      fc.constantFrom(PAGE, 4 * PAGE),
    ],
    { numRuns: 500 },
  )(
    'tries no byte twice, keeps quota and top, goes by priority, and acts on whole pieces but for the last',
    (regions, spots, sentence, quotaPages, top, minRegionSz) => {
      const target = new FakeHost(1000 * PAGE);
      const executor = executorOf(`${sentence} quota ${quotaPages * PAGE}/s top ${top}`, [0], minRegionSz);
      const [view, spotView] = [regionsOf(regions), regionsOf(spots)];
      executor.apply(0, view, spotView, target);

      const pieces: { start: number; end: number; rate: number; unit: string }[] = [];
      forEachRegion(view, spotView, (region, rest, first, past) => {
        forEachPieceOf(view, region, rest, spotView, first, past, (start, end, rate, of) => {
          pieces.push({ start, end, rate, unit: of === NO_SPOT ? `region ${region}` : `spot ${of}` });
        });
      });
      const byAddress = [...target.moved].sort((a, b) => a[0] - b[0]);
      byAddress.forEach(([start, end], i) => {
        expect(start).toBeLessThan(end);
        if (i > 0) expect(start).toBeGreaterThanOrEqual(byAddress[i - 1][1]);
      });
      const found = target.moved.map(([start, end]) => {
        const piece = pieces.find((each) => each.start === start);
        expect(piece?.end).toBeGreaterThanOrEqual(end);
        return { isWhole: piece?.end === end, rate: piece?.rate ?? Number.NaN, unit: piece?.unit };
      });
      const isPromotion = sentence.startsWith('promote');
      found.forEach(({ rate, isWhole }, i) => {
        if (i + 1 < found.length) expect(isWhole).toBe(true);
        if (i === 0) return;
        const [more, less] = isPromotion ? [found[i - 1].rate, rate] : [rate, found[i - 1].rate];
        // Rates that differ in the last digits only have the same priority.
        expect(less).toBeLessThanOrEqual(more * (1 + 1e-9));
      });
      expect(new Set(found.map(({ unit }) => unit)).size).toBeLessThanOrEqual(top);
      const bytes = target.moved.reduce((sum, [start, end]) => sum + end - start, 0);
      expect(bytes).toBeLessThanOrEqual(quotaPages * PAGE);
      expect(executor.stats(0).szTried).toBe(bytes);
    },
  );
});

const scenario = fc.record({
  quotaPages: fc.integer({ min: 1, max: 3000 }),
  windowMs: fc.constantFrom(50, 100, 1000, 7000),
  steps: fc.array(
    fc.record({
      waitMs: fc.nat({ max: 1500 }),
      rates: fc.array(fc.double({ min: 0, max: 1000, noNaN: true }), { minLength: 1, maxLength: 12 }),
      pages: fc.integer({ min: 1, max: 600 }),
    }),
    { minLength: 1, maxLength: 40 },
  ),
});

describe('the quota', () => {
  propTest.prop([scenario], { numRuns: 500 })(
    'is never exceeded in any window',
    ({ quotaPages, windowMs, steps }) => {
      const executor = executorOf(`promote hot>5 quota ${quotaPages * 4096}/${windowMs}ms`);
      const charges: { timeUs: number; bytes: number }[] = [];
      let timeUs = 0;
      for (const { waitMs, rates, pages } of steps) {
        timeUs += waitMs * 1000;
        // Memory comes back to the slow node each time, so there is always work.
        const target = new FakeHost(rates.length * pages * 4096);
        const regions = rates.map((rate, i) => ({
          start: i * pages * 4096,
          end: (i + 1) * pages * 4096,
          rate,
        }));
        executor.apply(timeUs, regionsOf(regions), NO_REGIONS, target);
        for (const [start, end] of target.moved) charges.push({ timeUs, bytes: end - start });
      }
      const quota = { szBytes: quotaPages * 4096, resetIntervalUs: windowMs * 1000 };
      checkQuota(charges, quota);
      const tried = charges.reduce((sum, charge) => sum + charge.bytes, 0);
      expect(executor.stats(0).szTried).toBe(tried);
    },
  );
});
