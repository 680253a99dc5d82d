/** Schemas of `filters` and `watermarks`: what a scheme leaves out, and when it rests. Keys are damo's. */
import Type from 'typebox';
import { quantity, wordOf } from '../yaml/quantity.ts';
import { FILTERS, wordsOf } from './vocabulary.ts';

const END = { additionalProperties: false };

/** `[from, to]`, or a map with the names of the two ends. */
const pair = <A extends string, B extends string>(
  first: A,
  second: B,
  description: string,
  examples: readonly [string | number, string | number],
) =>
  Type.Unsafe<readonly (string | number)[] | { readonly [K in A | B]?: string | number }>({
    description: `${description}: [${first}, ${second}], or a map with these keys`,
    anyOf: [
      Type.Array(quantity('an end', examples), {
        description: `[${first}, ${second}]`,
        minItems: 2,
        maxItems: 2,
        examples: [[...examples]],
      }),
      Type.Object(
        {
          [first]: Type.Optional(quantity('lower end', [examples[0]])),
          [second]: Type.Optional(quantity('upper end', [examples[1]])),
        },
        { description: `a map with ${first} and ${second}`, ...END },
      ),
    ],
  });

export const FilterSchema = Type.Object(
  {
    filter_type: wordOf(
      wordsOf(FILTERS),
      `what is looked for. ${wordsOf(FILTERS)
        .map((type) => `${type}: ${FILTERS[type].description}`)
        .join('; ')}`,
    ),
    matching: Type.Optional(
      Type.Boolean({ description: 'true (the default): matches what is of the type; false: what is not' }),
    ),
    allow: Type.Optional(
      Type.Boolean({
        description:
          'what becomes of a match: false (the default): left out; true: let through. The first match decides',
      }),
    ),
    memcg_path: Type.Optional(Type.String({ description: 'memcg: the cgroup', examples: ['/app'] })),
    address_range: Type.Optional(
      pair('start', 'end', 'addr: addresses; the end itself is outside', [4294967296, '8G']),
    ),
    damon_target_idx: Type.Optional(
      Type.Integer({ minimum: 0, description: 'target: index of the target', examples: [0] }),
    ),
    hugepage_size: Type.Optional(
      pair('min', 'max', 'hugepage_size: sizes of the huge page, both in', ['2 MiB', '1 GiB']),
    ),
    nid: Type.Optional(
      Type.Integer({ minimum: 0, description: 'node, accessing_node: the node', examples: [1] }),
    ),
    target: Type.Optional(
      Type.String({
        description: 'node, tier, accessing_node: DRAM, CXL, HBM, PMEM, nodeN, fast or slow',
        examples: ['CXL', 'node1'],
      }),
    ),
    share: Type.Optional(
      pair('min', 'max', 'store_share: share of stores, both in unless written "> X" or "< X"', [
        '50 %',
        '100 %',
      ]),
    ),
  },
  { description: 'which memory the scheme leaves out', ...END },
);

export const WatermarksSchema = Type.Object(
  {
    metric: wordOf(
      ['none', 'free_mem_rate'],
      'none: always active; free_mem_rate: the share of all memory that is free',
    ),
    interval_us: Type.Optional(quantity('time between two looks; 5 s if left out', ['5s'])),
    high_permil: Type.Optional(quantity('above it the scheme rests', ['50 %', 500])),
    mid_permil: Type.Optional(
      quantity('below it the scheme wakes up; high_permil if left out', ['40 %', 400]),
    ),
    low_permil: Type.Optional(quantity('below it the scheme rests, too', ['20 %', 200])),
  },
  { description: 'when the scheme is active', ...END },
);
