/** The engine with interval auto-tuning: DAMON's order and deadlines, and schemes that keep their meaning. */
import { describe, expect, test } from 'vitest';

import { Engine } from '../../src/engine/engine.ts';
import type { EngineState } from '../../src/engine/state.ts';
import { runSchemes } from '../../src/lab/run.ts';
import { createPreset } from '../../src/machines/simulated/presets/index.ts';
import { RandomStream } from '../../src/memory/random.ts';
import { createMonitor, type MonitorName } from '../../src/monitor/create-monitor.ts';
import { DEFAULT_INTERVALS_GOAL } from '../../src/monitor/interval-tuner.ts';
import {
  DEFAULT_ATTRS,
  type IntervalsGoal,
  type Monitor,
  type MonitorAttrs,
  NO_REGIONS,
} from '../../src/monitor/monitor.ts';
import { loadSchemes } from '../../src/schemes/load.ts';
import { resolveSchemes } from '../../src/schemes/resolve.ts';
import { executorOf, FakeHost, regionsOf } from './scheme-fakes.ts';

const GIB = 2 ** 30;

interface Run {
  readonly states: EngineState[];
  readonly monitor: Monitor;
}

async function runSeed(options: {
  monitor: MonitorName;
  goal?: IntervalsGoal;
  sentence?: string;
  sizeGib?: number;
}): Promise<Run> {
  const machine = createPreset('seed-test-2', { seed: 1, sizeBytes: (options.sizeGib ?? 24) * GIB });
  const attrs = { ...DEFAULT_ATTRS, intervalsGoal: options.goal ?? DEFAULT_INTERVALS_GOAL };
  const monitor = createMonitor(options.monitor, attrs, new RandomStream(1, 'monitor'));
  const { schemes } = loadSchemes(
    `version: 1\nschemes: ['${options.sentence ?? 'stat hot>5'}']`,
    't',
    DEFAULT_ATTRS,
  );
  const states: EngineState[] = [];
  await new Engine({
    machine,
    monitor,
    schemes: resolveSchemes(schemes, machine),
    onPublished: ({ state }) => states.push(state),
  }).run();
  return { states, monitor };
}

describe('intervals tuned on the seed machine', () => {
  test.each(['damon', 'evidence'] as const)('stretch while 1 of 24 GiB is hot (%s)', async (monitor) => {
    const { states } = await runSeed({ monitor });
    const intervals = states.map(({ attrs }) => attrs.sampleUs);
    expect(intervals.slice(0, 3)).toEqual([5000, 5000, 5000]);
    expect(Math.max(...intervals)).toBeGreaterThan(12_000);
    states.forEach(({ attrs }, i) => {
      // The ratio never changes, and a change comes only after each third aggregation.
      expect(attrs.aggrUs).toBe(20 * attrs.sampleUs);
      if (i % 3 !== 0) expect(attrs.sampleUs).toBe(intervals[i - 1]);
    });
    // What is published names the intervals under which it was measured; the last one is cut short.
    for (let i = 1; i < states.length - 1; i++)
      expect(states[i].timeUs - states[i - 1].timeUs).toBeCloseTo(states[i].attrs.aggrUs, 3);
  });

  test('stay at the smallest while 1 of 6 GiB is hot: more than 4 % of the accesses are seen', async () => {
    const { states } = await runSeed({ monitor: 'damon', sizeGib: 6 });
    expect(new Set(states.map(({ attrs }) => attrs.sampleUs))).toEqual(new Set([5000]));
  });

  test('never leave the bounds of the goal', async () => {
    const goal = { ...DEFAULT_INTERVALS_GOAL, maxSampleUs: 10_000 };
    const { states } = await runSeed({ monitor: 'damon', sizeGib: 48, goal });
    const intervals = states.map(({ attrs }) => attrs.sampleUs);
    expect(Math.min(...intervals)).toBe(5000);
    expect(Math.max(...intervals)).toBe(10_000);
  });

  const OFF = { ...DEFAULT_INTERVALS_GOAL, aggrs: 0 };
  /** Median of the bytes that a scheme which only counts acted on in one round. */
  const hotBytes = ({ states }: Run): number => {
    const rounds = states.slice(1).map(({ schemes }, i) => schemes[0].szTried - states[i].schemes[0].szTried);
    return rounds.sort((a, b) => a - b)[rounds.length >> 1];
  };
  test('a rate means the same at any interval: hot>5 finds the active GiB', async () => {
    // 94 accesses/s per page against "more than 5 of 20 samples of 5 ms", 57.5/s.
    const fixed = await runSeed({ monitor: 'damon', sentence: 'stat hot>5', goal: OFF });
    const tuned = await runSeed({ monitor: 'damon', sentence: 'stat hot>5' });
    expect(tuned.monitor.attrs.sampleUs).toBeGreaterThan(10_000);
    expect(hotBytes(fixed) / GIB).toBeGreaterThan(0.8);
    expect(hotBytes(fixed) / GIB).toBeLessThan(1.2);
    expect(hotBytes(tuned) / GIB).toBeGreaterThan(0.8);
    expect(hotBytes(tuned) / GIB).toBeLessThan(1.2);
  });

  test('a time means the same at any interval: cold>3s acts on nothing before 3 s, and soon after', async () => {
    for (const goal of [OFF, DEFAULT_INTERVALS_GOAL]) {
      const { states } = await runSeed({ monitor: 'damon', sentence: 'stat cold>3s', goal });
      const first = states.findIndex(({ schemes }) => schemes[0].szTried > 0);
      expect(states[first].timeUs).toBeGreaterThan(3e6);
      // Rescaled ages round down at each tuning, as the kernel's: later by a few aggregations, never earlier.
      expect(states[first].timeUs).toBeLessThan(goal === OFF ? 3.5e6 : 9e6);
      for (const { timeUs, snapshot, attrs } of states) {
        for (const age of snapshot?.age ?? []) expect(age * attrs.aggrUs).toBeLessThanOrEqual(timeUs);
      }
    }
  });
});

test('a run says so when the intervals have become too long for what a scheme asks', async () => {
  const warningsWith = async (maxSampleUs: number): Promise<readonly string[]> => {
    const machine = createPreset('seed-test-2', { seed: 1, sizeBytes: 48 * GIB });
    const attrs = { ...DEFAULT_ATTRS, intervalsGoal: { ...DEFAULT_INTERVALS_GOAL, maxSampleUs } };
    const { schemes } = loadSchemes('version: 1\nschemes: [stat hot>5]', 't', DEFAULT_ATTRS);
    const { report } = await runSchemes({
      machine,
      monitor: createMonitor('damon', attrs, new RandomStream(1, 'monitor')),
      schemes: resolveSchemes(schemes, machine),
      seed: 1,
      version: 'test',
    });
    expect(report.monitoring.aggrUs).toBe(20 * report.monitoring.sampleUs);
    return report.warnings;
  };
  // 20 of 20 samples count as 19.5: 3.69 / 57.5 s = 64.1 ms is the longest interval that tells 57.5/s.
  expect(await warningsWith(64_000)).toEqual([]);
  expect(await warningsWith(65_000)).toEqual([expect.stringContaining('lower max in --intervals-goal')]);
});

describe('the engine', () => {
  test('tunes between schemes and reset, and reads the intervals afresh', async () => {
    const calls: string[] = [];
    const note = (name: string) => () => {
      calls.push(name);
    };
    let attrs: MonitorAttrs = {
      ...DEFAULT_ATTRS,
      aggrUs: 10_000,
      intervalsGoal: { ...DEFAULT_INTERVALS_GOAL, aggrs: 2 },
    };
    const monitor: Monitor = {
      name: 'recorder',
      get attrs() {
        return attrs;
      },
      // One idle region: the intervals double at each tuning.
      regions: {
        ...NO_REGIONS,
        count: 1,
        start: () => 0,
        end: () => GIB,
        rate: () => 0,
        age: () => 0,
      },
      spots: NO_REGIONS,
      peakRegions: 0,
      metadataBytes: 0,
      samplesOutside: 0,
      setRanges: () => {},
      setAttrs: (changed, isMidAggregation) => {
        calls.push(`setAttrs ${changed.sampleUs}/${changed.aggrUs} mid ${isMidAggregation}`);
        attrs = changed;
      },
      planChecks: () => ({ count: 0, addresses: new Float64Array(0) }),
      recordPull: note('sample'),
      recordPush: () => {},
      aggregate: note('aggregate'),
      resetAndSplit: note('split'),
    };
    const times: number[] = [];
    await new Engine({
      machine: createPreset('seed-test-2', { seed: 1, sizeBytes: 3 * GIB }),
      monitor,
      schemes: [],
      onPublished: ({ state }) => {
        calls.push('publish');
        times.push(state.timeUs);
      },
      shouldStop: () => times.length === 5,
    }).run();
    const interval = ['sample', 'sample', 'aggregate', 'publish', 'split'];
    const tuned = (text: string) => ['sample', 'sample', 'aggregate', 'publish', text, 'split'];
    expect(calls).toEqual([
      ...interval,
      ...tuned('setAttrs 10000/20000 mid false'),
      ...interval,
      ...tuned('setAttrs 20000/40000 mid false'),
      ...interval,
    ]);
    expect(times).toEqual([10_000, 20_000, 40_000, 60_000, 100_000]);
  });

  test('schemes count ages in the present aggregation interval', () => {
    const executor = executorOf('stat cold>2s');
    const idle = regionsOf([{ start: 0, end: GIB, rate: 0, age: 20 }]);
    const host = new FakeHost(GIB);
    executor.apply(0, idle, NO_REGIONS, host);
    expect(executor.stats(0).szTried).toBe(0);
    executor.executor.setAttrs({ ...DEFAULT_ATTRS, aggrUs: 100_001 });
    executor.apply(0, idle, NO_REGIONS, host);
    expect(executor.stats(0).szTried).toBe(GIB);
  });
});

test('memory that moves counts at its new place in one long interval as in many short ones', () => {
  const accessesAfter = (stepUs: number): number => {
    const machine = createPreset('seed-test-2', { seed: 1, sizeBytes: 6 * GIB, push: { kind: 'off' } });
    // The active GiB goes to CXL within half a second, at 2 GiB/s.
    machine.submit({ action: 'migrate_hot', start: 0, end: GIB, targetNid: 1, tag: 0 });
    for (let us = 0; us < 2e6; us += stepUs) machine.advance(stepUs);
    return machine.totals().accesses;
  };
  expect(accessesAfter(2e6) / accessesAfter(5000)).toBeCloseTo(1, 2);
});
