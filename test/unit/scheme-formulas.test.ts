/** DAMOS's tables: scores (reference 4.5), goals (4.6), filters (4.8, 6.4) and watermarks (4.9). */
import { describe, expect, test } from 'vitest';
import { defaultRejects, FilterChain } from '../../src/schemes/filters.ts';
import { damonScore, hotScore, minScore } from '../../src/schemes/priority.ts';
import type { SchemeFilter } from '../../src/schemes/scheme.ts';
import { createTuner, type GoalReading, quotaScore, type TunerInput } from '../../src/schemes/tuners.ts';
import type { FilterType } from '../../src/schemes/vocabulary.ts';
import { isActive } from '../../src/schemes/watermarks.ts';
import { ATTRS, FakeHost } from './scheme-fakes.ts';

const weights = (nrAccesses: number, age: number) => ({ sz: 0, nrAccesses, age });

describe("the kernel's hot score", () => {
  // nr, age in aggregations, then the score by weights 100/100, 0/100 and 100/0.
  test.each([
    [0, 0, 24, 49, 0],
    [0, 10, 23, 47, 0],
    [0, 600, 19, 39, 0],
    [0, 36_000, 14, 30, 0],
    [1, 0, 26, 49, 4],
    [1, 600, 31, 58, 4],
    [10, 0, 49, 49, 49],
    [10, 600, 53, 58, 49],
    [20, 0, 74, 49, 99],
    [20, 600, 78, 58, 99],
    [20, 36_000, 83, 67, 99],
  ])('of %d accesses for %d aggregations', (nr, age, both, byAge, byRate) => {
    expect(hotScore(weights(0.1, 0.1), nr, age, ATTRS)).toBe(both);
    expect(hotScore(weights(0, 0.1), nr, age, ATTRS)).toBe(byAge);
    expect(hotScore(weights(0.1, 0), nr, age, ATTRS)).toBe(byRate);
    expect(damonScore('cold', weights(0.1, 0.1), nr, age, ATTRS)).toBe(99 - both);
  });

  test('without weights orders nothing: hot 0, cold 99, and actions without an order always 99', () => {
    expect(hotScore(weights(0, 0), 20, 600, ATTRS)).toBe(0);
    expect(damonScore('cold', weights(0, 0), 20, 600, ATTRS)).toBe(99);
    expect(damonScore('none', weights(1, 0), 0, 0, ATTRS)).toBe(99);
  });

  test('is cut where the bytes from the top fill the quota', () => {
    const bytes = new Float64Array(100);
    bytes[90] = 10;
    bytes[50] = 10;
    bytes[3] = 100;
    expect([5, 10, 11, 20, 21, 120, 121].map((quota) => minScore(bytes, quota))).toEqual([
      90, 90, 50, 50, 3, 3, 0,
    ]);
  });
});

const goal = (current: number, target: number, more: Partial<GoalReading> = {}): GoalReading => ({
  current,
  target,
  sign: 1,
  kind: 'state',
  perByte: Number.NaN,
  ...more,
});
const input = (goals: GoalReading[], more: Partial<TunerInput> = {}): TunerInput => ({
  goals,
  appliedBytes: 0,
  pendingBytes: 0,
  capBytes: Number.POSITIVE_INFINITY,
  matchedBytes: 2 ** 34,
  ...more,
});

describe('goals', () => {
  test('the most satisfied one counts', () => {
    expect(quotaScore([goal(50, 100), goal(30, 40)])).toBe(7500);
    expect(quotaScore([goal(9970, 9970)])).toBe(10_000);
    expect(quotaScore([goal(0, 9970)])).toBe(0);
  });

  test('that acting lowers score by target over current', () => {
    expect(quotaScore([goal(2000, 500, { sign: -1 })])).toBe(2500);
    expect(quotaScore([goal(0, 500, { sign: -1 })])).toBe(20_000);
  });

  test('what cannot be told yet does not count', () => {
    expect(quotaScore([goal(Number.NaN, 100), goal(30, 40)])).toBe(7500);
  });
});

describe('consist', () => {
  test('starts from one byte and doubles while nothing is achieved', () => {
    const tuner = createTuner('consist');
    const sizes = Array.from({ length: 31 }, () => tuner.nextBytes(input([goal(0, 100)])));
    expect(sizes.slice(0, 5)).toEqual([2, 4, 8, 16, 32]);
    expect(sizes[30]).toBe(2 ** 31);
  });

  test("goes up, down, up and down as the kernel's self-test feeds it", () => {
    const tuner = createTuner('consist');
    const sizes = [0, 15_000, 5000, 18_000].map((current) => tuner.nextBytes(input([goal(current, 10_000)])));
    // 2, then 2 x 0.5 = 1, then 1.5, then 1 (the least).
    expect(sizes).toEqual([2, 1, 1, 1]);
    const large = createTuner('consist');
    for (let i = 0; i < 20; i++) large.nextBytes(input([goal(0, 10_000)]));
    const moves = [0, 15_000, 5000, 18_000].map((current) => large.nextBytes(input([goal(current, 10_000)])));
    expect(moves).toEqual([2 ** 21, 2 ** 20, 1.5 * 2 ** 20, Math.floor(1.5 * 2 ** 20 * 0.2)]);
  });
});

test('temporal does everything until the goal is met, then nothing', () => {
  const tuner = createTuner('temporal');
  const sizes = [0, 99, 100, 150, 99].map((current) => tuner.nextBytes(input([goal(current, 100)])));
  expect(sizes).toEqual([Infinity, Infinity, 0, 0, Infinity]);
});

describe('watermarks', () => {
  const marks = { intervalUs: 5e6, high: 0.5, mid: 0.4, low: 0.2 };
  test.each([
    [0.51, false, false],
    [0.5, true, false],
    [0.4, true, false],
    [0.399, true, true],
    [0.2, true, true],
    [0.199, false, false],
  ])('at %d free: active becomes %s, inactive becomes %s', (free, fromActive, fromInactive) => {
    expect(isActive(free, marks, true)).toBe(fromActive);
    expect(isActive(free, marks, false)).toBe(fromInactive);
  });
});

const MIB = 2 ** 20;
const filter = (
  type: FilterType,
  matching: boolean,
  allow: boolean,
  more: Partial<SchemeFilter> = {},
): SchemeFilter => ({
  type,
  matching,
  allow,
  path: undefined,
  range: undefined,
  targetIndex: undefined,
  place: undefined,
  where: { file: 't', line: 1, column: 1 },
  ...more,
});
const addr = (from: number, to: number, matching = true, allow = true) =>
  filter('addr', matching, allow, { range: { min: from, max: to } });

function passed(
  filters: readonly SchemeFilter[],
  range: readonly [number, number],
  host = new FakeHost(64 * MIB),
  unit = { accessingNid: -1, storeShare: Number.NaN },
): [number, number][] {
  const chain = new FilterChain(
    {
      scheme: { filters } as never,
      dests: [],
      fromNids: undefined,
      goalNids: [],
      filterNids: filters.map(({ place }) => (place === undefined ? undefined : [Number(place)])),
    },
    host,
  );
  const parts: [number, number][] = [];
  chain.forEachPassed(range[0], range[1], unit, (from, to) => parts.push([from, to]));
  return parts;
}

describe('filters', () => {
  const allow = { allow: true };
  const reject = { allow: false };
  test.each([
    ['none', [], [], false, false],
    ['core allow', [allow], [], true, false],
    ['core reject', [reject], [], false, false],
    ['core reject, page allow', [reject], [allow], false, true],
    ['core allow, page allow', [allow], [allow], false, true],
  ])('by default: %s', (_name, core, page, coreRejects, pageRejects) => {
    expect(defaultRejects(core, page)).toEqual({ core: coreRejects, page: pageRejects });
  });

  // The kernel's test of an address filter [2, 6), which looks for memory inside.
  test.each([
    [3, 5, [[3, 5]]],
    [1, 2, []],
    [6, 8, []],
    [1, 4, [[2, 4]]],
    [2, 8, [[2, 6]]],
    [1, 9, [[2, 6]]],
  ])('an address filter cuts %d-%d', (from, to, expected) => {
    expect(passed([addr(2, 6)], [from, to])).toEqual(expected);
    const rest = passed([addr(2, 6, true, false)], [from, to]);
    expect(rest.every(([a, b]) => b <= 2 || a >= 6)).toBe(true);
    const bytes = (parts: readonly (readonly number[])[]) => parts.reduce((sum, [a, b]) => sum + b - a, 0);
    expect(bytes(rest) + bytes(expected)).toBe(to - from);
  });

  test('the first match decides', () => {
    expect(passed([addr(0, 4), addr(0, 8, true, false)], [0, 8])).toEqual([[0, 4]]);
    expect(passed([addr(0, 4, true, false), addr(0, 8)], [0, 8])).toEqual([[4, 8]]);
  });

  test('an allow among the core filters spares the page filters', () => {
    const host = new FakeHost(64 * MIB);
    expect(passed([addr(0, MIB), filter('anon', true, true)], [0, 2 * MIB], host)).toEqual([[0, MIB]]);
    expect(host.queries).toEqual([{ property: 'anon', start: MIB, end: 2 * MIB }]);
  });

  test('core filters come first, wherever they stand in the file', () => {
    const host = new FakeHost(64 * MIB);
    expect(passed([filter('anon', true, true), addr(0, MIB)], [0, 2 * MIB], host)).toEqual([[0, MIB]]);
    expect(host.queries.length).toBe(1);
  });

  test('page filters take runs of pages', () => {
    const host = new FakeHost(64 * MIB);
    const anon = host.property('anon');
    anon.set(0, MIB, 1);
    anon.set(2 * MIB, 3 * MIB, 1);
    expect(passed([filter('anon', true, true)], [0, 4 * MIB], host)).toEqual([
      [0, MIB],
      [2 * MIB, 3 * MIB],
    ]);
    expect(passed([filter('anon', false, false), filter('young', true, false)], [0, 4 * MIB], host)).toEqual([
      [0, MIB],
      [2 * MIB, 3 * MIB],
    ]);
  });

  test('by node look at the placement', () => {
    const host = new FakeHost(4 * MIB);
    host.runs.set(MIB, 2 * MIB, 0);
    expect(passed([filter('node', true, true, { place: '0' })], [0, 4 * MIB], host)).toEqual([
      [MIB, 2 * MIB],
    ]);
    expect(passed([filter('tier', true, false, { place: '0' })], [0, 4 * MIB], host)).toEqual([
      [0, MIB],
      [2 * MIB, 4 * MIB],
    ]);
  });

  test('by who accesses and how take what samples told, and nothing where none did', () => {
    const byNode = [filter('accessing_node', true, true, { place: '1' })];
    const stores = [filter('store_share', true, true, { range: { min: 0.5, max: 1 } })];
    const of = (filters: SchemeFilter[], accessingNid: number, storeShare: number) =>
      passed(filters, [0, MIB], new FakeHost(MIB), { accessingNid, storeShare }).length;
    expect([of(byNode, 1, 0), of(byNode, 0, 0), of(byNode, -1, 0)]).toEqual([1, 0, 0]);
    expect([of(stores, 0, 0.5), of(stores, 0, 0.49), of(stores, 0, Number.NaN)]).toEqual([1, 0, 0]);
  });

  test('by target know one target', () => {
    expect(passed([filter('target', true, true, { targetIndex: 0 })], [0, MIB]).length).toBe(1);
    expect(passed([filter('target', true, true, { targetIndex: 1 })], [0, MIB]).length).toBe(0);
  });
});
