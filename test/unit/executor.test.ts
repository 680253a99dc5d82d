import { fc, test as propTest } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { NO_VALUE, PageRuns } from '../../src/memory/page-runs.ts';
import type { Regions } from '../../src/monitor/monitor.ts';
import { type ActionTarget, SchemeExecutor } from '../../src/schemes/executor.ts';
import { loadSchemes } from '../../src/schemes/load.ts';
import { checkQuota } from '../../src/testing/index.ts';

const MIB = 2 ** 20;
const ATTRS = { minRegionSz: 4096, aggrUs: 100_000 };

interface FakeRegion {
  readonly start: number;
  readonly end: number;
  readonly rate: number;
  readonly age?: number;
}

function regionsOf(list: readonly FakeRegion[]): Regions {
  return {
    count: list.length,
    start: (i) => list[i].start,
    end: (i) => list[i].end,
    rate: (i) => list[i].rate,
    age: (i) => list[i].age ?? 0,
    isIdle: (i) => list[i].rate === 0,
    nrAccesses: () => 0,
  };
}

function executorOf(sentence: string, targetNids = [0]): SchemeExecutor {
  const { schemes } = loadSchemes(`version: 1\nschemes: ['${sentence}']`, 't', {
    sampleUs: 5000,
    aggrUs: 100_000,
  });
  return new SchemeExecutor(
    schemes.map((scheme) => ({ scheme, targetNids, fromNids: undefined })),
    ATTRS,
  );
}

/** Everything on node 1, moves take effect at once. */
class FakeTarget implements ActionTarget {
  readonly runs = new PageRuns();
  readonly moved: [number, number][] = [];
  constructor(bytes: number) {
    this.runs.set(0, bytes, 1);
  }
  placement(start: number, end: number, visit: (start: number, end: number, value: number) => void): void {
    this.runs.forEach(start, end, visit);
  }
  migrate(start: number, end: number, nids: readonly number[]): void {
    this.moved.push([start, end]);
    this.runs.set(start, end, nids[0]);
  }
}

const FIVE: FakeRegion[] = [60, 900, 70, 300, 80].map((rate, i) => ({
  start: i * MIB,
  end: (i + 1) * MIB,
  rate,
}));

describe('the executor', () => {
  test('takes the hottest first and cuts the last region at the quota', () => {
    const target = new FakeTarget(5 * MIB);
    const executor = executorOf('promote hot>5 quota 2560K/s');
    executor.apply(0, regionsOf(FIVE), target);
    expect(target.moved).toEqual([
      [1 * MIB, 2 * MIB],
      [3 * MIB, 4 * MIB],
      [4 * MIB, 4.5 * MIB],
    ]);
    expect(executor.stats(0)).toMatchObject({ nrTried: 3, szTried: 2.5 * MIB, nrQuotaExceeded: 1 });
  });

  test('goes on in the next window, and not before', () => {
    const target = new FakeTarget(5 * MIB);
    const executor = executorOf('promote hot>5 quota 2M/s');
    for (const timeUs of [0, 100_000, 999_999]) executor.apply(timeUs, regionsOf(FIVE), target);
    expect(target.moved.length).toBe(2);
    executor.apply(1_000_000, regionsOf(FIVE), target);
    expect(target.moved.slice(2)).toEqual([
      [4 * MIB, 5 * MIB],
      [2 * MIB, 3 * MIB],
    ]);
  });

  test('top 2 acts on exactly the two hottest regions', () => {
    const target = new FakeTarget(5 * MIB);
    executorOf('promote hot>5 top 2').apply(0, regionsOf(FIVE), target);
    expect(target.moved.map(([start]) => start / MIB)).toEqual([1, 3]);
  });

  test('breaks ties by address', () => {
    const target = new FakeTarget(5 * MIB);
    const same = FIVE.map((region) => ({ ...region, rate: 100 }));
    executorOf('promote hot>5 top 3').apply(0, regionsOf(same), target);
    expect(target.moved.map(([start]) => start / MIB)).toEqual([0, 1, 2]);
  });

  test('neither tries nor charges what is at the target already, or not mapped', () => {
    const target = new FakeTarget(5 * MIB);
    target.runs.set(1 * MIB, 1.5 * MIB, 0);
    target.runs.set(3 * MIB, 3.25 * MIB, NO_VALUE);
    const executor = executorOf('promote hot>5 quota 1M/s');
    executor.apply(0, regionsOf(FIVE), target);
    expect(target.moved).toEqual([
      [1.5 * MIB, 2 * MIB],
      [3.25 * MIB, 3.75 * MIB],
    ]);
    expect(executor.stats(0).szTried).toBe(MIB);
  });

  test('demotes what was idle for longer than asked, and nothing else', () => {
    const target = new FakeTarget(5 * MIB);
    const ages: FakeRegion[] = [299, 300, 301].map((age, i) => ({
      start: i * MIB,
      end: (i + 1) * MIB,
      rate: 0,
      age,
    }));
    executorOf('demote cold>30s', [2]).apply(0, regionsOf([...ages, { ...FIVE[3], age: 999 }]), target);
    expect(target.moved).toEqual([[2 * MIB, 3 * MIB]]);
  });

  test('obeys the apply interval', () => {
    const executor = executorOf('stat every 1s');
    const target = new FakeTarget(5 * MIB);
    for (let t = 0; t < 2_000_000; t += 100_000) executor.apply(t, regionsOf(FIVE), target);
    // Two rounds on five regions.
    expect(executor.stats(0).nrTried).toBe(10);
  });
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
        const target = new FakeTarget(rates.length * pages * 4096);
        const regions = rates.map((rate, i) => ({
          start: i * pages * 4096,
          end: (i + 1) * pages * 4096,
          rate,
        }));
        executor.apply(timeUs, regionsOf(regions), target);
        for (const [start, end] of target.moved) charges.push({ timeUs, bytes: end - start });
      }
      const quota = { szBytes: quotaPages * 4096, resetIntervalUs: windowMs * 1000 };
      checkQuota(charges, quota);
      const tried = charges.reduce((sum, charge) => sum + charge.bytes, 0);
      expect(executor.stats(0).szTried).toBe(tried);
    },
  );
});
