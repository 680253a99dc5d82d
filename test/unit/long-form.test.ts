import { describe, expect, test } from 'vitest';
import { ThermoErrors } from '../../src/memory/error.ts';
import { loadSchemes } from '../../src/schemes/load.ts';
import type { Scheme } from '../../src/schemes/scheme.ts';

const INTERVALS = { sampleUs: 5000, aggrUs: 100_000 };
const INFINITY = Number.POSITIVE_INFINITY;

function load(...schemes: string[]): readonly Scheme[] {
  const text = `version: 1\nschemes:\n${schemes.map((scheme) => `- ${scheme}\n`).join('')}`;
  return loadSchemes(text, 'f', INTERVALS).schemes;
}

/** `word: message`, for a scheme that stands on one line; the word is the one that is pointed at. */
function mistakes(scheme: string): string[] {
  try {
    load(scheme);
  } catch (error) {
    if (!(error instanceof ThermoErrors)) throw error;
    return error.errors.map(({ where, message, hint }) => {
      const [word] = scheme.slice((where?.column ?? 0) - 3).split(/(?<=.)[\s,:\]}]/);
      return `${word}: ${message}\n${hint}`;
    });
  }
  return [];
}

describe('the long form', () => {
  test('reads what damo writes, in all its spellings', () => {
    const [scheme] = load(`
    action: migrate_hot
    target_nid: 0
    access_pattern:
      sz_bytes: {min: 4 KiB, max: max}
      nr_accesses: {min: 5 %, max: 100 %}
      age: {min: 0 ns, max: max}
    quotas:
      time_ms: 10
      sz_bytes: 200 MiB
      reset_interval_ms: 1 s
      fail_charge_num: 1
      fail_charge_denom: 1000
      weights: {sz_permil: 0, nr_accesses_permil: 100%, age_permil: 500}
      goal_tuner: consist
      goals:
      - {metric: node_mem_used_bp, nid: 0, target_value: 9970, current_value: 0}
      - {metric: node_mem_free_bp, nid: 1, target_value: 0.5%, current_value: 0}
      - {metric: node_mem_used_bp, nid: 0, target_value: "9,970"}
      - {metric: some_mem_psi_us, target_value: 500, current_value: 0}
      - {metric: user_input, target_value: 10, current_value: 3}
    filters:
    - {filter_type: young, matching: true, allow: true}
    - {filter_type: memcg, memcg_path: /app, matching: false, allow: false}
    - {filter_type: addr, address_range: {start: 4294967296, end: 8G}}
    - {filter_type: addr, address_range: [4294967296, 8G], matching: false}
    - {filter_type: hugepage_size, hugepage_size: [2 MiB, 1 GiB]}
    - {filter_type: target, damon_target_idx: 0}
    watermarks:
      metric: free_mem_rate
      interval_us: 5 s
      high_permil: 500
      mid_permil: 400
      low_permil: 200
    max_nr_snapshots: 0`);
    expect(scheme).toMatchObject({
      dests: [{ place: 'node0', weight: 1 }],
      pattern: { maxRatePerS: { value: INFINITY }, maxAgeUs: { value: INFINITY } },
      quota: {
        szBytes: 200 * 2 ** 20,
        timeUs: 10_000,
        resetIntervalUs: 1e6,
        failCharge: 0.001,
        weights: { sz: 0, nrAccesses: 1, age: 0.5 },
        tuner: 'consist',
        goals: [
          { metric: 'node_mem_used_bp', place: 'node0', targetValue: 9970 },
          { metric: 'node_mem_free_bp', place: 'node1', targetValue: 50 },
          { targetValue: 9970 },
          { metric: 'some_mem_psi_us', place: undefined, targetValue: 500 },
          { metric: 'user_input', targetValue: 10, currentValue: 3 },
        ],
      },
      filters: [
        { type: 'young', matching: true, allow: true },
        { type: 'memcg', path: '/app', matching: false, allow: false },
        { type: 'addr', range: { min: 2 ** 32, max: 2 ** 33 }, matching: true, allow: false },
        { type: 'addr', range: { min: 2 ** 32, max: 2 ** 33 }, matching: false },
        { type: 'hugepage_size', range: { min: 2 ** 21, max: 2 ** 30 } },
        { type: 'target', targetIndex: 0 },
      ],
      watermarks: { intervalUs: 5e6, high: 0.5, mid: 0.4, low: 0.2 },
      maxNrSnapshots: INFINITY,
    });
  });

  test('has defaults for all that is left out', () => {
    const [scheme] = load('action: pageout');
    expect(scheme).toMatchObject({
      dests: [],
      from: undefined,
      applyIntervalUs: 0,
      quota: {
        szBytes: INFINITY,
        timeUs: INFINITY,
        resetIntervalUs: 1e6,
        top: INFINITY,
        prioritize: 'exact',
        weights: { sz: 0, nrAccesses: 1, age: 0 },
        failCharge: 1,
        goals: [],
        tuner: 'settle',
      },
      filters: [],
      watermarks: undefined,
      maxNrSnapshots: INFINITY,
    });
    expect(load('action: migrate_hot', 'action: migrate_cold').map(({ dests }) => dests[0].place)).toEqual([
      'fast',
      'slow',
    ]);
    expect(load('{action: stat, watermarks: {metric: none}}')[0].watermarks).toBeUndefined();
    expect(
      load('{action: stat, quotas: {fail_charge_num: 0, fail_charge_denom: 0}}')[0].quota.failCharge,
    ).toBe(1);
  });

  test('spreads pages over places, of which those without weight take none', () => {
    const dests = '[{target: DRAM, weight: 2}, {id: 1, weight: 1}, {target: HBM, weight: 0}]';
    expect(load(`{action: migrate_hot, dests: ${dests}}`)[0].dests).toEqual([
      { place: 'DRAM', weight: 2 },
      { place: 'node1', weight: 1 },
    ]);
  });

  test('numbers the schemes that have no name of their own, past those that have', () => {
    expect(
      load('promote', 'demote', 'promote', 'stat', 'stat named promote-9').map(({ name }) => name),
    ).toEqual(['promote', 'demote', 'promote-3', 'stat', 'promote-9']);
  });
});

const quotas = (text: string) => `{action: stat, quotas: {${text}}}`;
const goal = (text: string) => `{action: stat, quotas: {goals: [{${text}}]}}`;
const filter = (text: string) => `{action: stat, filters: [{${text}}]}`;
const marks = (text: string) => `{action: stat, watermarks: {metric: free_mem_rate, ${text}}}`;
const pattern = (text: string) => `{action: stat, access_pattern: {${text}}}`;

describe('what is impossible is refused, at the value itself', () => {
  test.each([
    [pattern('sz_bytes: {min: 2M, max: 1M}'), /^2M: sz_bytes: min \(2M\) is above max \(1M\)/],
    [pattern('sz_bytes: {min: max}'), /^max: no region is that large/],
    [pattern('sz_bytes: {max: 0}'), /^0: no region is that small/],
    [pattern('age: {min: max}'), /^max: no region gets that old/],
    [pattern('age: {min: -1}'), /^-1: age\.min: "-1us" is not a time/],
    [pattern('nr_accesses: {min: 5}'), /^5: nr_accesses\.min: "5" is not an access frequency/],
    [pattern('nr_accesses: {min: 100 %}'), /^100: an access in each of the 20 samples/],
    [pattern('age: {min: "> 5s", max: 5s}'), /^">: age: min \(> 5s\) is above max/],
    [quotas('sz_bytes: 0'), /^0: a quota of 0 bytes/],
    [quotas('sz_bytes: 4095'), /^4095: a quota of 4095 bytes is less than a page/],
    [quotas('time_ms: 0'), /^0: a quota of no time/],
    [quotas('time_ms: 2s'), /^2s: a quota of more time than its window/],
    [quotas('reset_interval_ms: 0'), /^0: a quota window cannot be 0 long/],
    [quotas('top: 0'), /^0: top: 0 is not possible\nexpected at least 1/],
    [quotas('prioritize: exect'), /^exect: prioritize: "exect" is not known\ndid you mean "exact"/],
    [quotas('weights: {age_permil: 0}'), /^\{age_permil: all weights are 0/],
    [quotas('weights: {age_permil: 1001}'), /^1001: weights\.age_permil: 1001 is more than 1000 permil/],
    [quotas('fail_charge_num: 2, fail_charge_denom: 1'), /^2: fail_charge_num \(2\) is above/],
    [quotas('fail_charge_num: 2'), /^2: fail_charge_num lacks fail_charge_denom/],
    [quotas('goal_tuner: consist'), /^consist: the tuner consist has no goal to follow/],
    [quotas('goal_tuner: settel'), /^settel: goal_tuner: "settel" is not known\ndid you mean "settle"/],
    [
      quotas('reset_interval_ms: max, goals: [{metric: cpu_bp, target_value: 1%}]'),
      /^max: goals are looked at where a window ends/,
    ],
    [goal('metric: node_mem_used_bp, target_value: 9%'), /^\{metric: node_mem_used_bp is of a node or tier/],
    [goal('metric: cpu_bp, target_value: 9%, nid: 0'), /^0: cpu_bp is of the whole machine/],
    [goal('metric: cpu_bp, target_value: 0'), /^0: a goal of 0 cannot be aimed at/],
    [goal('metric: cpu_bp, target_value: 101 %'), /^101: goals\.target_value: "101 %" is not a percentage/],
    [goal('metric: cpu_bp, target_value: 10001'), /^10001: goals\.target_value: 10001 is more than 10000/],
    [goal('metric: slowdown_bp, target_value: max'), /^max: goals\.target_value: "max" is not a percentage/],
    [goal('metric: some_mem_psi_us, target_value: max'), /^max: a goal without an end/],
    [goal('metric: user_input, target_value: 5s'), /^5s: goals\.target_value: "5s" is not a number/],
    [goal('metric: cpu_bp'), /lacks the key "target_value"/],
    [goal('metric: cpu, target_value: 1'), /^cpu: metric: "cpu" is not known/],
    [goal('metric: node_memcg_used_bp, nid: 0, target_value: 9%'), /^\{metric: .* is of a memory cgroup/],
    [goal('metric: cpu_bp, memcg_path: /a, target_value: 9%'), /^\/a: cpu_bp is not of a memory cgroup/],
    [
      goal('metric: node_memcg_used_bp, nid: 0, memcg_path: a, target_value: 9%'),
      /^a: the cgroup "a" is no absolute path\nexpected a path from .*: \/a/,
    ],
    [goal('metric: node_mem_used_bp, nid: 0, target: DRAM, target_value: 9%'), /^0: target and nid are both/],
    [goal('metric: node_mem_used_bp, target: accessing, target_value: 9%'), /"accessing" is only a target/],
    [filter('filter_type: memcg'), /^\{filter_type: a filter of memcg lacks its memcg_path/],
    [filter('filter_type: anon, memcg_path: /a'), /^\/a: a filter of anon has no memcg_path\nleave/],
    [
      filter('filter_type: addr, nid: 1, address_range: [0, 4K]'),
      /^1: a filter of addr has no nid\nit has: addr/,
    ],
    [filter('filter_type: addr, address_range: [4K, 4K]'), /^\[4K: the address range is empty/],
    [
      filter('filter_type: addr, address_range: [4K]'),
      /^\[4K: address_range: a list is not possible\nexpected at least 2/,
    ],
    [filter('filter_type: addr, address_range: {begin: 4K}'), /unknown key "begin" in .*\n(did|known)/],
    [filter('filter_type: addr, address_range: 4K'), /^4K: .* cannot be 4K/],
    [filter('filter_type: hugepage_size, hugepage_size: [4M, 2M]'), /^\[4M: no value lies between/],
    [
      filter('filter_type: store_share, share: [50, 60 %]'),
      /^50: filters\.share: 50 is not a percentage|share/,
    ],
    [filter('filter_type: tier, nid: 1'), /^1: a filter of tier has no nid/],
    [
      filter('filter_type: node, target: nod1'),
      /^nod1: filters\.target: no memory is called "nod1"\ndid you mean "node1"/,
    ],
    [filter('filter_type: yung'), /^yung: filter_type: "yung" is not known\ndid you mean "young"/],
    [filter('filter_type: anon, allow: yes'), /^yes: allow is a text, yes\nexpected true or false/],
    [marks('high_permil: 100, mid_permil: 200'), /^200: mid \(200 permil\) is above high \(100 permil\)/],
    [marks('high_permil: 50%, low_permil: 60%'), /^60%: low \(600 permil\) is above mid/],
    [marks('high_permil: 20%, low_permil: 20%'), /^20%: the scheme would hardly ever be active/],
    [marks('interval_us: 0, low_permil: 1'), /^0: free memory cannot be looked at all the time/],
    ['{action: stat, target: DRAM}', /^DRAM: stat moves nothing, so it has no target/],
    ['{action: pageout, dests: [{id: 0, weight: 1}]}', /^\[\{id: pageout moves nothing/],
    ['{action: migrate_hot, dests: []}', /^\[: dests: a list is not possible\nexpected at least 1/],
    ['{action: migrate_hot, dests: [{weight: 1}]}', /^\{weight: a place without its name/],
    ['{action: migrate_hot, dests: [{id: 1, weight: 0}]}', /every weight is 0/],
    ['{action: migrate_hot, dests: [{target: accessing, weight: 1}]}', /"accessing" is only a target/],
    ['{action: migrate_hot, target: DRAM, dests: [{id: 1, weight: 1}]}', /^DRAM: target and dests are both/],
    ['{action: migrate_hot, from: nodeX}', /^nodeX: from: no memory is called "nodeX"\ndid you mean "node0"/],
    ['{action: stat, apply_interval_us: max}', /^max: apply_interval_us: "max" never ends/],
    ['{action: stat, max_nr_snapshots: -1}', /^-1: max_nr_snapshots: -1 is not possible/],
    ['{action: stat, name: ""}', /^"": name: "" is not possible/],
    ['{action: stat, quotas: {goals: [~]}}', /^~: 0 is empty|goals/],
  ])('%s', (scheme, expected) => {
    const found = mistakes(scheme);
    expect(found[0]).toMatch(expected);
    expect(found).toHaveLength(1);
  });

  test('all of it at once, also in schemes beside one with a wrong structure', () => {
    const text = `version: 1
monitor: {pull: fast}
schemes:
- {action: stat, quotas: {sz_bytes: 0, time_ms: 0, top: 5}, watermarks: {metric: free_mem_rate, high_permil: 5, mid_permil: 6}}
- {acton: stat}
- promot
`;
    const errors = ((): readonly { where: { line: number } | undefined }[] => {
      try {
        loadSchemes(text, 'f', INTERVALS);
      } catch (error) {
        if (error instanceof ThermoErrors) return error.errors;
      }
      return [];
    })();
    expect(errors.map((error) => error.where?.line)).toEqual([2, 4, 4, 4, 5, 5, 6]);
  });
});
