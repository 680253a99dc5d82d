/**
 * The scheme file, once: TypeScript types, validation and the JSON Schema for editors all come from
 * here. Keys of the long form are those of damo's kdamonds files; where a key names a unit
 * (`apply_interval_us`), a bare number is in that unit and a text brings its own (`1s`).
 */
import Type, { type Static } from 'typebox';
import { jsonSchemaDocument, quantity, wordOf } from '../yaml/quantity.ts';
import { SENTENCE_EXAMPLES, SENTENCE_GRAMMAR, SENTENCE_SNIPPETS } from './clauses.ts';
import { FilterSchema, WatermarksSchema } from './filter-schema.ts';
import { MonitorBlockSchema } from './monitor-schema.ts';
import { QuotasSchema } from './quota-schema.ts';
import { ACTIONS, wordsOf } from './vocabulary.ts';

const range = (description: string, examples: readonly [string | number, string | number]) =>
  Type.Object(
    {
      min: Type.Optional(
        quantity('lower bound, inclusive unless written "> X"; open if left out', [examples[0]]),
      ),
      max: Type.Optional(
        quantity('upper bound, inclusive unless written "< X"; "max" or nothing: open', [examples[1]]),
      ),
    },
    { description, additionalProperties: false },
  );

const AccessPatternSchema = Type.Object(
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

const PLACES = 'DRAM, CXL, HBM, PMEM, nodeN, fast or slow';

const DestSchema = Type.Object(
  {
    target: Type.Optional(Type.String({ description: `where to: ${PLACES}`, examples: ['DRAM'] })),
    id: Type.Optional(
      Type.Integer({ minimum: 0, description: 'where to, as a NUMA node number', examples: [0] }),
    ),
    weight: Type.Integer({ minimum: 0, description: 'its part of the pages', examples: [2] }),
  },
  { description: 'one of several places that share the pages by weight', additionalProperties: false },
);

const LongSchemeSchema = Type.Object(
  {
    name: Type.Optional(
      Type.String({
        minLength: 1,
        description: 'shown in reports; must be unique',
        examples: ['promote-hot'],
      }),
    ),
    action: wordOf(
      wordsOf(ACTIONS),
      `what is done to the memory: the scheme ${wordsOf(ACTIONS)
        .map((action) => `${ACTIONS[action].verb} it (${action})`)
        .join(', ')}. migrate_hot: hottest first; migrate_cold: coldest first`,
    ),
    access_pattern: Type.Optional(AccessPatternSchema),
    target: Type.Optional(
      Type.String({
        description: `where to: ${PLACES}, or accessing: the node whose CPUs access the memory. Default: fast for migrate_hot, slow for migrate_cold`,
        examples: ['DRAM', 'node1', 'slow', 'accessing'],
      }),
    ),
    target_nid: Type.Optional(
      Type.Integer({ minimum: 0, description: 'where to, as a NUMA node number', examples: [0] }),
    ),
    dests: Type.Optional(
      Type.Array(DestSchema, { minItems: 1, description: 'where to, if pages are to be spread over places' }),
    ),
    from: Type.Optional(
      Type.String({ description: `act only on memory that lies there: ${PLACES}`, examples: ['CXL'] }),
    ),
    apply_interval_us: Type.Optional(
      quantity('time between two rounds; 0: each aggregation interval', ['1s', 0]),
    ),
    quotas: Type.Optional(QuotasSchema),
    exchange: Type.Optional(
      Type.Object(
        {
          ratio: Type.Optional(
            Type.Number({
              description: 'how many times as hot as what makes way; 2 if left out',
              examples: [2],
            }),
          ),
          payback_us: Type.Optional(
            quantity('time in which the gain must pay for both moves; 60 s if left out', ['60s']),
          ),
        },
        {
          description:
            'migrate_hot: only what gains more than the moves cost, and into a full target only what is hotter than the coldest hot memory there, which makes way',
          additionalProperties: false,
        },
      ),
    ),
    filters: Type.Optional(
      Type.Array(FilterSchema, { description: 'in this order; the first that matches decides' }),
    ),
    watermarks: Type.Optional(WatermarksSchema),
    max_nr_snapshots: Type.Optional(
      Type.Integer({
        minimum: 0,
        description: 'rounds after which the scheme does nothing more; 0: no limit',
        examples: [1],
      }),
    ),
  },
  { description: 'a scheme in the long form', additionalProperties: false },
);

export const SCHEMA_ID = 'https://thermocline.invalid/schema/schemes-1.json';

export const SchemeFileSchema = Type.Object(
  {
    version: Type.Literal(1, { description: 'version of the scheme language' }),
    monitor: Type.Optional(MonitorBlockSchema),
    schemes: Type.Array(
      Type.Union([
        Type.String({
          description: SENTENCE_GRAMMAR,
          examples: [...SENTENCE_EXAMPLES],
          // yaml-language-server offers these where a scheme is written.
          defaultSnippets: SENTENCE_SNIPPETS.map((snippet) => ({ ...snippet })),
        }),
        LongSchemeSchema,
      ]),
      { minItems: 1, description: 'tried in this order on every region' },
    ),
  },
  { $id: SCHEMA_ID, title: 'thermocline scheme file', additionalProperties: false },
);

export { LongSchemeSchema, MonitorBlockSchema };
export type SchemeFile = Static<typeof SchemeFileSchema>;
export type LongScheme = Static<typeof LongSchemeSchema>;
export type MonitorBlock = Static<typeof MonitorBlockSchema>;
export type AccessPattern = NonNullable<LongScheme['access_pattern']>;
export type Quotas = NonNullable<LongScheme['quotas']>;
export type Goal = NonNullable<Quotas['goals']>[number];
export type Filter = NonNullable<LongScheme['filters']>[number];
export type Watermarks = NonNullable<LongScheme['watermarks']>;

/** The JSON Schema document (draft-07) that editors use. */
export function schemeJsonSchema(): object {
  return jsonSchemaDocument(SchemeFileSchema);
}
