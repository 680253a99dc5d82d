import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { parsePlotFile, parseShard } from '../../src/cli/options.ts';
import { chooseContestants, contestants } from '../../src/lab/compare/contestants.ts';
import type { CompareRow } from '../../src/lab/compare/row.ts';
import { openMachine, runContestant } from '../../src/lab/compare/run-contestant.ts';
import { applySettings } from '../../src/lab/compare/settings.ts';
import { beyondSimulation, effortOf } from '../../src/lab/compare/simulated-size.ts';
import { resultColumns } from '../../src/lab/sweep/columns.ts';
import { KNOBS } from '../../src/lab/sweep/knobs.ts';
import { frontsOf } from '../../src/lab/sweep/pictures.ts';
import { planSweep } from '../../src/lab/sweep/plan.ts';
import { RunStore, type StoredRun } from '../../src/lab/sweep/run-store.ts';
import { tooLargeOf } from '../../src/lab/sweep/run-sweep.ts';
import { summarizeSweep } from '../../src/lab/sweep/summary.ts';
import { parseVary } from '../../src/lab/sweep/vary.ts';
import { DEFAULT_ATTRS } from '../../src/monitor/monitor.ts';
import { editSchemes } from '../../src/schemes/edit.ts';
import { loadSchemes } from '../../src/schemes/load.ts';
import { footprintBytes } from '../../src/trackers/footprint.ts';
import { renderSweep } from '../../src/view/sweep-table.ts';

const GIB = 2 ** 30;
const HOT = 57.5;
const WORK = mkdtempSync(join(tmpdir(), 'thermocline-sweep-test-'));
afterAll(() => rmSync(WORK, { recursive: true, force: true }));

const texts = (vary: string): string[] => parseVary(vary).choices.map(({ text }) => text);

const planOf = (vary: readonly string[], trackers?: readonly string[], version = '1') =>
  planSweep({
    base: { machine: { machine: 'full-dram' }, minRatePerS: HOT },
    trackers,
    seeds: [1],
    variations: vary.map(parseVary),
    version,
  });

describe('--vary', () => {
  test.each([
    ['quota=128M/s..4G/s', ['128MiB/s', '256MiB/s', '512MiB/s', '1GiB/s', '2GiB/s', '4GiB/s']],
    ['quota=1G/s..3G/s', ['1GiB/s', '2GiB/s', '3GiB/s']],
    ['quota=1G/s..4G/s/2', ['1GiB/s', '4GiB/s']],
    ['max-regions=100,1000,10k', ['100', '1000', '10000']],
    ['max-regions=100,100', ['100']],
    ['size=16GiB..16TiB/6', ['16GiB', '64GiB', '256GiB', '1TiB', '4TiB', '16TiB']],
    ['pull=off, 15000/s', ['off', '15000/s']],
    ['push=off,5876/s,period=10000', ['off', '5876/s', 'period=10000']],
    ['overhead=0.5%,1%,off', ['0.5%', '1%', 'off']],
    ['sample=5ms..20ms', ['5ms', '10ms', '20ms']],
    ['weights=1:0.5,0:1', ['1:0.5', '0:1']],
    ['schemes.promote.access_pattern.nr_accesses.min=1/s,> 5 samples', ['1/s', '> 5 samples']],
  ])('%s', (text, expected) => {
    expect(texts(text)).toEqual(expected);
  });

  test.each([
    ['quotta=1G/s', /did you mean "quota"/],
    ['max-region=1', /did you mean "max-regions"/],
    ['quota', /expected KEY=VALUES/],
    ['quota=5', /accepted: 1G\/s/],
    ['quota=4G/s..1G/s', /0 < a <= b/],
    ['max-regions=10..20/1', /N from 2/],
    ['max-regions=1..2/1001', /N from 2 to 1000/],
    ['tracker=evidnce', /did you mean "evidence"/],
    ['quota.=1G/s', /known keys/],
  ])('%s is refused, and what is accepted is told', (text, hint) => {
    expect(() => parseVary(text)).toThrow(
      expect.objectContaining({ code: 'THERMO_USAGE', hint: expect.stringMatching(hint) }),
    );
  });
});

describe('the plan', () => {
  test('is the cross product of what a tracker listens to, and no more', () => {
    const plan = planOf(['quota=128M/s..4G/s', 'max-regions=100,1000,10000', 'pull=1000/s,15000/s']);
    const count = (tracker: string): number => plan.filter(({ task }) => task.tracker === tracker).length;
    expect(
      Object.fromEntries(
        ['static', 'kpromoted-posted', 'damon-tiering', 'evidence', 'grid'].map((each) => [
          each,
          count(each),
        ]),
      ),
    ).toEqual({
      static: 1,
      'kpromoted-posted': 1,
      'damon-tiering': 6 * 3,
      evidence: 6 * 3 * 2,
      grid: 6 * 3 * 2,
    });
    expect(plan.find(({ task }) => task.tracker === 'static')?.cells).toEqual({});
    expect(plan.find(({ task }) => task.tracker === 'evidence')?.cells).toEqual({
      quota_bytes_per_s: 128 * 2 ** 20,
      max_regions: 100,
      pull_per_s: 1000,
    });
  });

  test('everybody listens to machine, size and threshold', () => {
    const plan = planOf(['size=16G,32G', 'hot=1/s,50/s', 'machine=full-dram,cold-dram']);
    expect(plan.length).toBe(contestants().length * 8);
  });

  test('tells runs apart by all that determines them, and by nothing else', () => {
    const id = (vary: readonly string[], version = '1'): string => planOf(vary, ['evidence'], version)[0].id;
    expect(id(['max-regions=100'])).toBe(id(['max-regions=100']));
    const others = [
      id([]),
      id(['max-regions=100']),
      id(['max-regions=101']),
      id(['min-regions=100']),
      id([], '2'),
    ];
    expect(new Set(others).size).toBe(5);
  });

  test.each([
    [['push=off'], ['memtis'], /these have one: .*pghot-default.*evidence/],
    [['quota.promot=1G/s'], ['evidence'], /did you mean "promote"/],
    [['quota=1G/s', 'quota=2G/s'], ['evidence'], /quota=a,b,c/],
    [['quota=1G/s', 'quota.promote=2G/s'], ['evidence'], /by name/],
    [['tracker=grid'], ['evidence'], /--trackers/],
  ])('%j of %j is refused', (vary, trackers, hint) => {
    expect(() => planOf(vary, trackers)).toThrow(
      expect.objectContaining({ code: 'THERMO_USAGE', hint: expect.stringMatching(hint) }),
    );
  });

  test('a value that a scheme cannot have is refused before anything runs, in the words of the schema', () => {
    expect(() => planOf(['schemes.promote.access_pattern.nr_acesses.min=1/s'], ['evidence'])).toThrow(
      /unknown key "nr_acesses"[\s\S]*did you mean "nr_accesses"/,
    );
    expect(() => planOf(['max-regions=2'], ['evidence'])).toThrow(/below the minimum/);
  });

  test('long runs are long: more memory takes longer page by page, and not region by region', () => {
    const effort = (tracker: string, sizeBytes: number) => effortOf({ tracker, sizeBytes });
    expect(effort('memtis', 400 * GIB)).toBe(4 * effort('memtis', 100 * GIB));
    expect(effort('evidence', 400 * GIB)).toBe(effort('evidence', 100 * GIB));
  });
});

describe('what is set of a tracker', () => {
  const [evidence] = chooseContestants(['evidence']);
  const shareOf = (settings: Parameters<typeof applySettings>[1]) => {
    const changed = applySettings(evidence, settings);
    return changed.kind === 'monitor' ? changed.overheadShare : Number.NaN;
  };

  test('a rate that is set stays as it is set, unless a budget is set as well', () => {
    expect(shareOf(undefined)).toBe(0.01);
    expect(shareOf({ attrs: { maxNrRegions: 100 } })).toBe(0.01);
    expect(shareOf({ attrs: { pullPerS: 1000 } })).toBeUndefined();
    expect(shareOf({ push: { kind: 'off' } })).toBeUndefined();
    expect(shareOf({ push: { kind: 'off' }, overhead: 0.02 })).toBe(0.02);
    expect(shareOf({ overhead: 'off' })).toBeUndefined();
  });

  test('samples that are off are off', async () => {
    const row = await runContestant(
      {
        tracker: 'evidence',
        machine: { machine: 'full-dram' },
        sizeBytes: 10 * GIB,
        seed: 1,
        minRatePerS: HOT,
        settings: { push: { kind: 'off' } },
      },
      () => 0,
    );
    expect([row.counters.push_samples, row.cpu.applicationSeconds]).toEqual([0, 0]);
  });

  const FILE = `version: 1
schemes:
  - promote hot>1/s to DRAM quota 2G/s
  - {name: cold, action: migrate_cold, target: CXL, quotas: {sz_bytes: 100M, reset_interval_ms: 500ms}}
  - {name: look, action: stat}`;
  const edited = (...edits: Parameters<typeof editSchemes>[2]) =>
    loadSchemes(editSchemes(FILE, 'f', edits, DEFAULT_ATTRS), 'f', DEFAULT_ATTRS).schemes.map(
      ({ quota, pattern }) => [quota.szBytes, quota.resetIntervalUs, pattern.minRatePerS.value],
    );

  test('a quota is that of all schemes that move memory, or of one, per second; the window stays', () => {
    const none = edited();
    expect(edited({ kind: 'quota', bytesPerS: GIB })).toEqual([
      [GIB, 1e6, none[0][2]],
      [GIB / 2, 5e5, none[1][2]],
      none[2],
    ]);
    expect(edited({ kind: 'quota', scheme: 'cold', bytesPerS: GIB })).toEqual([
      none[0],
      [GIB / 2, 5e5, none[1][2]],
      none[2],
    ]);
  });

  test('a value of the long form is set by its path', () => {
    const [first] = edited({
      kind: 'set',
      scheme: 'promote',
      path: ['access_pattern', 'nr_accesses', 'min'],
      value: '7/s',
    });
    expect(first[2]).toBe(7);
  });
});

describe('memory that is too large to be simulated page by page', () => {
  test('what is kept per page is known by arithmetic, and is what a run says', async () => {
    const sizeBytes = 10 * GIB;
    const told = contestants().flatMap((each) =>
      each.kind === 'tracker' && each.footprint !== undefined
        ? [{ name: each.name, footprint: each.footprint }]
        : [],
    );
    expect(told.map(({ name }) => name)).toEqual([
      'hemem',
      'hybridtier',
      'klruscand',
      'memtis',
      'pghot-default',
      'pghot-precise',
    ]);
    const machine = await openMachine({ machine: { machine: 'seed-test-2' }, sizeBytes: 3 * GIB, seed: 1 });
    const memory = { nodes: machine.nodes, ranges: machine.lab.pageRanges };
    for (const { name, footprint } of told) {
      const row = await runContestant(
        { tracker: name, machine: { machine: 'seed-test-2' }, sizeBytes: 3 * GIB, seed: 1, minRatePerS: HOT },
        () => 0,
      );
      expect(footprintBytes(footprint, memory) / row.metadataBytes).toBeCloseTo(1, 3);
    }
    expect(sizeBytes).toBeGreaterThan(0);
  });

  test('is not simulated: bytes are told where they are known, and the reason', async () => {
    const machine = await openMachine({
      machine: { machine: 'full-dram' },
      sizeBytes: 16 * 2 ** 40,
      seed: 1,
    });
    expect(beyondSimulation('evidence', machine)).toBeUndefined();
    const memtis = beyondSimulation('memtis', machine);
    expect((memtis?.metadataBytes ?? 0) / ((16 * 2 ** 40) / 4096)).toBeCloseTo(8, 3);
    expect(memtis?.reason).toMatch(/^not simulated at 16.0 TiB: page by page it is up to 128 GiB$/);
    expect(beyondSimulation('kpromoted-posted', machine)?.metadataBytes).toBeNull();
  });

  test('the limit itself is simulated, one step more is not', async () => {
    const plan = planOf(['size=128GiB,129GiB'], ['memtis']);
    const beyond = await tooLargeOf(plan);
    expect(plan.map(({ id }) => beyond.has(id))).toEqual([false, true]);
  });
});

const row = (tracker: string, seed: number, fastTierShare: number): CompareRow => ({
  tracker,
  machine: 'm',
  workload: 'w',
  seed,
  simulatedSeconds: 1,
  wallSeconds: 1,
  accesses: 1,
  fastTierShare,
  completionSeconds: 100,
  threads: [],
  slowdown: 0,
  detection: { half: null, most: seed, found: 1 },
  hotSet: { precision: 1, recall: 1, f1: 1, minRatePerS: HOT },
  promotedBytes: 0,
  demotedBytes: 0,
  reclaimDemotedBytes: 0,
  failedBytes: 0,
  pingPongBytes: 0,
  wastedBytes: 0,
  metadataBytes: 10,
  cpu: { applicationSeconds: 1, backgroundSeconds: 2, migrationSeconds: 3 },
  counters: { seen: seed },
});

const stored = (tracker: string, seed: number, share: number, settings = {}, sizeBytes = GIB): StoredRun => ({
  id: `${tracker}${seed}`,
  version: '1',
  task: { tracker, machine: { machine: 'm' }, sizeBytes, seed, minRatePerS: HOT },
  cells: {},
  settings,
  outcome: { kind: 'row', row: row(tracker, seed, share) },
});

describe('the directory of a sweep', () => {
  test('gives back what was put in, and nothing for what is damaged or was removed', () => {
    const path = join(WORK, 'store');
    const store = new RunStore(path);
    const { task } = stored('a', 1, 0.5);
    const kept = store.add('abc', '1', task, { ...row('a', 1, Number.NaN) });
    expect(kept.fastTierShare).toBeNull();
    expect(new RunStore(path).find('abc')).toEqual(kept);
    writeFileSync(join(path, 'runs', 'half.json'), '{"schema": "thermocline.sweep-run/1", "row": {');
    expect([store.find('half'), store.find('none')]).toEqual([undefined, undefined]);
    store.remove('abc');
    expect(store.find('abc')).toBeUndefined();
    expect(readdirSync(path).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  test('is never one that holds something else', () => {
    const path = mkdtempSync(join(WORK, 'other-'));
    writeFileSync(join(path, 'thesis.tex'), '');
    expect(() => new RunStore(path)).toThrow(/is no sweep of thermocline/);
    expect(readdirSync(path)).toEqual(['thesis.tex']);
  });
});

describe('the summary', () => {
  test('has means per setting, and efficiency only against the oracle of the same machine and size', () => {
    const rows = summarizeSweep([
      stored('static', 1, 0.5),
      stored('oracle', 1, 0.9),
      stored('evidence', 1, 0.6, { quota: '1GiB/s' }),
      stored('evidence', 2, 0.8, { quota: '1GiB/s' }),
      stored('evidence', 1, 0.9, { quota: '2GiB/s' }),
      stored('evidence', 1, 0.9, { quota: '2GiB/s' }, 2 * GIB),
    ]);
    expect(rows.map((each) => [each.tracker, each.seeds, each.efficiency?.toFixed(2)])).toEqual([
      ['static', 1, '0.00'],
      ['oracle', 1, '1.00'],
      ['evidence', 2, '0.50'],
      ['evidence', 1, '1.00'],
      ['evidence', 1, undefined],
    ]);
    expect(rows[2].means?.detection).toEqual({ half: null, most: 1.5, found: 1 });
    for (const width of [160, 100, 70, 40]) {
      const lines = renderSweep(rows, ['quota'], width).split('\n');
      for (const line of lines) expect(line.length).toBeLessThanOrEqual(width);
    }
  });
});

describe('the fronts', () => {
  test('are of one workload each: what is best at one is not asked to beat the best at another', () => {
    const rows = summarizeSweep([
      stored('evidence', 1, 0.9, { workload: 'gups' }),
      stored('evidence', 1, 0.6, { workload: 'btree' }),
    ]);
    expect(frontsOf(rows).map(({ scene, label, isBestByBytes }) => [scene, label, isBestByBytes])).toEqual([
      [expect.stringMatching(/gups/), 'evidence', true],
      [expect.stringMatching(/btree/), 'evidence', true],
    ]);
  });
});

describe('the columns', () => {
  test('have their own names, snake_case, with the unit of every quantity', () => {
    const columns = resultColumns(KNOBS.flatMap((knob) => knob.columns));
    const names = columns.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^[a-z0-9]+(_[a-z0-9]+)*$/);
    expect(names).toEqual(
      expect.arrayContaining(['quota_bytes_per_s', 'pull_per_s', 'sample_us', 'metadata_bytes', 'counters']),
    );
  });
});

describe('--shard and --plot', () => {
  test('read what they say, and refuse the rest', () => {
    expect(parseShard('3/16')).toEqual({ index: 3, count: 16 });
    for (const text of ['0/16', '17/16', '3', '3/x', '1/2/3', '-1/2'])
      expect(() => parseShard(text)).toThrow(/no shard/);
    expect(parsePlotFile('a.svg')).toBe('a.svg');
    expect(() => parsePlotFile('a.png')).toThrow(/neither/);
  });
});
