import { describe, expect, test } from 'vitest';
import { describeScheme } from '../../src/schemes/describe.ts';
import { explainSchemes } from '../../src/schemes/explain.ts';
import { loadSchemes } from '../../src/schemes/load.ts';

const INTERVALS = { sampleUs: 5000, aggrUs: 100_000 };

function describeOne(scheme: string): string {
  const { schemes } = loadSchemes(`version: 1\nschemes:\n- ${scheme}\n`, 'f', INTERVALS);
  return describeScheme(schemes[0]);
}

const EVERYTHING = `version: 1
monitor: {intervals: {sample_us: 5ms, aggr_us: 100ms}, pull: 15000/s}
schemes:
  - promote hot>30/s for 2s from CXL to DRAM quota 512M/s, 10ms/s top 1000 goal DRAM used 99.7% tuner settle
  - demote cold>30s size>=2M to CXL:2, node1:1 by histogram quota 1G/s not young only memcg /app not addr 4G..8G
  - pageout cold>120s quota 128M/s when free_mem 20%..40%..50% every 5s
  - promote hot 25%..75% to accessing node only stores>50% not used by node0 at most 10 rounds named follow
  - action: lru_prio
    access_pattern: {nr_accesses: {min: 50 %}, age: {max: < 1m}}
    quotas:
      time_ms: 10
      weights: {sz_permil: 100, nr_accesses_permil: 900, age_permil: 500}
      fail_charge_num: 1
      fail_charge_denom: 1000
      goals:
        - {metric: active_mem_bp, target_value: 50 %}
        - {metric: some_mem_psi_us, target_value: 10ms}
    filters:
      - {filter_type: hugepage_size, hugepage_size: [2 MiB, 1 GiB], allow: true}
      - {filter_type: anon, matching: false, allow: true}
  - stat
`;

describe('explain', () => {
  test('says in plain words and in the long form what a file does', async () => {
    const text = explainSchemes(loadSchemes(EVERYTHING, 'f', INTERVALS));
    await expect(text).toMatchFileSnapshot('../golden/explain.yaml.txt');
  });

  test('keeps its comments narrow, and a number together with its unit', () => {
    const comments = explainSchemes(loadSchemes(EVERYTHING, 'f', INTERVALS))
      .split('\n')
      .filter((line) => line.startsWith('  # '));
    expect(comments.length).toBeGreaterThan(10);
    for (const line of comments) {
      expect(line.length).toBeLessThanOrEqual(96);
      expect(line).not.toMatch(/^ {2}# (%|[KMGTP]iB)/);
    }
  });

  test.each([
    ['stat', 'Counts all regions. A round after each aggregation interval.'],
    ['stat from CXL', /^Counts all regions, as far as they lie on CXL\./],
    ['promote', /^Moves to the fast tier the regions accessed at all\./],
    [
      'demote cold 1m..5m',
      /^Moves to the slower tiers the regions without any access seen, for at least 1m and at most 5m\./,
    ],
    ['willneed quota 1G/s', /At most 1 GiB per 1s, in the order of addresses\./],
    ['demote quota 1G/s', /At most 1 GiB per 1s, coldest first\./],
    ['promote top 1000', /At most 1,000 regions per round, hottest first\./],
    [
      'promote goal DRAM used 99.7%',
      /As much as its goals ask for, hottest first\. The quota is tuned \(settle\) until 99\.7 % of DRAM is used\./,
    ],
    [
      'promote only anon not young',
      /Leaves out all but anonymous pages; pages accessed since the last look\./,
    ],
    ['promote only huge', /Leaves out all but huge pages of 2 MiB or more\./],
    [
      '{action: stat, filters: [{filter_type: young, allow: true}]}',
      /Of these, as the first that matches decides: takes pages accessed since the last look; all else is left out\./,
    ],
    [
      'pageout cold>9s when free_mem 20%..50%',
      /Rests while more than 50 % of all memory is free, and while less than 20 % is; looks each 5s\./,
    ],
    ['stat at most 1 round every 5s', /A round every 5s, 1 in all\.$/],
  ])('%s', (scheme, expected) => {
    expect(describeOne(scheme)).toMatch(expected);
  });
});
