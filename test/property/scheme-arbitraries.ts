/** Generated scheme files: valid long forms and sentences, and texts that are neither. */
import { fc } from '@fast-check/vitest';
import { CLAUSES } from '../../src/schemes/clauses.ts';
import type { Filter, Goal, LongScheme } from '../../src/schemes/schema.ts';
import { ACTIONS, FILTERS, METRICS, TUNERS, wordsOf } from '../../src/schemes/vocabulary.ts';

const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

/** Leaves out the keys without a value. */
const record = <T extends object>(
  keys: { [K in keyof T]: fc.Arbitrary<T[K] | undefined> },
): fc.Arbitrary<T> =>
  fc
    // Values may be undefined here; the keys of those are dropped below.
    .record(keys as { [K in keyof T]: fc.Arbitrary<T[K]> })
    // What remains are keys of T with values of T.
    .map((each) => Object.fromEntries(Object.entries(each).filter(([, value]) => value !== undefined)) as T);

const ordered = <T>(values: fc.Arbitrary<number>, format: (value: number) => T) =>
  fc.tuple(values, values).map(([a, b]) => [format(Math.min(a, b)), format(Math.max(a, b) + 1)] as const);

const range = (low: fc.Arbitrary<number>, format: (value: number) => string | number) =>
  fc
    .tuple(ordered(low, format), fc.boolean(), fc.boolean(), fc.boolean())
    .map(([[min, max], hasMin, hasMax, isOpen]) => ({
      // A text brings its unit, so a bare number has no open end.
      ...(hasMin ? { min: isOpen && typeof min === 'string' ? `> ${min}` : min } : {}),
      ...(hasMax ? { max } : {}),
    }));

const PLACES = ['DRAM', 'CXL', 'HBM', 'PMEM', 'fast', 'slow', 'node0', 'node12'];
export const place = fc.constantFrom(...PLACES);
const bytes = fc.integer({ min: 4096, max: 2 ** 40 });
const path = fc.stringMatching(/^\/[a-z0-9._-]{0,12}(\/[a-z]{1,5})?$/);

const goal = fc.constantFrom(...wordsOf(METRICS)).chain((metric): fc.Arbitrary<Goal> => {
  const { unit, of } = METRICS[metric];
  const values = {
    bp: fc.oneof(
      fc.integer({ min: 1, max: 10000 }),
      fc.integer({ min: 1, max: 10000 }).map((bp) => `${bp / 100} %`),
    ),
    us: fc.oneof(fc.integer({ min: 1, max: 1e9 }), fc.constant('10ms')),
    'bytes/s': fc.oneof(bytes, fc.constant('200M/s')),
    number: fc.integer({ min: 1, max: 1e9 }),
  };
  return record<Goal>({
    metric: fc.constant(metric),
    ...(of === 'machine' ? {} : { target: place }),
    ...(of === 'memcg' ? { memcg_path: path } : {}),
    target_value: values[unit],
    current_value: maybe(fc.constant(0)),
  });
});

const filter = fc.constantFrom(...wordsOf(FILTERS)).chain((type): fc.Arbitrary<Filter> => {
  const parameters: Record<(typeof FILTERS)[typeof type]['parameter'], object> = {
    none: {},
    path: { memcg_path: path },
    sizes: { hugepage_size: ordered(bytes, (size) => size) },
    addresses: { address_range: ordered(bytes, (size) => size) },
    target: { damon_target_idx: fc.nat(9) },
    place: { target: place },
    share: { share: ordered(fc.integer({ min: 0, max: 99 }), (share) => `${share} %`) },
  };
  return record<Filter>({
    filter_type: fc.constant(type),
    matching: maybe(fc.boolean()),
    allow: maybe(fc.boolean()),
    ...parameters[FILTERS[type].parameter],
  });
});

const quotas = fc
  .record({ goals: fc.array(goal, { maxLength: 3 }), tuner: maybe(fc.constantFrom(...wordsOf(TUNERS))) })
  .chain(({ goals, tuner }) =>
    record<NonNullable<LongScheme['quotas']>>({
      time_ms: maybe(fc.constantFrom('10ms', 1, '250us')),
      sz_bytes: maybe(fc.oneof(bytes, fc.constantFrom('1 GiB', '200M', 'max'))),
      reset_interval_ms: fc.constantFrom('1s', 1000, '1h30m'),
      top: maybe(fc.integer({ min: 1, max: 1e6 })),
      prioritize: maybe(fc.constantFrom('exact', 'damon')),
      weights: maybe(
        fc.record({
          sz_permil: fc.nat(1000),
          nr_accesses_permil: fc.integer({ min: 1, max: 1000 }),
          age_permil: fc.constantFrom('50 %', 0),
        }),
      ),
      goals: fc.constant(goals.length === 0 ? undefined : goals),
      goal_tuner: fc.constant(goals.length === 0 ? undefined : tuner),
    }),
  );

const watermarks = fc
  .tuple(fc.nat(998), fc.nat(1000), fc.nat(1000))
  .map(([a, b, c]) => [a, b, c].sort((x, y) => x - y))
  .map(([low, mid, high]) => ({
    metric: 'free_mem_rate' as const,
    interval_us: '5s',
    high_permil: high === low ? low + 1 : high,
    mid_permil: mid,
    low_permil: low,
  }));

export const longScheme: fc.Arbitrary<LongScheme> = fc.constantFrom(...wordsOf(ACTIONS)).chain((action) =>
  record<LongScheme>({
    action: fc.constant(action),
    access_pattern: maybe(
      record<NonNullable<LongScheme['access_pattern']>>({
        sz_bytes: maybe(range(bytes, (size) => size)),
        nr_accesses: maybe(
          fc.oneof(
            range(fc.nat(18), (n) => `${n} samples`),
            range(fc.nat(98), (n) => `${n} %`),
            range(fc.nat(1e6), (n) => `${n}/s`),
          ),
        ),
        age: maybe(
          fc.oneof(
            range(fc.nat(1e9), (us) => us),
            range(fc.nat(1e4), (n) => `${n} aggr_intervals`),
          ),
        ),
      }),
    ),
    ...(ACTIONS[action].effect === 'migrates'
      ? { target: maybe(fc.oneof(place, fc.constant('accessing'))) }
      : {}),
    from: maybe(place),
    apply_interval_us: maybe(fc.constantFrom('1s', 0, 200_000)),
    quotas: maybe(quotas),
    filters: maybe(fc.array(filter, { maxLength: 4 })),
    watermarks: maybe(watermarks),
    max_nr_snapshots: maybe(fc.nat(100)),
  }),
);

/** Clauses that contradict nothing, in any order, behind an action that may have them all. */
export const sentence: fc.Arbitrary<string> = fc
  .record({
    action: fc.constantFrom('promote', 'demote', 'migrate_hot'),
    clauses: fc.shuffledSubarray([...CLAUSES]),
    pick: fc.nat(100),
    goal: fc.boolean(),
  })
  .map(({ action, clauses, pick, goal: hasGoal }) => {
    const used = clauses
      .filter(
        ({ keyword }) => keyword !== 'cold' || !clauses.some((each) => ['hot', 'for'].includes(each.keyword)),
      )
      .filter(({ keyword }) => keyword !== 'exchange' || action !== 'demote')
      .filter(({ keyword }) => keyword !== 'tuner' || clauses.some((each) => each.keyword === 'goal'));
    const texts = used.flatMap(({ examples, repeats }) =>
      repeats ? examples.slice(0, 1 + (pick % examples.length)) : [examples[pick % examples.length]],
    );
    const words = texts.map((text) => text.replace(/ \(.*\)$/, ''));
    return [action, ...words, ...(hasGoal ? ['goal psi 10ms'] : [])].join(' ');
  });

const KEYS = [
  'version schemes monitor name action access_pattern sz_bytes nr_accesses age min max target target_nid dests id',
  'weight from apply_interval_us exchange ratio payback_us quotas time_ms reset_interval_ms top prioritize weights sz_permil age_permil',
  'fail_charge_num fail_charge_denom goals metric nid memcg_path target_value current_value goal_tuner filters',
  'filter_type matching allow address_range start end damon_target_idx hugepage_size share watermarks interval_us',
  'high_permil mid_permil low_permil max_nr_snapshots intervals sample_us aggr_us nr_regions pull push << __proto__',
]
  .join(' ')
  .split(' ');

const scalar = fc.oneof(
  fc.constantFrom<unknown>(
    1,
    0,
    -1,
    0.5,
    1e21,
    1e308,
    true,
    false,
    null,
    '',
    'max',
    'min',
    'off',
    '.inf',
    '.nan',
  ),
  fc.constantFrom(
    '5 samples',
    '> 5 samples',
    '25 %',
    '30/s',
    '1s',
    '4K',
    '1 GiB',
    'DRAM',
    'node1',
    'accessing',
  ),
  fc.constantFrom(...wordsOf(ACTIONS), ...wordsOf(METRICS), ...wordsOf(FILTERS), ...wordsOf(TUNERS)),
  fc.constantFrom(
    'promote hot>5 to DRAM quota 1G/s',
    'demote cold>30s',
    '😀',
    '<',
    '1,000',
    '1e999s',
    'aggr',
  ),
  fc.string({ maxLength: 12 }),
  fc.double(),
);

/** Structures of the schema's own words, mostly in the wrong places. */
export const vocabularyTree: fc.Arbitrary<unknown> = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    scalar,
    fc.array(tie('tree'), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom(...KEYS), tie('tree'), { maxKeys: 5 }),
  ),
})).tree;

/** One change of a text: delete, double, swap or insert characters, lines, or YAML's own signs. */
const mutation = fc.record({
  kind: fc.constantFrom('delete', 'double', 'swap', 'insert', 'deleteLine', 'doubleLine', 'line'),
  at: fc.double({ min: 0, max: 0.999999, noNaN: true }),
  length: fc.integer({ min: 1, max: 12 }),
  text: fc.oneof(
    fc.constantFrom(
      '&a ',
      '*a',
      '<<: *a',
      '- ',
      ': ',
      '[',
      ']',
      '{',
      '}',
      '"',
      "'",
      '#',
      '\t',
      '\r\n',
      '\ufeff',
    ),
    fc.constantFrom(
      '|',
      '>',
      '!!binary ',
      '---\n',
      '%YAML 1.1\n',
      '? ',
      '99999999999999999999',
      '\u2028',
      '\u0000',
    ),
    fc.constantFrom(
      ...CLAUSES.flatMap(({ keyword }) => [` ${keyword} `, `${keyword}>`]),
      '..',
      ', ',
      'é',
      '😀',
    ),
    fc.constantFrom(...KEYS).map((key) => `${key}: `),
    fc.string({ maxLength: 3 }),
  ),
});

export const mutations = fc.array(mutation, { minLength: 1, maxLength: 4 });

export function mutate(
  text: string,
  { kind, at, length, text: more }: typeof mutation extends fc.Arbitrary<infer T> ? T : never,
): string {
  const lines = text.split('\n');
  const line = Math.floor(at * lines.length);
  const offset = Math.floor(at * (text.length + 1));
  const end = Math.min(text.length, offset + length);
  const part = text.slice(offset, end);
  switch (kind) {
    case 'delete':
      return text.slice(0, offset) + text.slice(end);
    case 'double':
      return text.slice(0, end) + part + text.slice(end);
    case 'swap':
      return text.slice(0, offset) + [...part].reverse().join('') + text.slice(end);
    case 'deleteLine':
      return lines.filter((_, i) => i !== line).join('\n');
    case 'doubleLine':
      return lines.flatMap((each, i) => (i === line ? [each, each] : [each])).join('\n');
    case 'line':
      return lines.flatMap((each, i) => (i === line ? [' '.repeat(length) + more, each] : [each])).join('\n');
    default:
      return text.slice(0, offset) + more + text.slice(offset);
  }
}
