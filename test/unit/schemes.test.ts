import { describe, expect, test } from 'vitest';
import { ThermoErrors } from '../../src/memory/error.ts';
import { rateOfShare } from '../../src/monitor/rate.ts';
import { explainSchemes } from '../../src/schemes/explain.ts';
import { loadSchemes } from '../../src/schemes/load.ts';
import type { Scheme } from '../../src/schemes/scheme.ts';

const INTERVALS = { sampleUs: 5000, aggrUs: 100_000 };

function load(...sentences: string[]): readonly Scheme[] {
  return loadSchemes(
    `version: 1\nschemes:\n${sentences.map((s) => `  - ${s}\n`).join('')}`,
    'test.yaml',
    INTERVALS,
  ).schemes;
}

function problems(text: string): string[] {
  try {
    loadSchemes(text, 'test.yaml', INTERVALS);
  } catch (error) {
    if (error instanceof ThermoErrors) return error.errors.map((each) => each.format());
    throw error;
  }
  return [];
}

describe('a sentence', () => {
  test('promote hot>5 to DRAM quota 1G/s means a rate, a target and a window', () => {
    const [scheme] = load('promote hot>5 to DRAM quota 1G/s');
    expect(scheme.action).toBe('migrate_hot');
    expect(scheme.dests).toEqual([{ place: 'DRAM', weight: 1 }]);
    expect(scheme.pattern.minRatePerS).toEqual({ value: rateOfShare(0.25, 0.005), isOpen: true });
    expect(scheme.quota).toMatchObject({ szBytes: 2 ** 30, resetIntervalUs: 1e6 });
  });

  test('takes its clauses in any order and spacing', () => {
    const strip = ({ longForm: _l, where: _w, ...rest }: Scheme) => rest;
    const [a] = load('promote hot > 30/s for 2s from CXL to DRAM quota 512 MiB/s top 1000 every 1s');
    const [b] = load('promote top 1000 every 1s quota 512M/s to DRAM from CXL for 2s hot>30/s');
    expect(strip(a)).toEqual(strip(b));
    expect(a.pattern.minAgeUs).toEqual({ value: 2e6, isOpen: false });
    expect(a.applyIntervalUs).toBe(1e6);
    expect(a.quota.top).toBe(1000);
  });

  test('cold>30s means: no access seen for more than 30 s', () => {
    const [scheme] = load('demote cold>30s from DRAM to CXL quota 512M/s');
    expect(scheme.pattern.mustBeIdle).toBe(true);
    expect(scheme.pattern.minAgeUs).toEqual({ value: 30e6, isOpen: true });
  });

  test('a target defaults to the fast tier for promote and the slow one for demote', () => {
    expect(load('promote hot>5', 'demote cold>1m').map((scheme) => scheme.dests[0].place)).toEqual([
      'fast',
      'slow',
    ]);
  });

  test('hot>25% is the share, and keeps its meaning whatever the intervals are', () => {
    const at = (sampleUs: number, aggrUs: number) =>
      loadSchemes('version: 1\nschemes: [promote hot>30/s]', 'f', { sampleUs, aggrUs }).schemes[0].pattern
        .minRatePerS.value;
    expect(at(5000, 100_000)).toBe(30);
    expect(at(400_000, 8_000_000)).toBe(30);
    expect(load('promote hot>25%')[0].pattern.minRatePerS.value).toBe(
      load('promote hot>5')[0].pattern.minRatePerS.value,
    );
  });
});

describe('the long form', () => {
  test.each([
    'promote hot>5 to DRAM quota 1G/s',
    'promote hot>=30/s for 2s from CXL to node0 quota 100M/20s top 7 every 500ms named up',
    'demote cold>30s from DRAM to CXL size>=2M',
    'demote',
    'stat hot>25%',
    'stat size<1G',
  ])('printed by explain reads back to the same scheme: %s', (sentence) => {
    const loaded = loadSchemes(`version: 1\nschemes: ['${sentence}']`, 'a', INTERVALS);
    const again = loadSchemes(explainSchemes(loaded), 'b', INTERVALS);
    const strip = ({ longForm: _l, where: _w, ...rest }: Scheme) => rest;
    expect(again.schemes.map(strip)).toEqual(loaded.schemes.map(strip));
  });

  test('a bare number counts in the unit that its key names', () => {
    const text = `version: 1
schemes:
  - action: migrate_hot
    access_pattern: {nr_accesses: {min: 50 %}, age: {min: 10 aggr_intervals}}
    target_nid: 0
    apply_interval_us: 1000000
    quotas: {sz_bytes: 1048576, reset_interval_ms: 1000, weights: {nr_accesses_permil: 1000, age_permil: 50 %}}
`;
    const [scheme] = loadSchemes(text, 'f', INTERVALS).schemes;
    expect(scheme).toMatchObject({
      dests: [{ place: 'node0', weight: 1 }],
      applyIntervalUs: 1e6,
      quota: { szBytes: 2 ** 20, resetIntervalUs: 1e6, weights: { sz: 0, nrAccesses: 1, age: 0.5 } },
    });
    expect(scheme.pattern.minAgeUs.value).toBe(1e6);
  });
});

describe('a mistake is reported with its place and the way out', () => {
  const head = 'version: 1\nschemes:\n';
  test.each([
    ['empty file', '', /^test\.yaml:1:1: the file is empty/],
    ['only a comment', '# nothing\n', /the file is empty/],
    ['binary data', '\u0000\u0001PNG', /no text file/],
    ['broken YAML', 'version: 1\nschemes: [a\n', /^test\.yaml:\d+:\d+: not valid YAML/],
    ['a repeated key', 'version: 1\nversion: 1\n', /unique/],
    ['no version', 'schemes: [stat]\n', /lacks the key "version"/],
    ['another version', 'version: 2\nschemes: [stat]\n', /^test\.yaml:1:10: version: 2 is not supported/],
    ['no schemes', 'version: 1\nschemes: []\n', /^test\.yaml:2:10: schemes/],
    [
      'an unknown key',
      `${head}  - action: stat\n    acces_pattern: {}\n`,
      /^test\.yaml:4:5: unknown key "acces_pattern".*\n.*did you mean "access_pattern"/,
    ],
    [
      'a nested unknown key',
      `${head}  - action: stat\n    access_pattern:\n      aeg: {min: 1s}\n`,
      /^test\.yaml:5:7: unknown key "aeg" in schemes\[0\]\.access_pattern\n {2}did you mean "age"\?/,
    ],
    [
      'an unknown action',
      `${head}  - action: migrate_hott\n`,
      /^test\.yaml:3:13: action: "migrate_hott" is not known\n {2}did you mean "migrate_hot"\?/,
    ],
    [
      'a wrong type',
      `${head}  - action: stat\n    quotas: many\n`,
      /^test\.yaml:4:13: quotas is a text, many\n {2}expected a map/,
    ],
    ['a number as scheme', `${head}  - 7\n`, /^test\.yaml:3:5: a scheme cannot be 7/],
    [
      'a misspelt sentence',
      `${head}  - promot hot>5\n`,
      /^test\.yaml:3:5: a sentence cannot begin with "promot"\n {2}did you mean "promote"/,
    ],
    [
      'a misspelt clause',
      `${head}  - promote hot>5 quotta 1G/s\n`,
      /^test\.yaml:3:19: unexpected "quotta"\n {2}did you mean "quota"/,
    ],
    ['a quoted sentence', `${head}  - "promote hott>5"\n`, /^test\.yaml:3:14: unexpected "hott"/],
    ['a clause without value', `${head}  - promote hot>\n`, /"hot" lacks its value/],
    ['a clause twice', `${head}  - promote hot>5 hot>6\n`, /"hot" is said twice/],
    ['hot and cold', `${head}  - promote hot>5 cold>3s\n`, /cannot be hot and cold/],
    ['a quota of 0', `${head}  - promote hot>5 quota 0/s\n`, /^test\.yaml:3:25: a quota of 0 bytes/],
    ['a quota below a page', `${head}  - promote hot>5 quota 100/s\n`, /less than a page/],
    [
      'a quota without a window',
      `${head}  - promote hot>5 quota 1G\n`,
      /^test\.yaml:3:25: the quota "1G" has no window\n {2}expected for example: quota 1G\/s/,
    ],
    [
      'more samples than there are',
      `${head}  - promote hot>21\n`,
      /^test\.yaml:3:17: .*"21 samples" is more than the 20 samples/,
    ],
    ['all samples and more', `${head}  - promote hot>20\n`, /more than all 20 samples/],
    [
      'min above max',
      `${head}  - action: stat\n    access_pattern: {age: {min: 5s, max: 1s}}\n`,
      /^test\.yaml:4:33: age: min \(5s\) is above max \(1s\)/,
    ],
    ['an age without unit', `${head}  - promote hot>5 for 3\n`, /"3" is not a time/],
    ['two of a name', `${head}  - stat named a\n  - stat named a\n`, /two schemes are named "a"/],
    ['two targets', `${head}  - {action: migrate_hot, target: DRAM, target_nid: 1}\n`, /both given/],
    ['a target for stat', `${head}  - stat to DRAM\n`, /stat moves nothing/],
    [
      'a bad interval',
      'version: 1\nmonitor: {intervals: {sample_us: fast}}\nschemes: [stat]\n',
      /^test\.yaml:2:34: sample_us: "fast" is not a time/,
    ],
    [
      'an unknown monitor',
      'version: 1\nmonitor: {name: damn}\nschemes: [stat]\n',
      /^test\.yaml:2:17: name: "damn" is not known\n {2}did you mean "damon"\?/,
    ],
    [
      'an unknown key of the monitor',
      'version: 1\nmonitor:\n  pul: 1/s\nschemes: [stat]\n',
      /^test\.yaml:3:3: unknown key "pul" in monitor\n {2}did you mean "pull"\?/,
    ],
    [
      'checks without a time',
      'version: 1\nmonitor:\n  pull: 15000\nschemes: [stat]\n',
      /^test\.yaml:3:9: pull: "15000" is not a rate\n {2}accepted: 30\/s/,
    ],
    [
      'too many checks',
      'version: 1\nmonitor:\n  pull: 1G/s\nschemes: [stat]\n',
      /^test\.yaml:3:9: pull: 1000000000 pull checks per second\n {2}expected 0 to 100M\/s/,
    ],
    [
      'samples at no rate',
      'version: 1\nmonitor:\n  push: 0/s\nschemes: [stat]\n',
      /^test\.yaml:3:9: push: "0\/s" is not a rate above 0\n {2}accepted: 5876\/s, period=10000, off/,
    ],
    [
      'half a period',
      'version: 1\nmonitor:\n  push: period=0.5\nschemes: [stat]\n',
      /^test\.yaml:3:9: push: "0\.5" is not a whole number/,
    ],
    [
      'a budget of nothing',
      'version: 1\nmonitor:\n  overhead: 0%\nschemes: [stat]\n',
      /^test\.yaml:3:13: overhead: "0%" leaves monitoring no time/,
    ],
    [
      'a weight above 1',
      'version: 1\nmonitor:\n  weights: {pull: 1, push: 2}\nschemes: [stat]\n',
      /^test\.yaml:3:28: push: "2" is not a weight\n {2}accepted: 0 to 1/,
    ],
    [
      'weights that leave no evidence',
      'version: 1\nmonitor:\n  weights: {pull: 0, push: 0}\nschemes: [stat]\n',
      /^test\.yaml:3:12: weights: no evidence counts/,
    ],
    [
      'a goal of no accesses',
      'version: 1\nmonitor:\n  intervals:\n    intervals_goal: {access_bp: 0%}\nschemes: [stat]\n',
      /^test\.yaml:4:21: intervals_goal: 0 bp is no share/,
    ],
    [
      'intervals that contradict each other',
      'version: 1\nmonitor:\n  intervals: {sample_us: 1s, aggr_us: 100ms}\nschemes: [stat]\n',
      /^test\.yaml:3:39: aggr_us: the aggregation interval .* is shorter than the sampling interval/,
    ],
    [
      'fewer regions than there must be',
      'version: 1\nmonitor: {nr_regions: {min: 20, max: 10}}\nschemes: [stat]\n',
      /^test\.yaml:2:38: max: at most 10 regions is below the minimum of 20/,
    ],
    [
      'regions of no whole page',
      'version: 1\nmonitor: {min_region_sz: 6000}\nschemes: [stat]\n',
      /^test\.yaml:2:26: min_region_sz: the minimum region size is 6000 bytes/,
    ],
    [
      'a sampling interval outside those it is tuned in',
      'version: 1\nmonitor: {intervals: {sample_us: 1ms, intervals_goal: {min_sample_us: 5ms}}}\nschemes: [stat]\n',
      /^test\.yaml:2:55: intervals_goal: the sampling interval .* lies outside/,
    ],
    [
      'a goal with its bounds swapped',
      'version: 1\nmonitor:\n  intervals:\n    intervals_goal: {min_sample_us: 1s, max_sample_us: 1ms}\nschemes: [stat]\n',
      /^test\.yaml:4:21: intervals_goal: .* between 1000000 us and 1000 us/,
    ],
    [
      'an alias bomb',
      `a: &a [1,1,1,1]\nb: &b [*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c]\ne: [*d,*d,*d,*d]\n`,
      /not usable YAML|unknown key/,
    ],
  ])('%s', (_what, text, pattern) => {
    const found = problems(text);
    expect(found.length).toBeGreaterThan(0);
    expect(found.join('\n')).toMatch(pattern);
  });

  test('all mistakes of a file at once, in the order of their lines', () => {
    const found = problems(`${head}  - promot hot>5\n  - demote cold>30\n  - promote hot>5 quota 0/s\n`);
    expect(found.map((text) => text.split(':')[1])).toEqual(['3', '4', '5']);
  });
});
