/**
 * The scheme file, once: TypeScript types, validation and the JSON Schema for editors all come from
 * here. Keys of the long form are those of damo's kdamonds files; where a key names a unit
 * (`apply_interval_us`), a bare number is in that unit and a text brings its own (`1s`).
 */
import Type, { type Static } from 'typebox';
import { MONITOR_NAMES, type MonitorName } from '../monitor/create-monitor.ts';
import { jsonSchemaDocument, quantity } from '../yaml/quantity.ts';

const range = (description: string, examples: readonly [string | number, string | number]) =>
  Type.Object(
    {
      min: Type.Optional(
        quantity('lower bound, inclusive unless written "> X"; open if left out', [examples[0]]),
      ),
      max: Type.Optional(quantity('upper bound, inclusive; "max" or nothing: open', [examples[1]])),
    },
    { description, additionalProperties: false },
  );

export const AccessPatternSchema = Type.Object(
  {
    sz_bytes: Type.Optional(range('size of the region', ['4 KiB', 'max'])),
    nr_accesses: Type.Optional(
      range(
        'how often its pages are accessed: "5 samples" of an aggregation interval, "25 %" of the samples, or "30/s" per page',
        ['> 5 samples', '100 %'],
      ),
    ),
    age: Type.Optional(range('how long that has been so: a time, or "10 aggr_intervals"', ['2s', 'max'])),
  },
  { description: 'which regions the scheme is for', additionalProperties: false },
);

export const QuotasSchema = Type.Object(
  {
    sz_bytes: Type.Optional(quantity('most bytes tried per window; left out: no limit', ['1 GiB', '200M'])),
    reset_interval_ms: Type.Optional(quantity('length of the window; 1 s if left out', ['1s', 1000])),
    top: Type.Optional(
      Type.Integer({
        minimum: 1,
        description: 'act on at most this many regions per round, those of highest priority',
        examples: [1000],
      }),
    ),
    weights: Type.Optional(
      Type.Object(
        {
          sz_permil: Type.Optional(quantity('weight of the size in the priority', [0, '10 %'])),
          nr_accesses_permil: Type.Optional(quantity('weight of the access rate', [1000, '100 %'])),
          age_permil: Type.Optional(quantity('weight of the age', [0, '50 %'])),
        },
        {
          description: 'what makes a region come first when the quota is short',
          additionalProperties: false,
        },
      ),
    ),
  },
  { description: 'how much the scheme may do', additionalProperties: false },
);

export const ACTIONS = ['migrate_hot', 'migrate_cold', 'stat'] as const;

export const LongSchemeSchema = Type.Object(
  {
    name: Type.Optional(
      Type.String({
        minLength: 1,
        description: 'shown in reports; must be unique',
        examples: ['promote-hot'],
      }),
    ),
    action: Type.Unsafe<(typeof ACTIONS)[number]>({
      type: 'string',
      enum: [...ACTIONS],
      description:
        'migrate_hot: move to the target, hottest first; migrate_cold: coldest first; stat: only count',
    }),
    access_pattern: Type.Optional(AccessPatternSchema),
    target: Type.Optional(
      Type.String({
        description: 'where to: DRAM, CXL, HBM, PMEM, nodeN, fast or slow',
        examples: ['DRAM', 'node1', 'slow'],
      }),
    ),
    target_nid: Type.Optional(Type.Integer({ minimum: 0, description: 'where to, as a NUMA node number' })),
    from: Type.Optional(
      Type.String({
        description: 'act only on memory that lies there; names as for target',
        examples: ['CXL'],
      }),
    ),
    apply_interval_us: Type.Optional(
      quantity('time between two rounds; 0: each aggregation interval', ['1s', 0]),
    ),
    quotas: Type.Optional(QuotasSchema),
  },
  { description: 'a scheme in the long form', additionalProperties: false },
);

export const IntervalsGoalSchema = Type.Object(
  {
    access_bp: Type.Optional(
      quantity('share of the accesses to observe; a bare number counts 1/10000', ['4 %', 400]),
    ),
    aggrs: Type.Optional(
      Type.Integer({
        minimum: 0,
        description: 'aggregation intervals between two adjustments; 0: never',
        examples: [3],
      }),
    ),
    min_sample_us: Type.Optional(quantity('shortest sampling interval', ['5ms'])),
    max_sample_us: Type.Optional(quantity('longest sampling interval', ['10s'])),
  },
  {
    description: 'tune both intervals; what is left out: 4 %, 3, 5ms, 10s, as DAMON recommends',
    additionalProperties: false,
  },
);

export const MonitorBlockSchema = Type.Object(
  {
    name: Type.Optional(
      Type.Unsafe<MonitorName>({
        type: 'string',
        enum: [...MONITOR_NAMES],
        description: 'how memory is watched; evidence if left out',
      }),
    ),
    intervals: Type.Optional(
      Type.Object(
        {
          sample_us: Type.Optional(quantity('sampling interval', ['5ms'])),
          aggr_us: Type.Optional(quantity('aggregation interval', ['100ms'])),
          intervals_goal: Type.Optional(IntervalsGoalSchema),
        },
        { additionalProperties: false },
      ),
    ),
    nr_regions: Type.Optional(
      Type.Object(
        {
          min: Type.Optional(Type.Integer({ description: 'fewest regions, at least 3', examples: [10] })),
          max: Type.Optional(Type.Integer({ description: 'most regions', examples: [1000] })),
        },
        { additionalProperties: false },
      ),
    ),
    min_region_sz: Type.Optional(quantity('smallest region, a power of two', ['4 KiB', '2 MiB'])),
    pull: Type.Optional(quantity('Accessed-bit checks per second, or off', ['15000/s', 'off'])),
    push: Type.Optional(
      quantity('access samples: per second, each N-th access that misses the cache, or off', [
        '5876/s',
        'period=10000',
        'off',
      ]),
    ),
    weights: Type.Optional(
      Type.Object(
        {
          pull: Type.Optional(quantity('weight of pull evidence', [1, '50 %'])),
          push: Type.Optional(quantity('weight of push evidence', [1, 0.5])),
        },
        {
          description: "how much one source's evidence counts beside the other's, 0 to 1; 1 each if left out",
          additionalProperties: false,
        },
      ),
    ),
    overhead: Type.Optional(
      quantity('share of one CPU to which the rates of checks and samples are tuned, or off', ['1 %', 'off']),
    ),
  },
  {
    description:
      'how memory is watched; the command line goes before it. Defaults: 5ms, 100ms, 10..1000 regions, 4 KiB',
    additionalProperties: false,
  },
);

export const SCHEMA_ID = 'https://thermocline.invalid/schema/schemes-1.json';

export const SchemeFileSchema = Type.Object(
  {
    version: Type.Literal(1, { description: 'version of the scheme language' }),
    monitor: Type.Optional(MonitorBlockSchema),
    schemes: Type.Array(
      Type.Union([
        Type.String({
          description:
            'a sentence: promote | demote | stat, then in any order: hot>N, cold>T, size>B, for T, from TIER, to TIER, quota B/T, top N, every T, named NAME',
          examples: ['promote hot>5 to DRAM quota 1G/s', 'demote cold>30s from DRAM to CXL quota 512M/s'],
        }),
        LongSchemeSchema,
      ]),
      { minItems: 1, description: 'tried in this order on every region' },
    ),
  },
  { $id: SCHEMA_ID, title: 'thermocline scheme file', additionalProperties: false },
);

export type SchemeFile = Static<typeof SchemeFileSchema>;
export type LongScheme = Static<typeof LongSchemeSchema>;
export type MonitorBlock = Static<typeof MonitorBlockSchema>;

/** The JSON Schema document (draft-07) that editors use. */
export function schemeJsonSchema(): object {
  return jsonSchemaDocument(SchemeFileSchema);
}
