/** DAMON's data-attribute probes against the kernel's limits (KUnit; reference sections 1.11 and 6.3). */
import { describe, expect, test } from 'vitest';
import { ThermoError } from '../../src/memory/error.ts';
import { RandomStream } from '../../src/memory/random.ts';
import { DamonMonitor } from '../../src/monitor/damon/damon-monitor.ts';
import { UINT_MAX } from '../../src/monitor/damon/formulas.ts';
import { addHit, hitsOf, mapHits, validateWeights, weightedHits } from '../../src/monitor/damon/probe.ts';
import { DEFAULT_ATTRS } from '../../src/monitor/monitor.ts';

const AT_255 = Math.floor(UINT_MAX / 255);

test.each([
  [[0, 0, 0, 0], 1000, true],
  [[100], 255, true],
  [[100], 256, false],
  [[AT_255], 255, true],
  [[AT_255 + 1], 255, false],
  [[UINT_MAX], 1, true],
  [[UINT_MAX, 1], 1, false],
  [[0, 0, 0, 0, 0], 20, false],
])('weights %j with %d samples per aggregation: accepted %s', (weights, samples, isAccepted) => {
  const check = () => validateWeights(weights, samples);
  if (isAccepted) check();
  else expect(check).toThrow(ThermoError);
});

test('four counters of 8 bits wrap each by itself', () => {
  let counters = 0;
  for (let i = 0; i < 256; i++) counters = addHit(counters, 3);
  expect(counters).toBe(0);
  for (let i = 0; i < 255; i++) counters = addHit(counters, 2);
  counters = addHit(addHit(counters, 3), 0);
  expect([0, 1, 2, 3].map((probe) => hitsOf(counters, probe))).toEqual([1, 0, 255, 1]);
  expect(weightedHits(counters, [1000, 1, 2])).toBe(1510);
  expect(
    hitsOf(
      mapHits(counters, (hits) => hits * 2),
      2,
    ),
  ).toBe(510 & 255);
});

const MIB = 2 ** 20;
const isUpper = (address: number): boolean => address >= 32 * MIB;

/** Runs whole aggregations in which every check hits; returns the monitor as at the end of the last. */
function run(monitor: DamonMonitor, aggregations: number): DamonMonitor {
  monitor.setRanges([{ start: 0, end: 64 * MIB }]);
  for (let aggregation = 0; aggregation < aggregations; aggregation++) {
    if (aggregation > 0) monitor.resetAndSplit();
    for (let sample = 0; sample < 20; sample++) {
      const { count } = monitor.planChecks();
      monitor.recordPull(new Uint8Array(count).fill(1));
    }
    monitor.aggregate();
  }
  return monitor;
}

const attrs = { ...DEFAULT_ATTRS, minNrRegions: 3 };

describe('a probe of weight 0', () => {
  test('is counted beside access checks: "so much of this region is ..."', () => {
    const probes = [{ weight: 0, passes: isUpper }];
    const monitor = run(new DamonMonitor(attrs, new RandomStream(1, 'm'), { probes }), 1);
    expect(monitor.probeHits(0, 0)).toBe(0);
    expect(monitor.probeHits(monitor.count - 1, 0)).toBe(20);
    expect(monitor.nrAccesses(0)).toBe(20);
  });

  test('lets any number of samples be', () => {
    const probes = [{ weight: 0, passes: isUpper }];
    expect(
      () => new DamonMonitor({ ...attrs, aggrUs: 5e6 }, new RandomStream(1, 'm'), { probes }),
    ).not.toThrow();
  });
});

describe('a probe with a weight (attributes-only mode)', () => {
  const probes = [{ weight: 1, passes: isUpper }];
  test('switches access checks off, and regions find the attribute', () => {
    const monitor = run(new DamonMonitor(attrs, new RandomStream(1, 'm'), { probes }), 100);
    expect(monitor.planChecks().count).toBe(0);
    let [right, total] = [0, 0];
    for (let i = 0; i < monitor.count; i++) {
      expect(monitor.nrAccesses(i)).toBe(0);
      const [start, end] = [monitor.start(i), monitor.end(i)];
      const inUpper = Math.max(0, end - Math.max(start, 32 * MIB));
      total += end - start;
      right += monitor.probeHits(i, 0) >= 10 ? inUpper : end - start - inUpper;
    }
    expect(right / total).toBeGreaterThan(0.95);
    expect(monitor.age(0)).toBeGreaterThan(5);
  });

  test('needs 7.3; probes at all need 7.2; and more than 255 samples are refused without a trace', () => {
    const make = (version: '7.3' | '7.2' | '6.12', weight: number) => () =>
      new DamonMonitor(attrs, new RandomStream(1, 'm'), { version, probes: [{ weight, passes: isUpper }] });
    expect(make('7.3', 1)).not.toThrow();
    expect(make('7.2', 1)).toThrow(ThermoError);
    expect(make('7.2', 0)).not.toThrow();
    expect(make('6.12', 0)).toThrow(ThermoError);
    const monitor = run(make('7.3', 1)(), 1);
    expect(() => monitor.setAttrs({ ...attrs, aggrUs: 256 * 5000 }, false)).toThrow(ThermoError);
    expect(monitor.attrs).toBe(attrs);
    expect(monitor.probeHits(monitor.count - 1, 0)).toBe(20);
  });
});
