/** Schemes handed to a kernel: the same meaning in its units, and a note wherever it has none. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { shellLine, toDamoArgs } from '../../src/kdamonds/damo-args.ts';
import { toDamoJson } from '../../src/kdamonds/damo-json.ts';
import { damonFacts } from '../../src/kdamonds/facts.ts';
import { fromDamo } from '../../src/kdamonds/from-damo.ts';
import { type ExportOptions, exportSchemes } from '../../src/kdamonds/from-schemes.ts';
import { parseKernelVersion } from '../../src/kdamonds/kernel.ts';
import { sysfsScript, toSysfs } from '../../src/kdamonds/sysfs.ts';
import { createMachine } from '../../src/machines/simulated/machine-spec.ts';
import { ThermoErrors } from '../../src/memory/error.ts';
import { DEFAULT_ATTRS } from '../../src/monitor/monitor.ts';
import { loadSchemes } from '../../src/schemes/load.ts';
import { resolveSchemes } from '../../src/schemes/resolve.ts';

const GIB = 2 ** 30;
const NODE_RANGES = new Map([
  [0, [{ start: 4 * GIB, end: 64 * GIB }]],
  [1, [{ start: 64 * GIB, end: 160 * GIB }]],
]);

function exported(lines: readonly string[], kernel: string, options: Partial<ExportOptions> = {}) {
  const text = `version: 1\nschemes:\n${lines.map((line) => `  - ${line}\n`).join('')}`;
  const machine = createMachine({ machine: 'cxl-typical' }, { seed: 1 });
  try {
    const { schemes } = loadSchemes(text, 'test.yaml', DEFAULT_ATTRS);
    return exportSchemes(resolveSchemes(schemes, damonFacts(machine.nodes)), {
      kernel: parseKernelVersion(kernel),
      pid: undefined,
      nodeRanges: NODE_RANGES,
      attrs: DEFAULT_ATTRS,
      nids: [0, 1],
      ...options,
    });
  } finally {
    machine.close();
  }
}

const kinds = (notes: readonly { readonly kind: string; readonly message: string }[]): string[] =>
  notes.map(({ kind, message }) => `${kind}: ${message}`);

describe('patterns in counts', () => {
  // 20 samples of 5 ms: a rate r is seen in 20 (1 - exp(-0.005 r)) of them.
  test.each([
    ['stat hot>5', { min: 6, max: Number.POSITIVE_INFINITY }],
    ['stat {nr_accesses: {min: 5 samples, max: 15 samples}}', { min: 5, max: 15 }],
    ['stat {nr_accesses: {min: 25 %}}', { min: 5, max: Number.POSITIVE_INFINITY }],
    ['stat {nr_accesses: {max: 0 samples}}', { min: 0, max: 0 }],
    ['stat {nr_accesses: {max: "< 10 samples"}}', { min: 0, max: 9 }],
    ['stat hot>30/s', { min: 3, max: Number.POSITIVE_INFINITY }],
  ])('%s', (line, range) => {
    const [, action, pattern] = /^(\w+) (\{.*)$/.exec(line) ?? [];
    const yaml = pattern === undefined ? line : `{action: ${action}, access_pattern: ${pattern}}`;
    expect(exported([yaml], '7.3').kdamonds[0].schemes[0].nrAccesses).toEqual(range);
  });

  test('an age more than T begins with the next whole interval', () => {
    const [demote] = exported(['demote cold>10s from DRAM to CXL'], '7.3').kdamonds[0].schemes;
    expect(demote.age).toEqual({ min: 101, max: Number.POSITIVE_INFINITY });
    expect(demote.nrAccesses).toEqual({ min: 0, max: 0 });
  });

  test('a rate that DAMON cannot see becomes one sample, and that is said', () => {
    const { kdamonds, notes } = exported(['promote hot>1/s to DRAM'], '7.3');
    expect(kdamonds[0].schemes[0].nrAccesses.min).toBe(1);
    expect(kinds(notes)).toEqual([
      'changed: 1/s per page is less than DAMON sees with these intervals: one sample of 20, or 10.26/s, is the least',
    ]);
  });
});

describe('what a kernel lacks', () => {
  test.each([
    ['promote hot>5 to DRAM', '6.8', 'refused: Linux 6.8 does not migrate (since 6.11)'],
    [
      'promote hot>5 to DRAM quota 1G/s goal DRAM used 99%',
      '6.12',
      'changed: Linux 6.12 has no goal node_mem_used_bp (since 6.16): it becomes user_input',
    ],
    [
      'promote hot>5 to DRAM quota 1G/s',
      '6.12',
      'changed: Linux 6.12 ignores a quota in its first window; an age of 3 aggregation intervals keeps most of what that would move',
    ],
    ['promote hot>5 to DRAM top 3', '7.3', 'lost: top 3: the kernel bounds bytes and time alone'],
    [
      'promote hot>5 to DRAM exchange 2x',
      '7.3',
      'lost: an exchange has no counterpart: a full target takes what comes as far as reclaim makes room',
    ],
    ['collapse', '7.1', 'refused: Linux 7.1 cannot collapse (since 7.2)'],
    [
      '{action: migrate_hot, dests: [{id: 0, weight: 2}, {id: 1, weight: 1}]}',
      '6.16',
      'refused: Linux 6.16 has no weighted targets (since 6.17)',
    ],
    [
      'promote hot>5 to DRAM quota 1G/s goal fast-share 90%',
      '7.3',
      "refused: the goal fast_access_bp is none of DAMON's",
    ],
  ])('%s on %s', (line, kernel, message) => {
    expect(kinds(exported([line], kernel).notes)).toContain(message);
  });

  test('one filter that allows is turned round before 6.14, several are refused', () => {
    const young = 'filter_type: young, matching: true, allow: true';
    const [scheme] = exported([`{action: migrate_hot, filters: [{${young}}]}`], '6.12').kdamonds[0].schemes;
    expect(scheme.filters).toMatchObject([{ type: 'young', matching: false, allow: false }]);
    const two = `{action: migrate_hot, filters: [{${young}}, {filter_type: anon, allow: true}]}`;
    expect(exported([two], '6.12').kdamonds).toEqual([]);
    expect(exported([two], '6.14').kdamonds[0].schemes[0].filters).toHaveLength(2);
  });

  test('migrations of a process are refused where the kernel takes them and does nothing', () => {
    const line = ['promote hot>5 to DRAM'];
    expect(kinds(exported(line, '6.12', { pid: 7 }).notes)).toEqual([
      'refused: Linux 6.12 takes migrations of a process and does nothing (since 6.17)',
    ]);
    expect(exported(line, '7.3', { pid: 7 }).kdamonds[0]).toMatchObject({
      ops: 'vaddr',
      targets: [{ pid: 7, regions: [] }],
    });
  });
});

describe('sources', () => {
  test('each source of schemes gets a kdamond that watches its memory', () => {
    const { kdamonds, notes } = exported(
      ['promote hot>5 from CXL to DRAM', 'demote cold>10s from DRAM to CXL', 'stat hot>5'],
      '7.3',
    );
    expect(notes).toEqual([]);
    expect(
      kdamonds.map(({ targets, schemes }) => [targets[0].regions, schemes.map(({ action }) => action)]),
    ).toEqual([
      [NODE_RANGES.get(1), ['migrate_hot']],
      [NODE_RANGES.get(0), ['migrate_cold']],
      [[...(NODE_RANGES.get(0) ?? []), ...(NODE_RANGES.get(1) ?? [])], ['stat']],
    ]);
  });

  test('of two nodes the source needs no addresses, of three it does', () => {
    const options = { nodeRanges: new Map() };
    const line = ['promote hot>5 from CXL to DRAM'];
    expect(exported(line, '7.3', options).kdamonds).toHaveLength(1);
    expect(exported(line, '7.3', { ...options, nids: [0, 1, 2] }).kdamonds).toEqual([]);
  });
});

describe('addresses that are said', () => {
  test('are watched where those of nodes are not known, and nothing else goes unsaid for that', () => {
    const intervalsGoal = { accessBp: 400, aggrs: 3, minSampleUs: 5000, maxSampleUs: 1e7 };
    const { kdamonds, notes } = exported(['stat hot>5'], '6.12', {
      nodeRanges: new Map(),
      regions: [{ start: 0, end: GIB }],
      attrs: { ...DEFAULT_ATTRS, intervalsGoal },
    });
    expect(kdamonds[0].targets[0].regions).toEqual([{ start: 0, end: GIB }]);
    expect(kinds(notes)).toEqual([
      'lost: Linux 6.12 does not tune intervals (since 6.15): they stay as they are',
    ]);
  });
});

describe("the kernel's files", () => {
  const LISTS = fileURLToPath(new URL('../../../shared/data/damon-sysfs', import.meta.url));
  const SCHEMES = [
    'promote hot>5 from CXL to DRAM only young quota 1G/s, 10ms/s goal DRAM used 99.7% every 1s',
    '{action: pageout, filters: [{filter_type: memcg, memcg_path: /app}, {filter_type: addr, address_range: [4G, 8G]}]}',
    'stat hot>5 when free_mem 20%..50% at most 3 rounds',
  ];

  // Lists of real kernels are not part of the project; without them there is nothing to hold the paths against.
  test.skipIf(!existsSync(LISTS)).each(['6.12', '6.18', '7.3'])(
    'every path that is written exists in Linux %s',
    (kernel) => {
      const known = new Set(
        readFileSync(`${LISTS}/linux-${kernel}.txt`, 'utf8')
          .split('\n')
          .filter((line) => line.includes(' = '))
          .map((line) => line.split(' = ')[0].replace('kdamonds/', '')),
      );
      const { kdamonds, notes } = exported(SCHEMES, kernel);
      expect(kinds(notes).filter((note) => note.startsWith('refused'))).toEqual([]);
      const writes = toSysfs(kdamonds, parseKernelVersion(kernel));
      expect(writes.length).toBeGreaterThan(80);
      const unknown = writes
        .map(({ path }) => path.replace(/\b\d+\b/g, '0'))
        .filter((path) => !known.has(path));
      expect(unknown).toEqual([]);
    },
  );

  test('directories are made before what lies in them', () => {
    const writes = toSysfs(exported(SCHEMES, '7.3').kdamonds, parseKernelVersion('7.3'));
    const made = new Map<string, number>();
    for (const { path, value } of writes) {
      for (const [, parent, index] of path.matchAll(/(?=(?:^|\/)(.*?)\/?(\d+)(?:\/|$))/g)) {
        if (made.has(parent)) expect(Number(index)).toBeLessThan(made.get(parent) ?? 0);
      }
      const count = /^(.*?)\/?nr_(kdamonds|contexts|targets|schemes|goals|filters|dests)$/.exec(path);
      if (count) made.set(count[1], Number(value));
    }
    expect(made.size).toBeGreaterThan(10);
  });

  test('open ends are the largest numbers of their types', () => {
    const script = sysfsScript(toSysfs(exported(['stat hot>5'], '7.3').kdamonds, parseKernelVersion('7.3')));
    expect(script).toContain(
      `echo '18446744073709551615' > "$damon/0/contexts/0/schemes/0/access_pattern/sz/max"`,
    );
    expect(script).toContain(
      `echo '4294967295' > "$damon/0/contexts/0/schemes/0/access_pattern/nr_accesses/max"`,
    );
  });
});

describe('damo', () => {
  const LINES = [
    'promote hot>5 from CXL to DRAM only young quota 200M/s goal DRAM used 99.7%',
    'demote cold>10s from DRAM to CXL quota 200M/s',
  ];

  test('blocks are complete, as damo 3.3.0 wants them', () => {
    const { kdamonds } = toDamoJson(exported(LINES, '7.3').kdamonds) as {
      kdamonds: { contexts: { schemes: Record<string, object>[] }[] }[];
    };
    const [scheme] = kdamonds[0].contexts[0].schemes;
    expect(scheme).toMatchObject({
      action: 'migrate_hot',
      target_nid: 0,
      access_pattern: {
        sz_bytes: { min: 0, max: 'max' },
        nr_accesses: { min: '6 samples', max: '4294967295 samples' },
        age: { min: '0 aggr_intervals', max: '4294967295 aggr_intervals' },
      },
      quotas: { time_ms: 0, sz_bytes: 200 * 2 ** 20, reset_interval_ms: 1000 },
      watermarks: { metric: 'none', interval_us: 0, high_permil: 0, mid_permil: 0, low_permil: 0 },
      filters: [{ filter_type: 'young', matching: false, allow: false }],
    });
  });

  test('options are flat lists with counters', () => {
    const line = shellLine(toDamoArgs(exported(LINES, '7.3').kdamonds));
    expect(line).toContain(
      "--damos_action migrate_hot 0 --damos_sz_region 0 max --damos_access_rate '6 samples' max",
    );
    expect(line).toContain('--damos_quota_goal node_mem_used_bp 99.7% 0');
    expect(line).toContain('--nr_targets 1 1 --nr_schemes 1 1 --nr_ctxs 1 1');
    expect(line).toContain('--damos_nr_quota_goals 1 0 --damos_nr_filters 1 0');
  });

  test('bare numbers, commas and human text come back in their units', () => {
    const { text, notes } = fromDamo(
      JSON.stringify([
        {
          action: 'migrate_hot',
          target_nid: 0,
          access_pattern: {
            sz_bytes: { min: '4.000 KiB', max: 'max' },
            nr_accesses: { min: 5, max: '100 %' },
            age: { min: '1 s', max: 'max' },
          },
          quotas: {
            time_ms: '0 ns',
            sz_bytes: '200.000 MiB',
            reset_interval_ms: '1 s',
            weights: { sz_permil: 0, nr_accesses_permil: 100, age_permil: '10 %' },
            goals: [{ metric: 'node_mem_used_bp', nid: 0, target_value: '9,970', current_value: 0 }],
          },
          filters: [{ filter_type: 'young', matching: 'yes', filter_pass: 'y' }],
        },
      ]),
      'damo.json',
    );
    expect(notes).toEqual([]);
    const [scheme] = loadSchemes(text, 'damo.yaml', DEFAULT_ATTRS).schemes;
    expect(scheme.pattern.minRatePerS.value).toBeCloseTo((-Math.log(0.95) * 1e6) / 5000, 9);
    expect(scheme.pattern.maxRatePerS.value).toBe(Number.POSITIVE_INFINITY);
    expect(scheme.pattern.minAgeUs.value).toBe(1e6);
    expect(scheme.quota).toMatchObject({
      szBytes: 200 * 2 ** 20,
      prioritize: 'damon',
      tuner: 'consist',
      weights: { sz: 0, nrAccesses: 0.1, age: 0.1 },
      goals: [{ metric: 'node_mem_used_bp', targetValue: 9970, place: 'node0' }],
    });
    expect(scheme.filters).toMatchObject([{ type: 'young', matching: true, allow: true }]);
  });

  test('a mistake is told where it stands, with the nearest word', () => {
    const wrong = (): unknown => fromDamo('[{"action": "migrat_hot"}]', 'damo.json');
    expect(wrong).toThrow(ThermoErrors);
    try {
      wrong();
    } catch (error) {
      const [problem] = (error as ThermoErrors).errors;
      expect(problem.message).toBe('unknown action "migrat_hot"');
      expect(problem.hint).toContain('did you mean "migrate_hot"?');
      expect(problem.where).toMatchObject({ line: 1, column: 13 });
    }
  });
});
