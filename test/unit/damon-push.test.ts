/**
 * The two push prototypes: the drain tests of the August branch (reference section 6.7, as far as a
 * monitor is concerned: processes and rings belong to a machine) and the defects that were measured
 * (damon-peer-measurements section 5.3).
 */
import { describe, expect, test } from 'vitest';
import { createAccessBatch, pushSample } from '../../src/memory/access-batch.ts';
import { RandomStream } from '../../src/memory/random.ts';
import type { AddressRange } from '../../src/memory/range.ts';
import { DamonMonitor, type PushCredit } from '../../src/monitor/damon/damon-monitor.ts';
import { DEFAULT_ATTRS, type Monitor } from '../../src/monitor/monitor.ts';

const monitorOf = (
  pushCredit: PushCredit,
  ranges: readonly AddressRange[],
  minNrRegions = 3,
): DamonMonitor => {
  const monitor = new DamonMonitor({ ...DEFAULT_ATTRS, minNrRegions }, new RandomStream(1, 'm'), {
    pushCredit,
  });
  monitor.setRanges(ranges);
  return monitor;
};

/** One sampling interval with reports at these addresses. */
function report(monitor: Monitor, addresses: readonly number[]): void {
  monitor.recordPull(new Uint8Array(monitor.planChecks().count));
  const batch = createAccessBatch(addresses.length + 1);
  for (const address of addresses) pushSample(batch, address, 0, 0);
  monitor.recordPush(batch);
}

/** nr_accesses by region at the end of the aggregation interval. */
function counts(monitor: Monitor): number[] {
  monitor.aggregate();
  return Array.from({ length: monitor.regions.count }, (_, i) => monitor.regions.nrAccesses(i));
}

describe.each(['one-per-interval', 'every-sample'] as const)('reports (%s)', (credit) => {
  test('a report inside a region is one hit: [0x1000,0x3000) and 0x1500, [0x10000,0x20000) and 0x15000', () => {
    for (const [start, end, at] of [
      [0x1000, 0x3000, 0x1500],
      [0x10000, 0x20000, 0x15000],
    ]) {
      const monitor = monitorOf(credit, [{ start, end }]);
      report(monitor, [at]);
      expect(counts(monitor).reduce((sum, count) => sum + count)).toBe(1);
      expect(monitor.samplesOutside).toBe(0);
    }
  });

  test('a report outside every region, at its end or in a gap hits none and is counted', () => {
    const monitor = monitorOf(credit, [
      { start: 0x1000, end: 0x3000 },
      { start: 0x5000, end: 0x9000 },
    ]);
    report(monitor, [0x0, 0x3000, 0x4fff, 0x9000]);
    expect(counts(monitor).every((count) => count === 0)).toBe(true);
    expect(monitor.samplesOutside).toBe(4);
  });

  test('two monitors with one report each have 1 and 1', () => {
    const monitors = [0x0, 0x100000].map((start) => monitorOf(credit, [{ start, end: start + 0x9000 }]));
    report(monitors[0], [0x1000]);
    report(monitors[1], [0x101000]);
    for (const monitor of monitors) {
      expect(counts(monitor).reduce((sum, count) => sum + count)).toBe(1);
      expect(monitor.samplesOutside).toBe(0);
    }
  });

  test('page-table checks are off', () => {
    expect(monitorOf(credit, [{ start: 0, end: 2 ** 30 }]).planChecks().count).toBe(0);
  });
});

test('kernels without push ignore reports', () => {
  const monitor = monitorOf('none', [{ start: 0, end: 0x9000 }]);
  report(monitor, [0x1000, 0x2000]);
  expect(counts(monitor).every((count) => count === 0)).toBe(true);
});

test('damon@push-rfc: at most one hit per region and sampling interval, so a busy region saturates at 20', () => {
  const monitor = monitorOf('one-per-interval', [{ start: 0, end: 3 * 2 ** 30 }]);
  for (let sample = 0; sample < 20; sample++) report(monitor, [0x1000, 0x1000, 0x2000, 2 ** 30]);
  expect(counts(monitor)).toEqual([20, 20, 0]);
});

test('damon@push-aug: every report counts, beyond the 20 samples of an aggregation', () => {
  const monitor = monitorOf('every-sample', [{ start: 0, end: 3 * 2 ** 30 }]);
  for (let sample = 0; sample < 20; sample++) report(monitor, Array(10).fill(0x1000));
  expect(counts(monitor)).toEqual([200, 0, 0]);
  expect(monitor.probeHits(0, 0)).toBe(200);
});

test('damon@push-aug: 256 reports wrap the 8-bit probe counter, and the hot region merges as if idle', () => {
  const hottest = (reports: number): number => {
    // Ten regions of 1 GiB under a size limit that lets two neighbours merge once four are enough.
    const monitor = monitorOf('every-sample', [{ start: 0, end: 10 * 2 ** 30 }], 10);
    monitor.setAttrs({ ...DEFAULT_ATTRS, minNrRegions: 4 }, false);
    report(monitor, []);
    counts(monitor);
    monitor.resetAndSplit();
    report(monitor, Array(reports).fill(5 * 2 ** 30 + 0x1000));
    return Math.max(...counts(monitor));
  };
  expect(hottest(255)).toBe(255);
  expect(hottest(256)).toBeLessThan(256);
});
