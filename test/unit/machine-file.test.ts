import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { loadMachine } from '../../src/machines/simulated/file/load-machine.ts';
import { machineJsonSchema } from '../../src/machines/simulated/file/machine-schema.ts';
import { PARAMETER_KEY_NAMES } from '../../src/machines/simulated/file/parameter-keys.ts';
import { createMachine, simulatedConfig } from '../../src/machines/simulated/machine-spec.ts';
import { PRESET_NAMES } from '../../src/machines/simulated/presets/index.ts';
import { WORKLOAD_NAMES, WORKLOADS } from '../../src/machines/simulated/workloads/index.ts';
import { COMMON_NAMES } from '../../src/machines/simulated/workloads/parameters.ts';
import { ThermoErrors } from '../../src/memory/error.ts';

const FOLDER = new URL('../../machines/', import.meta.url);
const EXAMPLES = readdirSync(FOLDER).filter((name) => name.endsWith('.yaml'));
const DOCS = readFileSync(new URL('../../docs/machines.md', import.meta.url), 'utf8');

const NODES = `name: box
nodes:
  - { kind: DRAM, size: 4 GiB, cpus: true, latency: 110ns, bandwidth: 250 GB/s, system: 1 GiB }
  - { kind: CXL, size: 8 GiB, latency: 265ns, bandwidth: 25 GB/s }
`;

/** The problems of a file: line:column and message. */
function problemsOf(text: string): string[] {
  try {
    loadMachine(text, 'box.yaml');
  } catch (error) {
    if (!(error instanceof ThermoErrors)) throw error;
    return error.errors.map(({ where, message }) => `${where?.line}:${where?.column} ${message}`);
  }
  return [];
}

const hintOf = (text: string): string | undefined => {
  try {
    loadMachine(text, 'box.yaml');
  } catch (error) {
    if (error instanceof ThermoErrors) return error.errors[0].hint;
  }
  return undefined;
};

const written = (workload: string): string => `${NODES}workload:\n  name: own\n${workload}`;

const HEAP = `  ranges:
    - { name: heap, size: 2 GiB }
`;

describe('machine files', () => {
  test('there are three examples', () => expect(EXAMPLES.length).toBeGreaterThanOrEqual(3));

  test.each(EXAMPLES)('machines/%s loads, runs to its end, and keeps its memory', (name) => {
    const text = readFileSync(new URL(name, FOLDER), 'utf8');
    const machine = createMachine({ machine: name, text }, { seed: 1 });
    while (!machine.isDone()) machine.advance(1e6);
    expect(machine.truth.totals().accesses).toBeGreaterThan(0);
    for (const { nid } of machine.nodes) expect(machine.gauge(nid).freeBytes).toBeGreaterThanOrEqual(0);
    expect(machine.warnings().filter((warning) => warning.startsWith('out of memory'))).toEqual([]);
  });

  test('say what they mean of the hardware', () => {
    const { hardware } = loadMachine(
      `${NODES}contention: true\nkswapd: off\nmigration: 1 GiB/s\nswap: 1 GB/s\nwatermarks: false\nsampled: 80%\npush: off\n`,
      'box.yaml',
    );
    expect(hardware).toMatchObject({
      name: 'box',
      followsLoad: true,
      sampledShare: 0.8,
      push: { kind: 'off' },
      mover: {
        kswapdBytesPerS: 0,
        migrationBytesPerS: 2 ** 30,
        swapBytesPerS: 1e9,
        useWatermarks: false,
        systemBytes: [2 ** 30, 0],
      },
    });
    expect(hardware.nodes).toMatchObject([
      { nid: 0, kind: 'DRAM', accessNs: 110, hasCpus: true, adistance: 576 },
      { nid: 1, kind: 'CXL', accessNs: 265, hasCpus: false, adistance: 13870 },
    ]);
  });

  test('written as the preset is, make the same machine', () => {
    const text = `name: cxl-typical
nodes:
  - { kind: DRAM, size: 64 GiB, cpus: true, latency: 110ns, bandwidth: 250 GB/s, system: 2 GiB }
  - { kind: CXL, size: 96 GiB, latency: 265ns, bandwidth: 25 GB/s }
`;
    const { workload: own, ...file } = simulatedConfig({ machine: 'x.yaml', text }, { seed: 1 });
    const { workload, ...preset } = simulatedConfig({ machine: 'cxl-typical' }, { seed: 1 });
    expect(file).toEqual(preset);
    expect(own.name).toBe(workload.name);
    expect(own.threads[0].phase(0)).toEqual(workload.threads[0].phase(0));
  });

  test('set a named workload by its parameters, and --workload goes before it', () => {
    const text = `${NODES}workload: { name: zipf-kv, size: 6 GiB, workers: 2, lasts: 10s, exponent: 0.8 }\n`;
    const config = simulatedConfig({ machine: 'box.yaml', text }, { seed: 1 });
    expect(config.workload.name).toBe('key-value store of 6.00 GiB, zipf 0.8, hashed');
    expect(config.workload.threads[0].count).toBe(2);
    const other = simulatedConfig({ machine: 'box.yaml', text, workload: 'btree' }, { seed: 1 });
    expect(other.workload.name).toMatch(/^B\+ tree/);
  });

  test('a size on the command line is refused', () => {
    expect(() =>
      simulatedConfig({ machine: 'box.yaml', text: NODES }, { seed: 1, sizeBytes: 2 ** 30 }),
    ).toThrow(/cannot be 1.00 GiB large/);
  });

  test('a workload that is written out repeats its phases, and waits', () => {
    const { workload } = simulatedConfig(
      {
        machine: 'box.yaml',
        text: written(`${HEAP}  threads:
    - { name: t, repeat: 3, count: 2, in_flight: 4, compute: 50ns, loads: 25%, phases: [{ for: 1s }, { accesses: 1M, areas: [{ range: heap, at: 1 GiB }] }] }
`),
      },
      { seed: 1 },
    );
    const [thread] = workload.threads;
    expect(thread).toMatchObject({ phaseCount: 6, count: 2, inFlight: 4, computeNs: 50, loadShare: 0.25 });
    expect(thread.phase(4)).toMatchObject({ areas: [], forUs: 1e6 });
    expect(thread.phase(5)).toEqual({
      accesses: 1e6,
      areas: [{ start: 2 ** 30, end: 2 ** 31, share: 1 }],
    });
  });
});

describe('mistakes in a machine file', () => {
  const PHASES = (phases: string) => `${HEAP}  threads:
    - { name: t, phases: [${phases}] }
`;
  test.each([
    ['', '1:1 the file is empty'],
    [`${NODES}contentoin: true\n`, '5:1 unknown key "contentoin" in the file'],
    ['name: box\n', '1:1 the file lacks the key "nodes"'],
    [NODES.replace('DRAM', 'DRAMM'), '3:13 kind: "DRAMM" is not known'],
    [NODES.replace('cpus: true, ', ''), '3:3 no node has CPUs'],
    [NODES.replace('110ns', '110'), '3:53 latency: "110" is not a time'],
    [NODES.replace('system: 1 GiB', 'system: 4 GiB'), '3:89 system: 4.00 GiB of 4.00 GiB'],
    [`${NODES}workload: { name: gups, fanout: 3 }\n`, '5:33 fanout: has no meaning for the workload gups'],
    [`${NODES}workload: { name: gupps }\n`, '5:19 there is no workload "gupps"'],
    [`${NODES}workload: { name: gups, size: 1 MiB }\n`, '5:31 size: 1 MiB is not possible'],
    [written(HEAP), '6:3 a workload that is written out lacks the key "threads"'],
    [written(PHASES('{ accesses: 1, areas: [{ range: haep }] }')), '10:59 there is no range "haep"'],
    [written(PHASES('{ areas: [{ range: heap }] }')), '6:3 this workload has no end'],
    [
      written(PHASES('{ accesses: 1, areas: [{ range: heap, share: 50% }] }')),
      '10:49 the shares of this phase sum to 50.0 %',
    ],
    [written(PHASES('{ allocate: heap }')), '10:39 the range "heap" is there from the start'],
    [
      written(PHASES('{ accesses: 1, areas: [{ range: heap, at: 1 GiB, size: 2 GiB }] }')),
      '10:50 this area is not inside "heap"',
    ],
    [
      written(PHASES('{ areas: [{ range: heap }] }, { for: 1s }')),
      '10:27 this phase has no end, and others follow it',
    ],
    [
      written(PHASES('{ for: 1s }').replace('2 GiB }', '2 GiB, late: true }')),
      '8:40 nobody allocates the late range "heap"',
    ],
    [written(PHASES('{ for: 1s }').replace('2 GiB', '20 GiB')), '8:5 the ranges have 20.0 GiB'],
  ])('are told with their place: %#', (text, problem) => {
    expect(problemsOf(text).join('\n')).toContain(problem);
  });

  test('are told all at once, in the order of the file', () => {
    const problems = problemsOf(
      `${NODES.replace('110ns', 'soon').replace('25 GB/s', '0 GB/s')}sampled: 120%\nworkload: { name: gups, hot: 95%, object: 4 }\n`,
    );
    expect(problems.map((each) => Number(each.split(':')[0]))).toEqual([3, 4, 5, 6, 6]);
  });

  test('get the nearest word', () => {
    expect(hintOf(`${NODES}contentoin: true\n`)).toMatch(/did you mean "contention"/);
    expect(hintOf(`${NODES}workload: { name: gupps }\n`)).toMatch(/did you mean "gups"/);
    expect(hintOf(written(PHASES('{ accesses: 1, areas: [{ range: haep }] }')))).toMatch(
      /did you mean "heap"/,
    );
  });
});

describe('the documentation of machines', () => {
  /** Every key of the schema, wherever it is. */
  function keysOf(part: object): string[] {
    const { properties = {}, items } = part as { properties?: Record<string, object>; items?: object };
    return [
      ...Object.keys(properties),
      ...Object.values(properties).flatMap(keysOf),
      ...(items === undefined ? [] : keysOf(items)),
    ];
  }

  test('names every machine, workload and key', () => {
    const known = [...PRESET_NAMES, ...WORKLOAD_NAMES, ...keysOf(machineJsonSchema())];
    expect(known.filter((word) => !DOCS.includes(`\`${word}\``))).toEqual([]);
  });

  test('every parameter that a workload takes has a key', () => {
    expect(PARAMETER_KEY_NAMES.length).toBe(
      new Set([...COMMON_NAMES, ...Object.values(WORKLOADS).flatMap(({ takes }) => takes)]).size,
    );
  });
});
