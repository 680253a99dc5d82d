/** Tuning of the rates of checks and samples to a CPU budget: the rule alone, and in the engine. */
import { describe, expect, test } from 'vitest';
import { Engine } from '../../src/engine/engine.ts';
import { HYSTERESIS, limitRates, OverheadMeter, tuneRates } from '../../src/engine/overhead-tuner.ts';
import { MODELLED_COSTS } from '../../src/machines/modelled-base.ts';
import { SimulatedMachine } from '../../src/machines/simulated/simulated-machine.ts';
import type { Workload } from '../../src/machines/simulated/workload.ts';
import type { PushSetting } from '../../src/memory/push-setting.ts';
import { RandomStream } from '../../src/memory/random.ts';
import { ADISTANCE_DRAM } from '../../src/memory/tier.ts';
import { createMonitor } from '../../src/monitor/create-monitor.ts';
import { DEFAULT_ATTRS, type Monitor } from '../../src/monitor/monitor.ts';

const GIB = 2 ** 30;
const OFF: PushSetting = { kind: 'off' };
const BUDGET = 0.03;

describe('the rule', () => {
  const rates = { pullPerS: 10_000, push: { kind: 'period', accesses: 10_000 } } as const;

  test('nothing changes at the edge of 5 per mill about 30 (MEMTIS), and something does past it', () => {
    expect(HYSTERESIS * BUDGET).toBeCloseTo(0.005, 12);
    expect(tuneRates(rates, { pull: 0.0149, push: 0.02 }, BUDGET)).toBe(rates);
    expect(tuneRates(rates, { pull: 0.0101, push: 0.015 }, BUDGET)).toBe(rates);
    expect(tuneRates(rates, { pull: 0.0151, push: 0.02 }, BUDGET)).not.toBe(rates);
    expect(tuneRates(rates, { pull: 0.0099, push: 0.015 }, BUDGET)).not.toBe(rates);
  });

  test('each source goes to half of the budget, upwards by a factor of 2 at most', () => {
    const { pullPerS, push } = tuneRates(rates, { pull: 0.02, push: 0.02 }, BUDGET);
    expect(pullPerS).toBeCloseTo(7500, 6);
    expect(push).toEqual({ kind: 'period', accesses: 13_333 });
    const far = tuneRates(rates, { pull: 0.3, push: 0.3 }, BUDGET);
    expect(far).toEqual({ pullPerS: 500, push: { kind: 'period', accesses: 200_000 } });
    const near = tuneRates(rates, { pull: 0.001, push: 0.001 }, BUDGET);
    expect(near).toEqual({ pullPerS: 20_000, push: { kind: 'period', accesses: 5000 } });
  });

  test('a source alone has all of it, and what push cannot use pull may', () => {
    const pullOnly = tuneRates({ pullPerS: 10_000, push: OFF }, { pull: 0.02, push: 0 }, BUDGET);
    expect(pullOnly).toEqual({ pullPerS: 15_000, push: OFF });
    const push: PushSetting = { kind: 'rate', perS: 1000 };
    const pushOnly = tuneRates({ pullPerS: 0, push }, { pull: 0, push: 0.02 }, BUDGET);
    expect(pushOnly.pullPerS).toBe(0);
    expect(pushOnly.push).toEqual({ kind: 'rate', perS: 1500 });
    const shortest: PushSetting = { kind: 'period', accesses: 199 };
    const limited = tuneRates({ pullPerS: 10_000, push: shortest }, { pull: 0.015, push: 0.005 }, BUDGET);
    expect(limited.push).toBe(shortest);
    expect(limited.pullPerS).toBeCloseTo(10_000 * (0.025 / 0.015), 6);
  });

  test('a source that cost nothing is left alone', () => {
    expect(tuneRates(rates, { pull: 0, push: 0 }, BUDGET)).toEqual(rates);
  });

  test('what is known to cost too much is cut before the start: 1,000 ns per check, 10,000 per sample', () => {
    const costs = { pullCheckNs: 1000, pushSampleNs: 10_000 };
    const perS = (rate: number): PushSetting => ({ kind: 'rate', perS: rate });
    const dear = { pullPerS: 1e6, push: perS(1e6) };
    expect(limitRates(dear, costs, 0.02)).toEqual({ pullPerS: 10_000, push: perS(1000) });
    expect(limitRates({ ...dear, push: OFF }, costs, 0.02)).toEqual({ pullPerS: 20_000, push: OFF });
    expect(limitRates({ ...dear, pullPerS: 0 }, costs, 0.02)).toEqual({ pullPerS: 0, push: perS(2000) });
    const cheap = { pullPerS: 10_000, push: perS(1000) };
    expect(limitRates(cheap, costs, 0.02)).toEqual(cheap);
  });

  test('the meter ends a window after a second, and smooths as 0.8 new + 0.2 old', () => {
    const meter = new OverheadMeter({ pullCheckNs: 1000, pushSampleNs: 10_000 }, 0);
    expect(meter.measure(999_999, { pullChecks: 1, pushSamples: 1 })).toBe(false);
    expect(meter.measure(1e6, { pullChecks: 10_000, pushSamples: 1000 })).toBe(true);
    expect(meter.smoothed).toEqual({ pull: 0.01, push: 0.01 });
    expect(meter.measure(3e6, { pullChecks: 50_000, pushSamples: 1000 })).toBe(true);
    expect(meter.now).toEqual({ pull: 0.02, push: 0 });
    expect(meter.smoothed?.pull).toBeCloseTo(0.018, 12);
    expect(meter.smoothed?.push).toBeCloseTo(0.002, 12);
    meter.forget();
    expect(meter.measure(4e6, { pullChecks: 51_000, pushSamples: 1000 })).toBe(true);
    expect(meter.smoothed?.pull).toBeCloseTo(0.001, 12);
  });
});

const node = (nid: number, kind: 'DRAM' | 'CXL', accessNs: number) => ({
  nid,
  kind,
  capacityBytes: 2 * GIB,
  hasCpus: nid === 0,
  accessNs,
  bandwidthBytesPerS: 1e11,
  adistance: ADISTANCE_DRAM * (nid + 1),
});

const PHASE_S = 12;
/** 20 million accesses/s on CXL for 12 s, then 80 million on DRAM, then CXL again: 4 times the load. */
const changing: Workload = {
  name: 'load that changes',
  ranges: [{ start: 0, end: 4 * GIB }],
  durationUs: Number.POSITIVE_INFINITY,
  threads: [
    {
      name: 'closed',
      nid: 0,
      loadShare: 0.5,
      pace: { kind: 'closed' },
      phaseCount: 3,
      phase: (index) =>
        index % 2 === 0
          ? { accesses: 20e6 * PHASE_S, areas: [{ start: 3 * GIB, end: 4 * GIB, share: 1 }] }
          : { accesses: 80e6 * PHASE_S, areas: [{ start: 0, end: GIB, share: 1 }] },
    },
  ],
};

interface Second {
  readonly timeS: number;
  readonly cpuShare: number;
  readonly pullPerS: number;
  readonly push: PushSetting;
}

/** Runs the changing load under a budget; what monitoring cost in each second. */
async function run(options: {
  push: PushSetting;
  pullPerS?: number;
  budget?: number;
}): Promise<{ seconds: Second[]; monitor: Monitor }> {
  const machine = new SimulatedMachine({
    name: 'test',
    nodes: [node(0, 'DRAM', 12.5), node(1, 'CXL', 50)],
    mover: { migrationBytesPerS: GIB, kswapdBytesPerS: GIB, systemBytes: [], useWatermarks: false },
    workload: changing,
    push: options.push,
    sampledShare: 0.74,
    seed: 1,
  });
  const attrs = { ...DEFAULT_ATTRS, pullPerS: options.pullPerS ?? DEFAULT_ATTRS.pullPerS };
  const monitor = createMonitor('evidence', attrs, new RandomStream(1, 'monitor'));
  const seconds: Second[] = [];
  await new Engine({
    machine,
    monitor,
    schemes: [],
    overheadShare: options.budget ?? BUDGET,
    onPublished: ({ state }) => {
      if (state.aggregations % 10 !== 0) return;
      const { timeUs, monitoringCpuShare } = state;
      const { pullPerS } = state.attrs;
      seconds.push({ timeS: timeUs / 1e6, cpuShare: monitoringCpuShare, pullPerS, push: machine.push });
    },
  }).run();
  return { seconds, monitor };
}

/** Seconds of a phase after the first few, in which the rates settle. */
const settled = ({ timeS }: Second): boolean => timeS % PHASE_S > SETTLE_S || timeS % PHASE_S === 0;
/** A window of each load, one after the first step, one more when the load fell to a quarter. */
const SETTLE_S = 4;

describe('in the engine', () => {
  test.each<[string, PushSetting]>([
    ['a fixed period', { kind: 'period', accesses: 10_000 }],
    ['a fixed rate', { kind: 'rate', perS: 500 }],
  ])(
    'with %s it settles within 4 s on either load, and keeps to the budget from then on',
    async (_, push) => {
      const { seconds } = await run({ push });
      expect(seconds.length).toBeGreaterThanOrEqual(3 * PHASE_S);
      for (const second of seconds.filter(settled)) {
        expect(Math.abs(second.cpuShare - BUDGET)).toBeLessThanOrEqual(HYSTERESIS * BUDGET);
      }
    },
  );

  test('the period follows the load, and both sources end with about half of the budget', async () => {
    const { seconds } = await run({ push: { kind: 'period', accesses: 10_000 } });
    const periodAt = (timeS: number): number => {
      const push = seconds.find((second) => second.timeS >= timeS)?.push;
      return push?.kind === 'period' ? push.accesses : Number.NaN;
    };
    // Period = accesses/s x share sampled x ns per sample / half of the budget.
    const ideal = (perS: number) => (perS * 0.74 * MODELLED_COSTS.pushSampleNs) / (1e9 * BUDGET * 0.5);
    expect(periodAt(PHASE_S - 1) / ideal(20e6)).toBeGreaterThan(0.75);
    expect(periodAt(PHASE_S - 1) / ideal(20e6)).toBeLessThan(1.35);
    expect(periodAt(2 * PHASE_S - 1) / ideal(80e6)).toBeGreaterThan(0.75);
    expect(periodAt(2 * PHASE_S - 1) / ideal(80e6)).toBeLessThan(1.35);
  });

  test('a steady load inside the band changes nothing any more', async () => {
    const { seconds } = await run({ push: { kind: 'rate', perS: 500 } });
    const late = seconds.filter(({ timeS }) => timeS > PHASE_S / 2);
    expect(new Set(late.map(({ push }) => push)).size).toBe(1);
  });

  test('on a machine without push all of the budget goes to pull', async () => {
    const { seconds } = await run({ push: OFF });
    const last = seconds[seconds.length - 1];
    expect(last.push).toEqual(OFF);
    expect(last.cpuShare / BUDGET).toBeGreaterThan(1 - HYSTERESIS);
    expect(last.cpuShare / BUDGET).toBeLessThan(1 + HYSTERESIS);
    expect((last.pullPerS * MODELLED_COSTS.pullCheckNs) / 1e9).toBeCloseTo(last.cpuShare, 3);
  });

  test('with pull off all of it goes to push', async () => {
    const { seconds } = await run({ push: { kind: 'rate', perS: 500 }, pullPerS: 0 });
    const last = seconds[seconds.length - 1];
    expect(last.pullPerS).toBe(0);
    expect(Math.abs(last.cpuShare - BUDGET)).toBeLessThanOrEqual(HYSTERESIS * BUDGET);
  });
});
