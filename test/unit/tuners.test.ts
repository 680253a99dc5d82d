/** The tuner `settle` on plants of every kind, and all three on the experiment that DAMON was blamed for. */
import { fc, test as propTest } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { Engine } from '../../src/engine/engine.ts';
import { createPreset } from '../../src/machines/simulated/presets/index.ts';
import { RandomStream } from '../../src/memory/random.ts';
import { EvidenceMonitor } from '../../src/monitor/evidence-monitor.ts';
import { DEFAULT_ATTRS } from '../../src/monitor/monitor.ts';
import { loadSchemes } from '../../src/schemes/load.ts';
import { resolveSchemes } from '../../src/schemes/resolve.ts';
import { createTuner, type GoalReading } from '../../src/schemes/tuners.ts';
import type { GoalTuner } from '../../src/schemes/vocabulary.ts';

const GIB = 2 ** 30;
const BP = 10_000;

interface Plant {
  readonly nodeBytes: number;
  readonly windowS: number;
  /** Share of the node that migration can move per second. */
  readonly speed: number;
  /** Share of the node that others take per window, and by how much that varies. */
  readonly drift: number;
  readonly noise: number;
  readonly start: number;
  readonly target: number;
  readonly isKnown: boolean;
  readonly seed: number;
}

/** Free share of a node, window by window, while a scheme frees it and others take some of it again. */
function freeShares(plant: Plant, windows: number, tunerName: GoalTuner = 'settle'): number[] {
  const { nodeBytes, windowS, speed, drift, noise, start, target, isKnown, seed } = plant;
  const random = new RandomStream(seed, 'plant');
  const tuner = createTuner(tunerName);
  let [free, pendingBytes, appliedBytes] = [start * nodeBytes, 0, 0];
  return Array.from({ length: windows }, () => {
    const matchedBytes = Math.max(0, nodeBytes - free - pendingBytes);
    const asked = tuner.nextBytes({
      goals: [
        {
          target: target * BP,
          current: (free * BP) / nodeBytes,
          sign: 1,
          kind: 'state',
          perByte: isKnown ? BP / nodeBytes : Number.NaN,
        },
      ],
      appliedBytes,
      pendingBytes,
      capBytes: Number.POSITIVE_INFINITY,
      matchedBytes,
    });
    pendingBytes += Math.min(asked, matchedBytes);
    appliedBytes = Math.min(pendingBytes, speed * nodeBytes * windowS);
    pendingBytes -= appliedBytes;
    const taken = (drift + noise * (random.unit() - 0.5)) * nodeBytes;
    free = Math.min(nodeBytes, Math.max(0, free + appliedBytes - taken));
    return free / nodeBytes;
  });
}

const plants: fc.Arbitrary<Plant> = fc
  .record({
    nodeGib: fc.double({ min: 1, max: 500, noNaN: true }),
    windowS: fc.double({ min: 1, max: 60, noNaN: true }),
    speed: fc.double({ min: 0.002, max: 0.1, noNaN: true }),
    /** Of what migration can do, at most 1 % of the node. */
    driftShare: fc.double({ min: 0, max: 0.7, noNaN: true }),
    noise: fc.double({ min: 0, max: 0.001, noNaN: true }),
    start: fc.double({ min: 0, max: 0.4, noNaN: true }),
    target: fc.double({ min: 0.1, max: 0.9, noNaN: true }),
    isKnown: fc.boolean(),
    seed: fc.nat(),
  })
  .map(({ nodeGib, driftShare, ...rest }) => {
    const { windowS, speed } = rest;
    return { ...rest, nodeBytes: nodeGib * GIB, drift: Math.min(0.01, driftShare * speed * windowS) };
  });

describe('settle', () => {
  propTest.prop([plants], { numRuns: 3000 })(
    'reaches the goal as fast as migration allows, overshoots by less than 3 points, and stays within 2',
    (plant) => {
      const { start, target, windowS, speed, drift, noise, isKnown } = plant;
      // At full speed, what others do deducted, and a few windows to learn.
      const ideal = Math.max(0, target - start) / (speed * windowS - drift);
      const windows = Math.ceil(ideal) + 90;
      const shares = freeShares(plant, windows);
      // It only frees: what is free already is taken by others, or stays.
      const from = Math.max(target, start);
      expect(Math.max(...shares)).toBeLessThan(from + 0.03 + noise);
      const isBelow = start < target || drift > 0.004;
      if (!isBelow) return;
      const late = shares.slice(-30);
      if (start < target) {
        const reached = shares.findIndex((share) => share > target - 0.02);
        expect(reached).toBeGreaterThanOrEqual(0);
        expect(reached).toBeLessThan(1.02 * ideal + (isKnown ? 6 : 12));
        for (const share of late) expect(Math.abs(share - target)).toBeLessThan(0.02 + 2 * noise);
      } else for (const share of late) expect(share).toBeGreaterThan(target - 0.02);
      // No limit cycle: what is left of the swing is the noise of others, and of what was learnt in it.
      expect(Math.max(...late) - Math.min(...late)).toBeLessThan(
        isKnown ? 0.004 + 4 * noise : 0.01 + 8 * noise,
      );
    },
  );

  test('asks for nothing where the goal is met, known or not', () => {
    for (const isKnown of [true, false]) {
      const plant = {
        nodeBytes: GIB,
        windowS: 1,
        speed: 1,
        drift: 0,
        noise: 0,
        start: 0.6,
        target: 0.5,
        isKnown,
        seed: 1,
      };
      expect(freeShares(plant, 20)).toEqual(Array.from({ length: 20 }, () => 0.6));
    }
  });

  test('comes back when others take a tenth of the node at once', () => {
    for (const isKnown of [true, false]) {
      const tuner = createTuner('settle');
      let [free, appliedBytes] = [0.2, 0];
      const shares: number[] = [];
      for (let window = 0; window < 60; window++) {
        if (window === 30) free -= 0.1;
        const reading: GoalReading = {
          target: 5000,
          current: free * BP,
          sign: 1,
          kind: 'state',
          perByte: isKnown ? BP / GIB : Number.NaN,
        };
        appliedBytes = Math.min(
          0.05 * GIB,
          tuner.nextBytes({
            goals: [reading],
            appliedBytes,
            pendingBytes: 0,
            capBytes: Infinity,
            matchedBytes: (1 - free) * GIB,
          }),
        );
        free += appliedBytes / GIB;
        shares.push(free);
      }
      expect(Math.max(...shares)).toBeLessThan(0.53);
      for (const share of shares.slice(45)) expect(Math.abs(share - 0.5)).toBeLessThan(0.02);
    }
  });

  const flows = fc.record({
    matchedGib: fc.double({ min: 1, max: 500, noNaN: true }),
    /** Bytes per window at which the metric is what is asked for, as a share of what matches: by powers of 10. */
    wantedLog: fc.double({ min: -5, max: -1, noNaN: true }),
    /** Part of the metric that the scheme does not cause, as a share of the target. */
    base: fc.double({ min: 0, max: 0.8, noNaN: true }),
    noise: fc.double({ min: 0, max: 0.02, noNaN: true }),
    /** Share of what is on the way that takes effect in a window. */
    promptness: fc.double({ min: 0.3, max: 1, noNaN: true }),
    seed: fc.nat(),
  });
  propTest.prop([flows], { numRuns: 300 })(
    'finds the bytes per window at which a flow is as asked, however few, and keeps to them',
    ({ matchedGib, wantedLog, base, noise, promptness, seed }) => {
      const random = new RandomStream(seed, 'flow');
      const tuner = createTuner('settle');
      const matchedBytes = matchedGib * GIB;
      const wanted = matchedBytes * 10 ** wantedLog;
      const target = 1000;
      let [appliedBytes, pendingBytes, current] = [0, 0, Number.NaN];
      const readings: number[] = [];
      for (let window = 0; window < 120; window++) {
        const reading: GoalReading = { target, current, sign: 1, kind: 'flow', perByte: Number.NaN };
        pendingBytes += tuner.nextBytes({
          goals: [reading],
          appliedBytes,
          pendingBytes,
          capBytes: Infinity,
          matchedBytes,
        });
        appliedBytes = promptness * pendingBytes;
        pendingBytes -= appliedBytes;
        current = target * (base + (1 - base) * (appliedBytes / wanted) + noise * (random.unit() - 0.5));
        readings.push(current);
      }
      for (const value of readings.slice(-20))
        expect(Math.abs(value / target - 1)).toBeLessThan(0.02 + 2 * noise);
    },
  );

  test('of a rate that it knows asks for the rate, from the first window on', () => {
    const tuner = createTuner('settle');
    const goal: GoalReading = { target: 1e6, current: Number.NaN, sign: 1, kind: 'flow', perByte: 1 / 20 };
    const input = { appliedBytes: 0, pendingBytes: 0, capBytes: Infinity, matchedBytes: 64 * GIB };
    expect(tuner.nextBytes({ goals: [goal], ...input })).toBe(20e6);
    expect(tuner.nextBytes({ goals: [{ ...goal, current: 9e6 }], ...input })).toBe(20e6);
  });

  test('of several goals takes the one that asks for the fewest bytes, and never more than the cap', () => {
    const state = (current: number, target: number): GoalReading => ({
      current,
      target,
      sign: 1,
      kind: 'state',
      perByte: BP / GIB,
    });
    const ask = (goals: GoalReading[], capBytes = Number.POSITIVE_INFINITY): number =>
      createTuner('settle').nextBytes({
        goals,
        appliedBytes: 0,
        pendingBytes: 0,
        capBytes,
        matchedBytes: GIB,
      });
    expect(ask([state(1000, 5000)]) / GIB).toBeCloseTo(0.32, 6);
    expect(ask([state(1000, 5000), state(4000, 5000)]) / GIB).toBeCloseTo(0.08, 6);
    expect(ask([state(1000, 5000), state(6000, 5000)])).toBe(0);
    expect(ask([state(1000, 5000)], 1000)).toBe(1000);
  });

  test('counts what is on the way as done', () => {
    const goal: GoalReading = { current: 1000, target: 5000, sign: 1, kind: 'state', perByte: BP / GIB };
    const input = { goals: [goal], appliedBytes: 0, capBytes: Infinity, matchedBytes: GIB };
    expect(createTuner('settle').nextBytes({ ...input, pendingBytes: 0.4 * GIB })).toBe(0);
    expect(createTuner('settle').nextBytes({ ...input, pendingBytes: 0.3 * GIB }) / GIB).toBeCloseTo(0.08, 6);
  });
});

describe('the experiment in which DAMON took 15 minutes to its first demotion and overshot', () => {
  /** Free share of DRAM, in points, at the end of each second. */
  async function runColdDram(
    tuner: GoalTuner,
    seconds: number,
  ): Promise<{ free: number[]; demoted: number[] }> {
    const machine = createPreset('cold-dram', { seed: 1, push: { kind: 'off' } });
    const attrs = { ...DEFAULT_ATTRS, sampleUs: 50_000, aggrUs: 1e6, maxNrRegions: 200, pullPerS: 2000 };
    // No size quota, as in the report: only the goal limits.
    const text = `
version: 1
schemes:
  - action: migrate_cold
    from: DRAM
    target: CXL
    access_pattern: {nr_accesses: {max: 0 samples}, age: {min: '> 10s'}}
    quotas:
      reset_interval_ms: 20s
      goal_tuner: ${tuner}
      goals: [{metric: node_mem_free_bp, target: DRAM, target_value: 50 %}]
`;
    const { schemes } = loadSchemes(text, 't', attrs);
    const free: number[] = [];
    const demoted: number[] = [];
    const engine = new Engine({
      machine,
      monitor: new EvidenceMonitor(attrs, new RandomStream(1, 'monitor')),
      schemes: resolveSchemes(schemes, machine),
      onPublished: () => {
        const { freeBytes, totalBytes } = machine.gauge(0);
        free.push((100 * freeBytes) / totalBytes);
        demoted.push(machine.moves.demotedBytes);
      },
      shouldStop: () => free.length >= seconds,
    });
    await engine.run();
    return { free, demoted };
  }

  test('settle demotes in the first window in which anything is idle for long enough, and stays at 50 %', async () => {
    const { free, demoted } = await runColdDram('settle', 300);
    // Idle for more than 10 s after the eleventh second; the first window with work begins by the 21st.
    expect(demoted.findIndex((bytes) => bytes > 0)).toBeLessThanOrEqual(21);
    expect(Math.abs(free[119] - 50)).toBeLessThan(2);
    expect(Math.max(...free)).toBeLessThan(53);
    for (const share of free.slice(120)) expect(Math.abs(share - 50)).toBeLessThan(2);
  });

  test('consist has moved next to nothing after four minutes', async () => {
    const { demoted } = await runColdDram('consist', 240);
    expect(demoted[239]).toBeLessThan(2 ** 20);
  });

  test('temporal overshoots beyond 80 % free', async () => {
    const { free } = await runColdDram('temporal', 240);
    expect(free[239]).toBeGreaterThan(80);
  });
});
