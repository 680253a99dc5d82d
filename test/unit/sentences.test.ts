import { describe, expect, test } from 'vitest';
import { ThermoErrors } from '../../src/memory/error.ts';
import { CLAUSES, SENTENCE_EXAMPLES } from '../../src/schemes/clauses.ts';
import { loadSchemes } from '../../src/schemes/load.ts';
import type { LongScheme } from '../../src/schemes/schema.ts';
import type { Scheme } from '../../src/schemes/scheme.ts';
import { expandSentence } from '../../src/schemes/sentence.ts';
import { FILTERS, METRICS, wordsOf } from '../../src/schemes/vocabulary.ts';

const INTERVALS = { sampleUs: 5000, aggrUs: 100_000 };

function expand(sentence: string): LongScheme {
  const result = expandSentence(sentence);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.scheme;
}

function compile(sentence: string): Scheme {
  return loadSchemes(JSON.stringify({ version: 1, schemes: [sentence] }), 's', INTERVALS).schemes[0];
}

/** `column: message`, each mistake of one sentence; columns count from 1. */
function mistakes(sentence: string): string[] {
  try {
    loadSchemes(`version: 1\nschemes:\n- ${sentence}\n`, 's', INTERVALS);
  } catch (error) {
    if (!(error instanceof ThermoErrors)) throw error;
    return error.errors.map((each) => `${(each.where?.column ?? 0) - 2}: ${each.message}\n${each.hint}`);
  }
  return [];
}

describe('the table of clauses', () => {
  const examples = CLAUSES.flatMap((rule) => rule.examples.map((example) => [example] as const));
  test.each(examples)('has examples that can be read: %s', (example) => {
    const text = example.replace(/ \(.*\)$/, '');
    // A tuner needs a goal, and weights of goals nothing.
    const goal = text.startsWith('tuner') ? ' goal DRAM used 99%' : '';
    expect(() => compile(`promote ${text}${goal}`)).not.toThrow();
  });

  test.each(SENTENCE_EXAMPLES)('offers editors sentences that can be read: %s', (sentence) => {
    expect(() => compile(sentence)).not.toThrow();
  });
});

describe('patterns', () => {
  test.each([
    ['hot>5', { min: '> 5 samples' }],
    ['hot>=25%', { min: '25%' }],
    ['hot<30/s', { max: '< 30/s' }],
    ['hot <= 20', { max: '20 samples' }],
    ['hot 5..20', { min: '5 samples', max: '20 samples' }],
    ['hot 1/s .. 30/s', { min: '1/s', max: '30/s' }],
    ['hot 5..', { min: '5 samples' }],
    ['hot ..5', { max: '5 samples' }],
  ])('%s bounds the rate', (clause, expected) => {
    expect(expand(`stat ${clause}`).access_pattern?.nr_accesses).toEqual(expected);
  });

  test('size and for are bounded the same ways', () => {
    expect(expand('stat size>=2 MiB').access_pattern).toEqual({ sz_bytes: { min: '2 MiB' } });
    expect(expand('stat size 2M..1G').access_pattern).toEqual({ sz_bytes: { min: '2M', max: '1G' } });
    expect(expand('stat size<1G').access_pattern).toEqual({ sz_bytes: { max: '< 1G' } });
    expect(expand('stat for 2s').access_pattern).toEqual({ age: { min: '2s' } });
    expect(expand('stat for 1m 30s..5m').access_pattern).toEqual({ age: { min: '1m 30s', max: '5m' } });
    expect(expand('stat cold 30s..5m').access_pattern).toEqual({
      nr_accesses: { max: '0 samples' },
      age: { min: '30s', max: '5m' },
    });
  });
});

describe('actions', () => {
  test('are promote and demote, and every other by its own name', () => {
    expect(expand('promote').action).toBe('migrate_hot');
    expect(expand('demote').action).toBe('migrate_cold');
    for (const action of ['pageout', 'cold', 'lru_prio', 'willneed', 'collapse', 'migrate_hot', 'stat']) {
      expect(expand(`${action} for 2s`)).toEqual({
        action,
        access_pattern: {
          ...(action === 'migrate_hot' ? { nr_accesses: { min: '> 0 samples' } } : {}),
          age: { min: '2s' },
        },
        ...(action === 'migrate_hot' ? { target: 'fast' } : {}),
      });
    }
  });

  test('"cold" is an action at the beginning and a clause elsewhere', () => {
    expect(expand('cold cold>1m')).toMatchObject({
      action: 'cold',
      access_pattern: { age: { min: '> 1m' } },
    });
    expect(mistakes('cold>1m to CXL')[0]).toMatch(/^1: a sentence begins with what is to be done/);
  });
});

describe('targets', () => {
  test('are a place, the accessing node, or several places by weight', () => {
    expect(expand('promote to node1').target).toBe('node1');
    expect(expand('promote to accessing node').target).toBe('accessing');
    const dests = [
      { target: 'DRAM', weight: 2 },
      { target: 'CXL', weight: 1 },
    ];
    expect(expand('promote to DRAM:2,CXL:1')).toMatchObject({ dests });
    expect(expand('promote to DRAM:2, CXL:1').target).toBeUndefined();
    expect(compile('promote to DRAM:2 , CXL:1').dests).toEqual([
      { place: 'DRAM', weight: 2 },
      { place: 'CXL', weight: 1 },
    ]);
  });
});

describe('quotas', () => {
  test.each([
    ['quota 512M/s', { sz_bytes: '512M', reset_interval_ms: '1s' }],
    ['quota 10ms/s', { time_ms: '10ms', reset_interval_ms: '1s' }],
    ['quota 512M/s, 10ms/s', { sz_bytes: '512M', time_ms: '10ms', reset_interval_ms: '1s' }],
    ['quota 10ms/1s,512M/s', { sz_bytes: '512M', time_ms: '10ms', reset_interval_ms: '1s' }],
    ['quota 100 MiB per 20s', { sz_bytes: '100 MiB', reset_interval_ms: '20s' }],
    ['quota 1,000M/s', { sz_bytes: '1,000M', reset_interval_ms: '1s' }],
    ['quota 1G / 20s', { sz_bytes: '1G', reset_interval_ms: '20s' }],
    ['quota 1 GiB per 20 s', { sz_bytes: '1 GiB', reset_interval_ms: '20 s' }],
    ['top 1,000 by histogram', { top: 1000, prioritize: 'damon' }],
    ['by priority', { prioritize: 'exact' }],
  ])('%s', (clause, quotas) => {
    expect(expand(`stat ${clause}`).quotas).toEqual(quotas);
  });

  test.each([
    ['goal DRAM used 99.7%', { metric: 'node_mem_used_bp', place: 'DRAM', targetValue: 9970 }],
    ['goal node0 free 0.5 %', { metric: 'node_mem_free_bp', place: 'node0', targetValue: 50 }],
    ['goal DRAM eligible 30%', { metric: 'node_eligible_mem_bp', place: 'DRAM', targetValue: 3000 }],
    [
      'goal memcg /app used 20% of DRAM',
      { metric: 'node_memcg_used_bp', place: 'DRAM', memcgPath: '/app', targetValue: 2000 },
    ],
    ['goal memcg /a/to free 20% of CXL', { metric: 'node_memcg_free_bp', place: 'CXL', memcgPath: '/a/to' }],
    ['goal active 50%', { metric: 'active_mem_bp', targetValue: 5000, place: undefined }],
    ['goal inactive 40%', { metric: 'inactive_mem_bp', targetValue: 4000 }],
    ['goal psi 10ms', { metric: 'some_mem_psi_us', targetValue: 10_000 }],
    ['goal fast-share 95%', { metric: 'fast_access_bp', targetValue: 9500 }],
    ['goal slowdown 150%', { metric: 'slowdown_bp', targetValue: 15_000 }],
    ['goal migration 200M/s', { metric: 'migration_bytes_per_s', targetValue: 200 * 2 ** 20 }],
    ['goal cpu 1%', { metric: 'cpu_bp', targetValue: 100 }],
    ['goal user 100', { metric: 'user_input', targetValue: 100, currentValue: 0 }],
  ])('%s', (clause, goal) => {
    expect(compile(`promote ${clause}`).quota.goals).toMatchObject([goal]);
  });

  test('a goal can be said of every metric, several of them, with each tuner', () => {
    const scheme = compile(
      'promote goal DRAM used 99% goal DRAM free 1% goal DRAM eligible 9% goal memcg /a used 9% of DRAM goal memcg /a free 9% of DRAM goal active 5% goal inactive 5% goal psi 1ms goal fast-share 9% goal slowdown 5% goal fast-latency 100% goal slow-latency 90% goal migration 1M/s goal cpu 1% goal user 1 tuner temporal',
    );
    expect(new Set(scheme.quota.goals.map((goal) => goal.metric))).toEqual(new Set(wordsOf(METRICS)));
    expect(scheme.quota.tuner).toBe('temporal');
  });
});

describe('filters', () => {
  test.each([
    ['anon', { type: 'anon' }],
    ['young', { type: 'young' }],
    ['active', { type: 'active' }],
    ['unmapped', { type: 'unmapped' }],
    ['huge', { type: 'hugepage_size', range: { min: 2 ** 21, max: Number.POSITIVE_INFINITY } }],
    ['huge 2M..1G', { type: 'hugepage_size', range: { min: 2 ** 21, max: 2 ** 30 } }],
    ['huge>2M', { type: 'hugepage_size', range: { min: 2 ** 21 + 1, max: Number.POSITIVE_INFINITY } }],
    ['memcg /app', { type: 'memcg', path: '/app' }],
    ['addr 4G..8G', { type: 'addr', range: { min: 2 ** 32, max: 2 ** 33 } }],
    ['on node1', { type: 'node', place: 'node1' }],
    ['on CXL', { type: 'tier', place: 'CXL' }],
    ['used by node0', { type: 'accessing_node', place: 'node0' }],
    ['target 0', { type: 'target', targetIndex: 0 }],
    ['stores>=50%', { type: 'store_share', range: { min: 0.5, max: 1 } }],
  ])('only and not %s', (text, filter) => {
    expect(compile(`promote only ${text}`).filters).toMatchObject([
      { ...filter, matching: false, allow: false },
    ]);
    expect(compile(`promote not ${text} hot>5`).filters).toMatchObject([
      { ...filter, matching: true, allow: false },
    ]);
  });

  test('an open end of a share of stores leaves out just that share', () => {
    const [{ range }] = compile('promote only stores>50%').filters;
    expect(range?.min).toBeGreaterThan(0.5);
    expect(range?.min).toBeLessThan(0.5 + 1e-15);
    const [{ range: below }] = compile('promote only stores<50%').filters;
    expect(below?.max).toBeLessThan(0.5);
    expect(below?.max).toBeGreaterThan(0.5 - 1e-15);
  });

  test('keep their order, and there is one for every type', () => {
    const scheme = compile(
      'promote only anon not young only active not unmapped only huge not memcg /a only addr 0..8G not target 1 only used by node0 not stores>50% only on node1 not on CXL',
    );
    expect(new Set(scheme.filters.map((filter) => filter.type))).toEqual(new Set(wordsOf(FILTERS)));
    expect(scheme.filters.map((filter) => filter.matching)).toEqual(
      scheme.filters.map((_, i) => i % 2 === 1),
    );
  });
});

describe('when a scheme acts', () => {
  test('free memory between two marks, or three', () => {
    expect(compile('pageout cold>1m when free_mem 20%..50%').watermarks).toEqual({
      intervalUs: 5e6,
      high: 0.5,
      mid: 0.5,
      low: 0.2,
    });
    expect(compile('pageout cold>1m when free_mem 20 % .. 40 % .. 50 %').watermarks).toMatchObject({
      high: 0.5,
      mid: 0.4,
      low: 0.2,
    });
  });

  test('every, at most and named', () => {
    expect(compile('stat every 1m 30s at most 10 rounds named to')).toMatchObject({
      applyIntervalUs: 90e6,
      maxNrSnapshots: 10,
      name: 'to',
    });
    expect(compile('stat at most 1 round').maxNrSnapshots).toBe(1);
  });
});

describe('a mistake is found at its word', () => {
  test.each([
    [
      'promote hot>5 goal DRMA used 9%',
      /^20: goals.target: no memory is called "DRMA"\ndid you mean "DRAM"\?/,
    ],
    ['promote hot>5 goal DRAM usd 9%', /^25: unexpected "usd"\ndid you mean "used"\?/],
    ['promote hot>5 goal DRAM used 99', /^30: "99" is not a percentage/],
    ['promote hot>5 to DRMA', /^18: target: no memory is called "DRMA"\ndid you mean "DRAM"\?/],
    ['promote hot>5 only annon', /^20: unexpected "annon"\ndid you mean "anon"\?/],
    ['promote hot>5 not used node0', /^24: "not" lacks "by"/],
    ['promote hot>5 tuner tempral', /^21: unexpected "tempral"\ndid you mean "temporal"\?/],
    ['promote hot>5 tuner temporal', /^21: the tuner temporal has no goal/],
    ['promote hot>5 by histgram', /^18: unexpected "histgram"\ndid you mean "histogram"\?/],
    ['promote hot>5 at most many rounds', /^23: "many" is not a whole number/],
    ['promote hot>5 at least 1 round', /^18: "at" lacks "most"/],
    ['promote hot 5', /^13: "hot" needs >, >=, <, <= or a range/],
    ['promote hot=5', /^12: "hot" needs >/],
    ['promote cold>3s for 2s', /^21: "cold" and "for" both say how long/],
    ['promote quota 1G/s, 2G/s', /^21: "quota" says twice how many bytes/],
    ['promote quota 1G/s, 10ms/2s', /^21: both parts of a quota need the same window/],
    ['promote to DRAM:2, CXL', /^20: "CXL" is not a place with a weight/],
    ['promote when free 20%..50%', /^14: unexpected "free"\nknown conditions: free_mem|did you mean/],
    ['promote when free_mem 20..50%', /^23: "20" is not a percentage/],
    ['promote when free_mem 50%..20%', /^28: low \(500 permil\) is above mid \(200 permil\)|low/],
    ['promote only addr 8G..4G', /^19: the address range is empty/],
    ['promote only memcg app', /^20: the cgroup "app" is no absolute path/],
    ['promote hot>5 goal', /^15: "goal" lacks its value\nexpected for example: goal DRAM used/],
    ['promote hot>5 goal DRAM used 0%', /^30: a goal of 0 cannot be aimed at/],
    ['stat goal memcg /a used 9%', /^25: "goal" lacks "of"/],
    ['stat only target x', /^18: "x" is not the index/],
    ['stat to DRAM', /^9: stat moves nothing/],
    ['pageout to DRAM:1', /^12: pageout moves nothing/],
    ['promote to DRAM:0', /^12: every weight is 0/],
    ['hot>5 to DRAM', /^1: a sentence begins with what is to be done, not with "hot"/],
  ])('%s', (sentence, pattern) => {
    const found = mistakes(sentence);
    expect(found[0]).toMatch(pattern);
    expect(found).toHaveLength(1);
  });

  test('all mistakes of a sentence at once, in their order', () => {
    const found = mistakes('promot hot>5 quotta 1G/s to for 3 topp 5 goal foo 3');
    expect(found.map((each) => Number.parseInt(each, 10))).toEqual([1, 14, 26, 33, 35, 47]);
  });

  test('also in quotes, folded lines and blocks', () => {
    const at = (yaml: string): string => {
      try {
        loadSchemes(`version: 1\nschemes:\n${yaml}`, 's', INTERVALS);
      } catch (error) {
        return String((error as Error).message).split(' ')[0];
      }
      return '';
    };
    expect(at(`- 'promote hot>5 tpo 3'\n`)).toBe('s:3:18:');
    expect(at('- >-\n    promote hot>5\n    tpo 3\n')).toBe('s:5:5:');
    expect(at('- promote hot>5\n  tpo 3\n')).toBe('s:4:3:');
    expect(at('- |\n    promote\n      tpo 3\n')).toBe('s:5:7:');
    expect(at('- "promote\\x20hot>5 tpo 3"\n')).toBe('s:3:3:');
  });
});
