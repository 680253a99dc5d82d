/**
 * The machine file, once: TypeScript types, validation and the JSON Schema for editors all come from here.
 * The format is explained in docs/machines.md.
 */
import Type, { type Static, type TOptional, type TUnsafe } from 'typebox';
import { NODE_KINDS } from '../../../memory/tier.ts';
import { jsonSchemaDocument, quantity, wordOf } from '../../../yaml/quantity.ts';
import { WORKLOADS } from '../workloads/index.ts';
import { DISTRIBUTIONS } from '../workloads/parameters.ts';
import { PARAMETER_KEY_NAMES, PARAMETER_KEYS, type ParameterKeyName } from './parameter-keys.ts';

const nid = (description: string) => Type.Integer({ minimum: 0, maximum: 63, description, examples: [0] });
const count = (description: string, most: number, example: number) =>
  Type.Integer({ minimum: 1, maximum: most, description, examples: [example] });
const name = (description: string) => Type.String({ minLength: 1, description, examples: ['heap'] });

export const NodeSchema = Type.Object(
  {
    kind: wordOf(NODE_KINDS, 'what the memory is'),
    size: quantity('capacity', ['64 GiB']),
    latency: quantity('time of an access at rest', ['110ns']),
    bandwidth: quantity('sustained bandwidth', ['250 GB/s']),
    cpus: Type.Optional(Type.Boolean({ description: 'CPUs are on this node; none if left out' })),
    system: Type.Optional(quantity('taken before the workload starts; none if left out', ['2 GiB'])),
  },
  { description: 'a NUMA node; they are numbered from 0 in order', additionalProperties: false },
);

export const RangeSchema = Type.Object(
  {
    name: name('by which areas name it'),
    size: quantity('whole pages; ranges follow each other in address order', ['10 GiB']),
    node: Type.Optional(nid('filled first; the nearest node with room if left out')),
    late: Type.Optional(Type.Boolean({ description: 'true: not there before a phase allocates it' })),
    anonymous: Type.Optional(Type.Boolean({ description: 'false: page cache' })),
    mapped: Type.Optional(Type.Boolean({ description: 'false: no process maps it' })),
    memcg: Type.Optional(Type.String({ description: 'memory cgroup', examples: ['/app'] })),
    page: Type.Optional(quantity('size of its pages; 4 KiB if left out', ['2 MiB'])),
  },
  { description: 'memory of the workload', additionalProperties: false },
);

export const AreaSchema = Type.Object(
  {
    range: name('of the range that it is part of'),
    at: Type.Optional(quantity('where in the range it begins; 0 if left out', ['1 GiB'])),
    size: Type.Optional(quantity('up to the end of the range if left out', ['2 GiB'])),
    share: Type.Optional(quantity("of the phase's accesses; all if left out", ['85%'])),
  },
  { description: 'pages that are accessed uniformly', additionalProperties: false },
);

export const PhaseSchema = Type.Object(
  {
    areas: Type.Optional(Type.Array(AreaSchema, { description: 'none: the thread waits' })),
    accesses: Type.Optional(quantity('after which the next phase begins', ['10G'])),
    for: Type.Optional(quantity('time after which the next phase begins', ['30s'])),
    allocate: Type.Optional(name('of a late range that the thread touches for the first time')),
    rate: Type.Optional(quantity('of allocating; 4 GiB/s if left out', ['1 GiB/s'])),
    bound: Type.Optional(nid('the only node to allocate from; the nearest with room if left out')),
  },
  {
    description: 'what a thread does for a while; without an end: for the rest',
    additionalProperties: false,
  },
);

export const ThreadSchema = Type.Object(
  {
    name: name('shown in reports'),
    node: Type.Optional(nid('whose CPU runs it; the first with CPUs if left out')),
    loads: Type.Optional(quantity('share of loads among its accesses; 70% if left out', ['70%'])),
    pace: Type.Optional(
      quantity('closed: the next access waits for the one before (if left out); or accesses per second', [
        'closed',
        '60M/s',
      ]),
    ),
    count: Type.Optional(count('equal threads that go in step', 4096, 8)),
    in_flight: Type.Optional(count('accesses that each has outstanding at a time', 1024, 4)),
    compute: Type.Optional(quantity('time between two accesses without memory', ['50ns'])),
    repeat: Type.Optional(count('how often its phases are gone through', 1_000_000, 10)),
    phases: Type.Array(PhaseSchema, { minItems: 1, description: 'one after the other' }),
  },
  { description: 'a thread, or several that go in step', additionalProperties: false },
);

type Quantity = TOptional<TUnsafe<string | number>>;

// fromEntries loses the names of the keys, which are those of the table.
const parameters = Object.fromEntries(
  PARAMETER_KEY_NAMES.map((key) => {
    const { description, examples } = PARAMETER_KEYS[key];
    const schema =
      key === 'distribution' ? wordOf(DISTRIBUTIONS, description) : quantity(description, examples);
    return [key, Type.Optional(schema)];
  }),
) as Record<ParameterKeyName, Quantity>;

const summaries = Object.entries(WORKLOADS).map(([word, { summary }]) => `${word}: ${summary}`);

export const WorkloadSchema = Type.Object(
  {
    name: Type.String({
      minLength: 1,
      description: `one of these, or any name if it is written out below. ${summaries.join('; ')}`,
      examples: Object.keys(WORKLOADS),
    }),
    ...parameters,
    ranges: Type.Optional(Type.Array(RangeSchema, { minItems: 1, description: 'memory, if written out' })),
    threads: Type.Optional(Type.Array(ThreadSchema, { minItems: 1, description: 'who accesses it' })),
    duration: Type.Optional(quantity('ends the run; left out: the threads do', ['5m'])),
  },
  {
    description: 'a workload by name with parameters, or written out with ranges and threads',
    additionalProperties: false,
  },
);

export const MACHINE_SCHEMA_ID = 'https://thermocline.invalid/schema/machine-1.json';

export const MachineFileSchema = Type.Object(
  {
    name: Type.String({ minLength: 1, description: 'shown in reports', examples: ['my-box'] }),
    nodes: Type.Array(NodeSchema, { minItems: 1, maxItems: 64, description: 'NUMA nodes' }),
    contention: Type.Optional(
      Type.Boolean({
        description: 'accesses take longer on nodes whose bandwidth is used; false if left out',
      }),
    ),
    migration: Type.Optional(quantity('bandwidth of migrations; 2 GiB/s if left out', ['2 GiB/s'])),
    kswapd: Type.Optional(
      quantity("bandwidth of the machine's own demotion, or off; 2 GiB/s if left out", ['2 GiB/s', 'off']),
    ),
    swap: Type.Optional(quantity('bandwidth of the swap device; none if left out', ['1 GB/s'])),
    watermarks: Type.Optional(
      Type.Boolean({ description: "nodes keep the kernel's watermarks free; true if left out" }),
    ),
    sampled: Type.Optional(
      quantity('share of accesses that miss the last-level cache and can be sampled; 100% if left out', [
        '80%',
      ]),
    ),
    push: Type.Optional(
      quantity('how samples are taken unless --push says; 5876/s if left out', ['5876/s', 'period=10000']),
    ),
    workload: Type.Optional(WorkloadSchema),
  },
  { $id: MACHINE_SCHEMA_ID, title: 'thermocline machine', additionalProperties: false },
);

export type MachineFile = Static<typeof MachineFileSchema>;
export type NodeEntry = Static<typeof NodeSchema>;
export type WorkloadEntry = Static<typeof WorkloadSchema>;
export type RangeEntry = Static<typeof RangeSchema>;
export type ThreadEntry = Static<typeof ThreadSchema>;
export type PhaseEntry = Static<typeof PhaseSchema>;
export type AreaEntry = Static<typeof AreaSchema>;

/** The JSON Schema document (draft-07) that editors use. */
export function machineJsonSchema(): object {
  return jsonSchemaDocument(MachineFileSchema);
}
