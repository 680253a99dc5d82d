/** The DAMON monitor as a whole: its invariants, its attributes and what it reports between aggregations. */
import { fc } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { ThermoError } from '../../src/memory/error.ts';
import { RandomStream } from '../../src/memory/random.ts';
import { createMonitor, MONITOR_NAMES } from '../../src/monitor/create-monitor.ts';
import { DamonMonitor } from '../../src/monitor/damon/damon-monitor.ts';
import { DEFAULT_ATTRS } from '../../src/monitor/monitor.ts';
import { attrsArbitrary, monitorScriptArbitrary, runMonitorScript } from '../../src/testing/index.ts';

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

describe('the DAMON monitor', () => {
  const attrsAndScript = attrsArbitrary().chain((attrs) =>
    fc.tuple(fc.constant(attrs), monitorScriptArbitrary(attrs.minRegionSz, 2), fc.nat()),
  );
  test.each(MONITOR_NAMES.filter((name) => name.startsWith('damon')))('%s keeps every invariant', (name) => {
    fc.assert(
      fc.property(attrsAndScript, ([attrs, script, seed]) => {
        runMonitorScript(createMonitor(name, attrs, new RandomStream(seed, 'm')), script, seed);
      }),
      { numRuns: 100 },
    );
  });
});

describe('moving sum (reference section 1.7)', () => {
  /** Counts 10 of 20 in a first aggregation, then hits in each of `samples` samples. */
  const partway = (version: '7.3' | '7.2' | '6.12', samples: number): DamonMonitor => {
    const monitor = new DamonMonitor({ ...DEFAULT_ATTRS, minNrRegions: 3 }, new RandomStream(1, 'm'), {
      version,
    });
    monitor.setRanges([{ start: 0, end: 3 * 4096 }]);
    const sample = (hit: number) => monitor.recordPull(new Uint8Array(monitor.planChecks().count).fill(hit));
    for (let i = 0; i < 20; i++) sample(i % 2);
    monitor.aggregate();
    monitor.resetAndSplit();
    for (let i = 0; i < samples; i++) sample(1);
    return monitor;
  };
  test.each(['7.3', '7.2', '6.12'] as const)('%s reports the last whole interval at any time', (version) => {
    expect(partway(version, 0).nrAccesses(0)).toBe(10);
    expect(partway(version, 4).nrAccesses(0)).toBe(4 + 8);
    expect(partway(version, 10).nrAccesses(0)).toBe(10 + 5);
    expect(partway(version, 20).nrAccesses(0)).toBe(20);
  });
});

test('6.12 samples only the first (size mod 4 GiB) bytes of a region, later kernels all of it', () => {
  const highest = (version: '7.3' | '6.12'): number => {
    const monitor = new DamonMonitor(DEFAULT_ATTRS, new RandomStream(1, 'm'), { version });
    monitor.setRanges(
      Array.from({ length: 10 }, (_, i) => ({ start: i * 2 ** 34, end: i * 2 ** 34 + 2 ** 32 + 8192 })),
    );
    let most = 0;
    for (let i = 0; i < 50; i++) {
      const { count, addresses } = monitor.planChecks();
      for (let c = 0; c < count; c++) most = Math.max(most, addresses[c] % 2 ** 34);
    }
    return most;
  };
  expect(highest('6.12')).toBe(4096);
  expect(highest('7.3')).toBeGreaterThan(2 ** 30);
});

describe('changing attributes (reference section 1.8)', () => {
  const GIB = 2 ** 30;
  /** A monitor with counts of 10 of 20 in all regions, at the end of an aggregation. */
  const counted = (): DamonMonitor => {
    const monitor = new DamonMonitor(DEFAULT_ATTRS, new RandomStream(1, 'm'));
    monitor.setRanges([{ start: 0, end: GIB }]);
    for (let aggregation = 0; aggregation < 5; aggregation++) {
      if (aggregation > 0) monitor.resetAndSplit();
      for (let i = 0; i < 20; i++) monitor.recordPull(new Uint8Array(monitor.planChecks().count).fill(i % 2));
      monitor.aggregate();
    }
    return monitor;
  };
  const doubled = { ...DEFAULT_ATTRS, aggrUs: 200_000 };

  test('age keeps its time and the count its share of the samples', () => {
    const monitor = counted();
    const age = monitor.age(0);
    expect([monitor.nrAccesses(0), age]).toEqual([10, 4]);
    monitor.setAttrs(doubled, false);
    expect([monitor.nrAccesses(0), monitor.age(0)]).toEqual([20, 2]);
    monitor.resetAndSplit();
    expect(monitor.nrAccesses(0)).toBe(20);
  });

  test('in the middle of an aggregation the incomplete count is dropped and the window starts again', () => {
    const monitor = counted();
    monitor.resetAndSplit();
    for (let i = 0; i < 5; i++) monitor.recordPull(new Uint8Array(monitor.planChecks().count).fill(1));
    expect(monitor.nrAccesses(0)).toBe(5 + 7);
    monitor.setAttrs(doubled, true);
    expect(monitor.nrAccesses(0)).toBe(20);
  });

  test.each([
    { minNrRegions: 1 },
    { maxNrRegions: 9 },
    { aggrUs: 4999 },
    { minRegionSz: 8192 },
    { intervalsGoal: { accessBp: 400, aggrs: 3, minSampleUs: 6000, maxSampleUs: 10_000 } },
    { intervalsGoal: { accessBp: 400, aggrs: 3, minSampleUs: 1000, maxSampleUs: 4000 } },
    { intervalsGoal: { accessBp: 400, aggrs: 3, minSampleUs: 6000, maxSampleUs: 4000 } },
    { intervalsGoal: { accessBp: 0, aggrs: 3, minSampleUs: 5000, maxSampleUs: 5000 } },
  ])('%j is refused and changes nothing', (change) => {
    const monitor = counted();
    expect(() => monitor.setAttrs({ ...doubled, ...change }, false)).toThrow(ThermoError);
    expect(monitor.attrs).toBe(DEFAULT_ATTRS);
    expect([monitor.nrAccesses(0), monitor.age(0)]).toEqual([10, 4]);
  });

  test('a goal that the sampling interval meets at its edge is accepted; one of 0 aggregations is off', () => {
    const monitor = counted();
    const goal = { accessBp: 400, aggrs: 3, minSampleUs: 5000, maxSampleUs: 5000 };
    monitor.setAttrs({ ...DEFAULT_ATTRS, intervalsGoal: goal }, false);
    monitor.setAttrs({ ...DEFAULT_ATTRS, intervalsGoal: { ...goal, aggrs: 0, minSampleUs: 9 } }, false);
  });

  test('nothing happens to the results when no attribute of the kernel changes', () => {
    // 2 of 3 samples would come back as 1 from rescaling to 3.
    const attrs = { ...DEFAULT_ATTRS, aggrUs: 15_000 };
    const monitor = new DamonMonitor(attrs, new RandomStream(1, 'm'));
    monitor.setRanges([{ start: 0, end: GIB }]);
    for (let i = 0; i < 3; i++)
      monitor.recordPull(new Uint8Array(monitor.planChecks().count).fill(i % 3 === 0 ? 0 : 1));
    monitor.aggregate();
    monitor.setAttrs({ ...attrs, pullPerS: 1 }, false);
    expect(monitor.nrAccesses(0)).toBe(2);
    monitor.setAttrs({ ...attrs, maxNrRegions: 500 }, false);
    expect(monitor.nrAccesses(0)).toBe(1);
  });

  test('a new maximum of 7 holds within 0.3 s, from 14 areas that differ (selftest damon_nr_regions)', () => {
    const monitor = new DamonMonitor({ ...DEFAULT_ATTRS, minNrRegions: 3 }, new RandomStream(1, 'm'));
    const MIB10 = 10 * 2 ** 20;
    monitor.setRanges([{ start: 0, end: 14 * MIB10 }]);
    const aggregation = () => {
      for (let i = 0; i < 20; i++) {
        const { count, addresses } = monitor.planChecks();
        monitor.recordPull(Uint8Array.from(addresses.subarray(0, count), (a) => Math.floor(a / MIB10) % 2));
      }
      monitor.aggregate();
    };
    for (let i = 0; i < 50; i++) {
      aggregation();
      monitor.resetAndSplit();
    }
    aggregation();
    expect(monitor.count).toBeGreaterThanOrEqual(14);
    monitor.setAttrs({ ...DEFAULT_ATTRS, minNrRegions: 3, maxNrRegions: 7 }, false);
    for (let i = 0; i < 3; i++) {
      monitor.resetAndSplit();
      aggregation();
    }
    expect(monitor.count).toBeLessThanOrEqual(7);
    expect(monitor.count).toBeGreaterThanOrEqual(3);
  });
});
