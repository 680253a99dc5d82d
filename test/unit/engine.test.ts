import { applyPatches } from 'immer';
import { beforeAll, describe, expect, test } from 'vitest';
import { Engine } from '../../src/engine/engine.ts';
import type { EngineState, StateChange } from '../../src/engine/state.ts';
import { type RunResult, runSchemes } from '../../src/lab/run.ts';
import { createPreset } from '../../src/machines/simulated/presets/index.ts';
import type { PushSetting } from '../../src/memory/push-setting.ts';
import { RandomStream } from '../../src/memory/random.ts';
import { EvidenceMonitor } from '../../src/monitor/evidence-monitor.ts';
import { DEFAULT_ATTRS, type Monitor, NO_REGIONS } from '../../src/monitor/monitor.ts';
import { loadSchemes } from '../../src/schemes/load.ts';
import { resolveSchemes } from '../../src/schemes/resolve.ts';
import { MemoryBalance } from '../../src/testing/index.ts';

const GIB = 2 ** 30;

async function runSeed(options: {
  sentence?: string;
  push?: PushSetting;
  pullPerS?: number;
  sizeGib?: number;
  seed?: number;
}): Promise<RunResult> {
  const seed = options.seed ?? 1;
  const machine = createPreset('seed-test-2', {
    seed,
    sizeBytes: (options.sizeGib ?? 24) * GIB,
    ...(options.push ? { push: options.push } : {}),
  });
  const attrs = { ...DEFAULT_ATTRS, pullPerS: options.pullPerS ?? DEFAULT_ATTRS.pullPerS };
  const { schemes } = loadSchemes(
    `version: 1\nschemes: ['${options.sentence ?? 'promote hot>5 to DRAM quota 1G/s'}']`,
    't',
    attrs,
  );
  return runSchemes({
    machine,
    monitor: new EvidenceMonitor(attrs, new RandomStream(seed, 'monitor')),
    schemes: resolveSchemes(schemes, machine),
    seed,
    version: 'test',
  });
}

describe('a run on the seed machine', () => {
  let both: RunResult;
  beforeAll(async () => {
    both = await runSeed({});
  });

  test('gains most of what is possible, and knows the hot set', () => {
    const { completionSeconds, baseline, hotSet } = both.report;
    expect((baseline.static - completionSeconds) / (baseline.static - baseline.allFast)).toBeGreaterThan(
      0.75,
    );
    expect(hotSet.f1).toBeGreaterThan(0.93);
  });

  test('keeps within its region limit and under 320 KiB of metadata', () => {
    const { regions, metadataBytes } = both.report;
    expect(regions.peak).toBeLessThanOrEqual(regions.limit);
    expect(metadataBytes).toBeLessThan(320 * 1024);
  });

  test('moves what it says: applied, promoted and demoted bytes agree', () => {
    const { schemes, promotedBytes, demotedBytes, failedBytes } = both.report;
    expect(schemes[0].appliedBytes).toBe(promotedBytes);
    expect(schemes[0].triedBytes).toBe(promotedBytes + failedBytes);
    expect(demotedBytes).toBeGreaterThan(0);
  });

  test('gives the same bytes for the same seed, others for another', async () => {
    const text = (result: RunResult): string => JSON.stringify(result.report);
    expect(text(await runSeed({}))).toBe(text(both));
    expect(text(await runSeed({ seed: 2 }))).not.toBe(text(both));
  });

  test('each source alone works too', async () => {
    const pull = (await runSeed({ push: { kind: 'off' } })).report;
    expect(pull.pushSamples).toBe(0);
    expect(pull.pullChecks).toBeGreaterThan(0);
    expect(pull.fastTierShare).toBeGreaterThan(0.85);
    const push = (await runSeed({ pullPerS: 0 })).report;
    expect(push.pullChecks).toBe(0);
    expect(push.fastTierShare).toBeGreaterThan(0.9);
  });

  test('without any source nothing is known and nothing moves', async () => {
    const { report } = await runSeed({ push: { kind: 'off' }, pullPerS: 0, sizeGib: 6 });
    expect(report.promotedBytes).toBe(0);
    expect(report.fastTierShare).toBeCloseTo(report.baseline.staticFastTierShare, 9);
    expect(report.completionSeconds).toBeCloseTo(report.baseline.static, 3);
  });

  test('a scheme that only counts moves nothing', async () => {
    const { report } = await runSeed({ sentence: 'stat hot>5', sizeGib: 6 });
    expect(report.promotedBytes + report.demotedBytes).toBe(0);
    expect(report.schemes[0].appliedBytes).toBeGreaterThan(0);
  });

  test('a small quota is kept: no more than one window of it per second and one at the start', async () => {
    const { report } = await runSeed({ sentence: 'promote hot>5 to DRAM quota 16M/s', sizeGib: 6 });
    expect(report.promotedBytes).toBeGreaterThan(0);
    expect(report.promotedBytes).toBeLessThanOrEqual(16 * 2 ** 20 * (Math.ceil(report.simulatedSeconds) + 1));
  });

  test('the heat map shows the active region where it is', () => {
    const columns = both.heat.columns();
    const hottest = columns.map(({ cells }) => cells.indexOf(Math.max(...cells)) / both.heat.rows);
    expect(hottest[Math.floor(columns.length / 8)]).toBeLessThan(0.35);
    expect(hottest[columns.length - 3]).toBeGreaterThan(0.9);
  });
});

describe('the engine', () => {
  test('publishes patches from which the state can be rebuilt, and never writes a snapshot again', async () => {
    const machine = createPreset('seed-test-2', { seed: 3, sizeBytes: 3 * GIB });
    const monitor = new EvidenceMonitor(DEFAULT_ATTRS, new RandomStream(3, 'monitor'));
    const { schemes } = loadSchemes('version: 1\nschemes: [promote hot>5]', 't', DEFAULT_ATTRS);
    const changes: StateChange[] = [];
    const balance = new MemoryBalance(machine);
    const engine: Engine = new Engine({
      machine,
      monitor,
      schemes: resolveSchemes(schemes, machine),
      onPublished: (change) => {
        changes.push(change);
        balance.check();
      },
      shouldStop: () => changes.length >= 20,
    });
    const first: EngineState = engine.state;
    const last = await engine.run();
    let rebuilt = first;
    for (const { patches } of changes) rebuilt = applyPatches(rebuilt, [...patches]);
    expect({ ...rebuilt, snapshot: undefined }).toEqual({ ...last, snapshot: undefined });
    let undone = last;
    for (const { inversePatches } of [...changes].reverse())
      undone = applyPatches(undone, [...inversePatches]);
    expect({ ...undone, snapshot: undefined }).toEqual({ ...first, snapshot: undefined });
    const times = changes.map(({ state }) => state.snapshot?.timeUs);
    expect(times).toEqual(changes.map((_change, i) => (i + 1) * 100_000));
  });

  test('keeps the order of a DAMON worker: samples, aggregate, schemes, split', async () => {
    const calls: string[] = [];
    const note = (name: string) => () => {
      calls.push(name);
    };
    const monitor: Monitor = {
      name: 'recorder',
      attrs: { ...DEFAULT_ATTRS, sampleUs: 5000, aggrUs: 15_000 },
      regions: NO_REGIONS,
      spots: NO_REGIONS,
      peakRegions: 0,
      metadataBytes: 0,
      samplesOutside: 0,
      setRanges: note('setRanges'),
      setAttrs: note('setAttrs'),
      planChecks: () => {
        calls.push('plan');
        return { count: 0, addresses: new Float64Array(0) };
      },
      recordPull: note('pull'),
      recordPush: note('push'),
      aggregate: note('aggregate'),
      resetAndSplit: note('split'),
    };
    let published = 0;
    const engine = new Engine({
      machine: createPreset('seed-test-2', { seed: 1, sizeBytes: 3 * GIB }),
      monitor,
      schemes: [],
      onAggregated: note('observe'),
      onPublished: () => {
        published++;
      },
      shouldStop: () => published === 2,
    });
    await engine.run();
    const sample = ['plan', 'pull', 'push'];
    const interval = [...sample, ...sample, ...sample, 'aggregate', 'observe', 'split'];
    expect(calls).toEqual(['setRanges', ...interval, ...interval]);
  });
});
