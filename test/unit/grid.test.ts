import { fc, test as propertyTest } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { createAccessBatch, pushSample } from '../../src/memory/access-batch.ts';
import { RandomStream } from '../../src/memory/random.ts';
import { type AddressRange, PAGE_SIZE } from '../../src/memory/range.ts';
import { GridMonitor, type GridOptions } from '../../src/monitor/grid-monitor.ts';
import { DEFAULT_ATTRS, type MonitorAttrs } from '../../src/monitor/monitor.ts';
import { rateOfShare } from '../../src/monitor/rate.ts';
import { Sweep } from '../../src/monitor/sweep.ts';
import { attrsArbitrary, monitorScriptArbitrary, runMonitorScript } from '../../src/testing/index.ts';

const GIB = 2 ** 30;
const MIB = 2 ** 20;

function grid(
  ranges: readonly AddressRange[],
  attrs: Partial<MonitorAttrs> = {},
  options: GridOptions = {},
): GridMonitor {
  const monitor = new GridMonitor({ ...DEFAULT_ATTRS, ...attrs }, new RandomStream(1, 'test'), options);
  monitor.setRanges(ranges);
  return monitor;
}

/** One interval in which every check hits (or misses) and `samples` samples fall on `address`. */
function interval(
  monitor: GridMonitor,
  hit: 0 | 1,
  address: number,
  samples: number,
  exposureS: number,
): void {
  const { count } = monitor.planChecks();
  monitor.recordPull(new Uint8Array(count).fill(hit));
  const batch = createAccessBatch(samples + 1);
  for (let i = 0; i < samples; i++) pushSample(batch, address, 0, 0);
  batch.exposureS = exposureS;
  monitor.recordPush(batch);
}

const attrsAndScript = attrsArbitrary().chain((attrs) =>
  fc.tuple(fc.constant(attrs), monitorScriptArbitrary(attrs.minRegionSz), fc.nat()),
);

describe('the grid monitor', () => {
  propertyTest.prop(
    [attrsAndScript, fc.constantFrom<GridOptions>({}, { halfLifeS: 0.05 }, { checks: 'random' })],
    {
      numRuns: 200,
    },
  )('keeps every invariant through any script', ([attrs, script, seed], options) => {
    runMonitorScript(new GridMonitor(attrs, new RandomStream(seed, 'monitor'), options), script, seed);
  });

  test('has 4 bytes per cell and 320 KiB at 1000 regions', () => {
    const monitor = grid([{ start: 0, end: 160 * GIB }]);
    expect(monitor.metadataBytes).toBe(320 * 1024);
    expect(monitor.count).toBe(81_920);
    expect(monitor.end(0) - monitor.start(0)).toBe(2 * MIB);
    expect(grid([{ start: 0, end: 160 * GIB }], { maxNrRegions: 100 }).metadataBytes).toBe(32 * 1024);
  });

  test('never makes more cells than it has, whatever the ranges', () => {
    const ranges = Array.from({ length: 500 }, (_, i) => ({
      start: i * GIB,
      end: i * GIB + (1 + (i % 97)) * 4096,
    }));
    const monitor = grid([...ranges, { start: 600 * GIB, end: 900 * GIB }], { maxNrRegions: 20 });
    expect(monitor.count).toBeLessThanOrEqual(monitor.maxRecords);
    expect(monitor.count).toBeGreaterThan(monitor.maxRecords / 2);
    expect(() =>
      grid(
        Array.from({ length: 1638 }, (_, i) => ({ start: 2 * i * 4096, end: (2 * i + 1) * 4096 })),
        { maxNrRegions: 20 },
      ),
    ).toThrow(/1638 address ranges/);
  });

  test('estimates the rate from both sources', () => {
    const monitor = grid([{ start: 0, end: 4 * 4096 }], { pullPerS: 0 });
    for (let i = 0; i < 20; i++) interval(monitor, 0, 4096, 5, 0.05);
    monitor.aggregate();
    // 100 samples of one page in an exposure of 1 s.
    expect([0, 1, 2, 3].map((i) => Math.round(monitor.rate(i)))).toEqual([0, 100, 0, 0]);
    expect(monitor.isIdle(1)).toBe(false);
    expect(monitor.isIdle(0)).toBe(true);

    const pulled = grid([{ start: 0, end: 4 * 4096 }], { pullPerS: 800 });
    for (let i = 0; i < 200; i++) interval(pulled, i % 2 === 0 ? 1 : 0, 0, 0, 0);
    pulled.aggregate();
    // Half of the checks of each page hit, but for a few: the sweep is even, not periodic.
    for (let i = 0; i < 4; i++) {
      expect(pulled.rate(i)).toBeGreaterThan(rateOfShare(0.4, 0.005));
      expect(pulled.rate(i)).toBeLessThan(rateOfShare(0.6, 0.005));
    }
  });

  test('halves a counter that is full and keeps the rate', () => {
    const monitor = grid([{ start: 0, end: 4 * 4096 }], { pullPerS: 800 });
    for (let i = 0; i < 2000; i++) interval(monitor, i % 2 === 0 ? 1 : 0, 0, 70, 0.7);
    monitor.aggregate();
    // 140,000 samples do not fit in 16 bits, 2,000 trials not in 8.
    expect(monitor.rate(0) / 100).toBeCloseTo(1, 1);
    expect(monitor.rate(1)).toBeLessThan(5);
  });

  test('forgets with a half-life, and never without one', () => {
    const change = (options: GridOptions): number => {
      const monitor = grid([{ start: 0, end: 4 * 4096 }], { pullPerS: 0 }, options);
      for (let round = 0; round < 80; round++) {
        for (let i = 0; i < 20; i++) interval(monitor, 0, 0, round < 40 ? 10 : 0, 0.1);
        monitor.aggregate();
        monitor.resetAndSplit();
      }
      monitor.aggregate();
      return monitor.rate(0);
    };
    expect(change({})).toBeCloseTo(50, 6);
    expect(change({ halfLifeS: 0.5 })).toBeLessThan(3);
  });

  test('keeps evidence when ranges and attributes change', () => {
    const monitor = grid([{ start: 0, end: 8 * 4096 }], { pullPerS: 1600 });
    for (let i = 0; i < 200; i++) interval(monitor, i % 2 === 0 ? 1 : 0, 2 * 4096, 2, 0.02);
    monitor.aggregate();
    const before = monitor.rate(2);
    monitor.setRanges([{ start: 2 * 4096, end: 4 * 4096 }]);
    monitor.aggregate();
    expect(monitor.count).toBe(2);
    expect(monitor.rate(0)).toBe(before);
    monitor.setAttrs({ ...monitor.attrs, sampleUs: 10_000 }, false);
    monitor.aggregate();
    expect(monitor.rate(0) / before).toBeCloseTo(1, 1);
    expect(() => monitor.setAttrs({ ...monitor.attrs, minNrRegions: 1 }, false)).toThrow(/minimum/);
  });

  test('counts samples outside', () => {
    const monitor = grid([{ start: 4096, end: 8192 }]);
    interval(monitor, 0, 8192, 3, 1);
    expect(monitor.samplesOutside).toBe(3);
  });
});

describe('a sweep', () => {
  const ranges = [
    { start: 0, end: 64 * GIB },
    { start: 100 * GIB, end: 196 * GIB },
  ];

  /** Visits of each of 640 equal parts of the ranges after `calls` calls of 75 checks. */
  function visits(calls: number, method: 'fill' | 'fillAtRandom'): Uint32Array {
    const sweep = new Sweep(new RandomStream(1, 'sweep'));
    sweep.setRanges(ranges);
    const addresses = new Float64Array(75);
    const counts = new Uint32Array(640);
    for (let call = 0; call < calls; call++) {
      sweep[method](addresses, 75);
      for (let i = 0; i < 75; i++) {
        expect(addresses[i] % PAGE_SIZE).toBe(0);
        if (i > 0) expect(addresses[i]).toBeGreaterThanOrEqual(addresses[i - 1]);
        const offset = addresses[i] < 64 * GIB ? addresses[i] : addresses[i] - 36 * GIB;
        expect(offset).toBeLessThan(160 * GIB);
        counts[Math.floor(offset / (GIB / 4))]++;
      }
    }
    return counts;
  }

  test('visits every part of memory equally often, which chance does not', () => {
    const mean = (75 * 200) / 640;
    const swept = visits(200, 'fill');
    expect(Math.min(...swept)).toBeGreaterThan(mean - 5);
    expect(Math.max(...swept)).toBeLessThan(mean + 5);
    const random = visits(200, 'fillAtRandom');
    expect(Math.max(...random) - Math.min(...random)).toBeGreaterThan(20);
  });

  test('takes each page of a small range, and no other', () => {
    const sweep = new Sweep(new RandomStream(1, 'sweep'));
    sweep.setRanges([{ start: 8 * 4096, end: 16 * 4096 }]);
    const addresses = new Float64Array(3);
    const seen = new Set<number>();
    for (let call = 0; call < 100; call++) {
      sweep.fill(addresses, 3);
      for (const address of addresses) seen.add(address / 4096);
    }
    expect([...seen].sort((a, b) => a - b)).toEqual([8, 9, 10, 11, 12, 13, 14, 15]);
  });
});
