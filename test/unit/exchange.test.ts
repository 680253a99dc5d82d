/** Promotions into a full tier: who makes way for whom, and when nobody does. */
import { fc, test as propTest } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import type { ActionRequest } from '../../src/memory/action.ts';
import { NO_VALUE, PageRuns, type RunVisitor } from '../../src/memory/page-runs.ts';
import { NO_REGIONS } from '../../src/monitor/monitor.ts';
import { loadSchemes } from '../../src/schemes/load.ts';
import {
  ATTRS,
  executorOf,
  type FakeExecutor,
  FakeHost,
  type FakeRegion,
  regionsOf,
} from './scheme-fakes.ts';

const PAGE = 4096;

/** What is asked for happens between two rounds, as on a machine. */
class QueueingHost extends FakeHost {
  #queue: ActionRequest[] = [];

  override act(request: ActionRequest): void {
    this.requests.push(request);
    this.#queue.push(request);
  }

  override placement(start: number, end: number, visit: RunVisitor): void {
    const seen = new PageRuns();
    this.runs.forEach(start, end, (from, to, nid) => seen.set(from, to, nid));
    for (const each of this.#queue) seen.set(each.start, each.end, NO_VALUE);
    seen.forEach(start, end, visit);
  }

  override comingBytes(nid?: number): number {
    const coming = this.#queue.filter(({ targetNid }) => targetNid === nid);
    return coming.reduce((sum, { start, end }) => sum + end - start, 0);
  }

  settle({ executor }: FakeExecutor): void {
    for (const { start, end, targetNid, tag } of this.#queue) {
      this.runs.set(start, end, targetNid);
      executor.recordResult(tag, end - start, 'applied', 0);
    }
    this.#queue = [];
  }
}

/** Regions of 10 pages each; those in `fast` lie on node 0, which holds no more. */
function machineOf(rates: readonly number[], fast: readonly number[]) {
  const list: FakeRegion[] = rates.map((rate, i) => ({
    start: i * 10 * PAGE,
    end: (i + 1) * 10 * PAGE,
    rate,
  }));
  const host = new QueueingHost(rates.length * 10 * PAGE);
  for (const i of fast) host.runs.set(list[i].start, list[i].end, 0);
  // What is used of node 0 now is all that it holds.
  host.reserveBytes = host.gauge(0).freeBytes;
  const onFast = () => list.filter(({ start }) => host.runs.get(start) === 0).map(({ rate }) => rate);
  /** Rounds until nothing is asked for, 20 at most. */
  const run = (sentence: string, rounds = 20): void => {
    const executor = executorOf(sentence, [0]);
    for (let round = 0; round < rounds; round++) {
      const asked = host.requests.length;
      executor.apply(round * 1e6, regionsOf(list), NO_REGIONS, host);
      host.settle(executor);
      if (host.requests.length === asked) return;
    }
  };
  return { list, host, onFast, run };
}

describe('an exchange', () => {
  test('brings up the hottest, for which the coldest of the hot make way', () => {
    const { host, onFast, run } = machineOf([900, 10, 20, 400, 30], [1, 2]);
    run('promote hot>1/s to DRAM exchange 2x');
    expect(onFast()).toEqual([900, 400]);
    expect(host.requests.map(({ action, targetNid }) => [action, targetNid])).toEqual([
      ['migrate_cold', 1],
      ['migrate_hot', 0],
      ['migrate_cold', 1],
      ['migrate_hot', 0],
    ]);
  });

  test.each([
    ['just twice as hot', 40, 20, true],
    ['a little less', 39, 20, false],
    ['the same', 20, 20, false],
  ])('of what is %s: %d against %d per second', (_, newcomer, resident, isWorth) => {
    const { onFast, run } = machineOf([newcomer, resident], [1]);
    run('promote hot>1/s to DRAM exchange 2x');
    expect(onFast()).toEqual([isWorth ? newcomer : resident]);
  });

  test('pays for both moves in time, where access times are known', () => {
    // 100 ns saved per access, 16 us for two moves: 160 accesses in 10 s.
    for (const [newcomer, isWorth] of [
      [18, true],
      [17, false],
    ] as const) {
      const { host, onFast, run } = machineOf([newcomer, 2], [1]);
      host.system = { ...host.system, fastNs: 100, slowNs: 200 };
      run('promote hot>1/s to DRAM exchange 2x within 10s');
      expect(onFast()).toEqual([isWorth ? newcomer : 2]);
    }
  });

  test('moves nothing, with room or without, that does not pay for two moves', () => {
    // 100 ns saved per access, 16 us for two moves: 160 accesses in 60 s.
    const { host, onFast, run } = machineOf([3, 2], []);
    host.reserveBytes = 0;
    host.system = { ...host.system, fastNs: 100, slowNs: 200 };
    run('promote hot>1/s to DRAM exchange 2x');
    expect(onFast()).toEqual([3]);
  });

  test('leaves memory that is not hot to reclaim: it is not moved, and the promotion is asked for', () => {
    const { host, run } = machineOf([50, 0.5], [1]);
    run('promote hot>1/s to DRAM exchange 2x', 1);
    expect(host.requests.map(({ action, start }) => [action, start])).toEqual([['migrate_hot', 0]]);
  });

  test('counts both that come and that go in the quota', () => {
    const { host, run } = machineOf([900, 10], [1]);
    run(`promote hot>1/s to DRAM quota ${8 * PAGE}/s exchange 2x`, 1);
    const pages = (action: string): number =>
      host.requests
        .filter((each) => each.action === action)
        .reduce((sum, { start, end }) => sum + end - start, 0) / PAGE;
    expect([pages('migrate_cold'), pages('migrate_hot')]).toEqual([4, 4]);
  });

  propTest.prop([fc.array(fc.integer({ min: 2, max: 1000 }), { minLength: 2, maxLength: 12 }), fc.nat(11)])(
    'comes to rest with nothing outside twice as hot as anything inside',
    (rates, count) => {
      const fast = rates.map((_, i) => i).slice(0, 1 + (count % (rates.length - 1)));
      const { list, host, onFast, run } = machineOf(rates, fast);
      run('promote hot>1/s to DRAM exchange 2x');
      const asked = host.requests.length;
      run('promote hot>1/s to DRAM exchange 2x', 1);
      expect(host.requests.length).toBe(asked);
      const inside = onFast();
      expect(inside.length).toBe(fast.length);
      const outside = list.filter(({ start }) => host.runs.get(start) !== 0).map(({ rate }) => rate);
      expect(Math.max(...outside)).toBeLessThan(2 * Math.min(...inside));
    },
  );

  test.each([
    ['demote cold>1s exchange 2x', /migrate_cold fills no memory with what is hot/],
    ['promote hot>1 exchange 0.5x', /would drive out what is hotter/],
    ['promote hot>1 exchange twice', /"twice" is no ratio/],
  ])('%s is refused', (text, message) => {
    expect(() => loadSchemes(`version: 1\nschemes: ['${text}']`, 't', ATTRS)).toThrow(message);
  });
});
