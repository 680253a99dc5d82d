import { readFileSync } from 'node:fs';
import { fc, test as propertyTest } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { ERROR_CODES, ThermoErrors } from '../../src/memory/error.ts';
import { NODE_KINDS } from '../../src/memory/tier.ts';
import { explainSchemes } from '../../src/schemes/explain.ts';
import { type LoadedSchemes, loadSchemes } from '../../src/schemes/load.ts';
import { type MachineFacts, type ResolvedScheme, resolveSchemes } from '../../src/schemes/resolve.ts';
import { expandSentence } from '../../src/schemes/sentence.ts';
import { ACTIONS, FILTERS, isPageProperty, wordsOf } from '../../src/schemes/vocabulary.ts';
import { findWarnings } from '../../src/schemes/warnings.ts';
import { renderProblem } from '../../src/view/problem.ts';
import { longScheme, mutate, mutations, sentence, vocabularyTree } from './scheme-arbitraries.ts';

const INTERVALS = { sampleUs: 5000, aggrUs: 100_000 };

/** Without positions, and without the name that explain gives to what had none. */
function bare({ schemes, monitor }: LoadedSchemes): unknown {
  const text = JSON.stringify({ schemes, monitor }, (key, value) => {
    if (key === 'where' || key === 'name') return undefined;
    return value === Number.POSITIVE_INFINITY ? 'Infinity' : value;
  });
  return { names: schemes.map(({ name }) => name), rest: JSON.parse(text) };
}

/**
 * Loads a text, which must succeed or throw problems that can be shown; what loads can be explained,
 * and the explanation loads to the same.
 */
function check(text: string): 'loaded' | 'refused' {
  let loaded: LoadedSchemes;
  try {
    loaded = loadSchemes(text, 'fuzz.yaml', INTERVALS);
  } catch (error) {
    if (!(error instanceof ThermoErrors)) throw error;
    const lines = text.replace(/^\ufeff/, '').split('\n');
    expect(error.errors.length).toBeGreaterThan(0);
    for (const problem of error.errors) {
      const { code, message, where } = problem;
      if (!(code in ERROR_CODES) || message.trim() === '' || where === undefined) throw error;
      const isInside = where.line <= lines.length && where.column <= lines[where.line - 1].length + 1;
      if (!isInside || where.line < 1 || where.column < 1 || where.file !== 'fuzz.yaml') {
        throw new Error(`${problem.format()} is outside ${JSON.stringify(text)}`);
      }
      if (!renderProblem(problem).startsWith('fuzz.yaml:')) throw error;
    }
    return 'refused';
  }
  checkWarnings(loaded);
  const explained = explainSchemes(loaded);
  expect(bare(loadSchemes(explained, 'again.yaml', INTERVALS))).toEqual(bare(loaded));
  return 'loaded';
}

/** A node of each kind, on a machine that can do and tell everything. */
const MACHINE: MachineFacts = {
  name: 'all-kinds',
  nodes: NODE_KINDS.map((kind, i) => ({
    nid: i * 4,
    kind,
    capacityBytes: 2 ** 34,
    hasCpus: kind === 'DRAM',
    accessNs: 100,
    bandwidthBytesPerS: 1e10,
    adistance: 576 * (i + 1),
  })),
  actions: wordsOf(ACTIONS),
  pageProperties: wordsOf(FILTERS).filter(isPageProperty),
  gauges: ['pressure', 'lru', 'accesses', 'access_time', 'memcg'],
};

/** What fits the machine has warnings that say what, why and what to do, or none. */
function checkWarnings({ schemes }: LoadedSchemes): void {
  let resolved: readonly ResolvedScheme[];
  try {
    resolved = resolveSchemes(schemes, MACHINE);
  } catch (error) {
    if (!(error instanceof ThermoErrors)) throw error;
    return;
  }
  for (const each of findWarnings(resolved, {
    machine: MACHINE,
    attrs: { ...INTERVALS, minRegionSz: 4096 },
  })) {
    if ([each.message, each.why, each.hint].some((text) => /undefined|NaN|^$/.test(text))) {
      throw new Error(renderProblem(each));
    }
  }
}

const fileOf = (...schemes: unknown[]): string => stringify({ version: 1, schemes });

describe('what explain prints reads back to the same schemes', () => {
  propertyTest.prop([fc.array(longScheme, { minLength: 1, maxLength: 3 })], { numRuns: 400 })(
    'for every long form',
    (schemes) => {
      const numbered = schemes.map((scheme, i) => ({ name: `s${i}`, ...scheme }));
      expect(check(fileOf(...numbered))).toBe('loaded');
    },
  );

  propertyTest.prop([fc.array(sentence, { minLength: 1, maxLength: 3 })], { numRuns: 400 })(
    'for every sentence',
    (sentences) => {
      const unnamed = sentences.map((each) => each.replace(/ named \S+/, ''));
      expect(check(fileOf(...unnamed))).toBe('loaded');
    },
  );
});

/** Small valid files of all styles, to be damaged. */
const SEEDS = [
  readFileSync(new URL('../../schemes/promote-hot.yaml', import.meta.url), 'utf8'),
  'version: 1\nschemes: [promote hot>5 to DRAM quota 1G/s, "demote cold>30s", stat]\n',
  'version: 1\r\nschemes:\r\n  - &a promote hot 5..20 only anon not on CXL\r\n  - *a\r\n',
  '{"version": 1, "schemes": [{"action": "pageout", "access_pattern": {"age": {"min": "1m"}}}]}',
  `version: 1
monitor:
  intervals: {sample_us: 5ms, aggr_us: 100ms, intervals_goal: {access_bp: 4 %}}
  nr_regions: {min: 10, max: 1000}
  weights: {pull: 1, push: 50 %}
schemes:
  - >-
    promote hot>30/s for 2s
    from CXL to DRAM:2, CXL:1 quota 512M/s, 10ms/s goal memcg /a used 9% of DRAM
  - action: migrate_cold
    target_nid: 1
    access_pattern: &p
      nr_accesses: {min: 0, max: 0}
      age: {min: 10 aggr_intervals, max: max}
    quotas:
      sz_bytes: 200 MiB
      weights: {sz_permil: 0, age_permil: 50 %}
      goals:
        - {metric: node_mem_free_bp, nid: 0, target_value: 0.5 %, current_value: 0}
    filters:
      - {filter_type: addr, address_range: [4294967296, 8G]}
      - {filter_type: young, matching: true, allow: true}
    watermarks: {metric: free_mem_rate, high_permil: 500, mid_permil: 400, low_permil: 200}
  - action: stat
    access_pattern: *p
    name: 'third one'
`,
];

describe('any text is loaded or refused with its mistakes, and nothing else happens', () => {
  propertyTest.prop([fc.string({ unit: 'binary', maxLength: 200 })], { numRuns: 1500 })(
    'random text',
    (text) => {
      check(text);
    },
  );

  propertyTest.prop(
    [fc.string({ unit: fc.constantFrom(...' \t\n\r-?:[]{}&*!|>\'"#%@`,<>=./aé😀1\ufeff'), maxLength: 60 })],
    {
      numRuns: 1500,
    },
  )('random signs of YAML', (text) => {
    check(text);
  });

  propertyTest.prop([vocabularyTree, fc.boolean()], { numRuns: 1500 })(
    'the words of the schema anywhere',
    (tree, isJson) => {
      check(isJson ? JSON.stringify(tree) : stringify(tree));
    },
  );

  propertyTest.prop([fc.array(vocabularyTree, { maxLength: 3 }), vocabularyTree], { numRuns: 1500 })(
    'the words of the schema in the right frame',
    (schemes, monitor) => {
      check(stringify({ version: 1, monitor, schemes }, { aliasDuplicateObjects: false }));
    },
  );

  propertyTest.prop([fc.constantFrom(...SEEDS), mutations], { numRuns: 5000 })(
    'damaged files',
    (seed, damage) => {
      check(damage.reduce(mutate, seed));
    },
  );

  propertyTest.prop([sentence, mutations], { numRuns: 2500 })('damaged sentences', (seed, damage) => {
    const text = damage.reduce(mutate, seed);
    const result = expandSentence(text);
    if (!result.ok) {
      for (const { offset, message } of result.problems) {
        expect(offset).toBeLessThanOrEqual(text.length);
        expect(message).not.toBe('');
      }
    }
    check(fileOf(text));
  });

  test('the seeds themselves are loaded', () => {
    for (const seed of SEEDS) expect(check(seed)).toBe('loaded');
    expect(check(`\ufeff${SEEDS[0]}`)).toBe('loaded');
  });

  const deep = 20_000;
  test.each([
    ['open lists', '['.repeat(deep)],
    ['closed lists', '['.repeat(deep) + ']'.repeat(deep)],
    ['maps in maps', '{a: '.repeat(deep)],
    ['dashes', '- '.repeat(deep)],
    ['dashes on many lines', Array.from({ length: 800 }, (_, i) => `${' '.repeat(i)}-`).join('\n')],
    ['question marks', '? '.repeat(deep)],
    ['keys in keys', 'a: '.repeat(deep)],
    ['indented keys', Array.from({ length: 800 }, (_, i) => `${' '.repeat(i)}a:`).join('\n')],
    ['quotes', '"'.repeat(deep)],
    ['anchors', '&a '.repeat(deep)],
    ['tags', '!a '.repeat(deep)],
    ['directives', '%a\n'.repeat(deep)],
    ['documents', '---\n'.repeat(deep)],
    ['many keys', Array.from({ length: deep }, (_, i) => `a${i}: 1`).join('\n')],
    ['one key many times', 'a: 1\n'.repeat(deep)],
    ['many schemes', `version: 1\nschemes:\n${'- x\n'.repeat(deep)}`],
    ['one long sentence', `version: 1\nschemes:\n- promote${' not anon'.repeat(20_000)}`],
    ['one long wrong sentence', `version: 1\nschemes:\n- promote${' nott anon'.repeat(5000)}`],
    [
      'one long number',
      `version: 1\nschemes:\n- {action: stat, access_pattern: {age: {min: ${'9'.repeat(100_000)}}}}`,
    ],
    ['one long word', `version: 1\nschemes:\n- promote hot>${'9'.repeat(100_000)}`],
    ['a list that contains itself', 'version: 1\nschemes: &a\n  - *a\n'],
    ['a map that contains itself', 'version: 1\nmonitor: &a {pull: *a}\nschemes: [stat]\n'],
    ['a merge of itself', 'version: 1\nmonitor: &a\n  <<: *a\nschemes: [stat]\n'],
    [
      'an alias bomb',
      `${Array.from({ length: 20 }, (_, i) => `a${i}: &a${i} [${Array(9).fill(i === 0 ? 'x' : `*a${i - 1}`)}]`).join('\n')}\n`,
    ],
    [
      'a merge bomb',
      `${Array.from({ length: 20 }, (_, i) => `a${i}: &a${i}\n  <<: [${i === 0 ? '{a: 1}' : `*a${i - 1}, *a${i - 1}`}]\n  b${i}: 1`).join('\n')}\n`,
    ],
    ['spaces', `${' '.repeat(900_000)}a`],
    ['more than is read', 'a'.repeat(1_000_001)],
  ])(
    '%s',
    (_what, text) => {
      expect(check(text)).toBe('refused');
    },
    10_000,
  );
});
