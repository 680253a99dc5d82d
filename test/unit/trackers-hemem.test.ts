import { fc, test as propTest } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import type { ActionOutcome } from '../../src/memory/action.ts';
import { PAGE_SIZE } from '../../src/memory/range.ts';
import { Hemem } from '../../src/trackers/hemem.ts';
import { PageLists } from '../../src/trackers/page-lists.ts';
import { FakeTrackerHost, GIB, hotRanges, MIB, samplesOf, twoNodes } from './tracker-fakes.ts';

const MS = 1_000;
const HUGE = 2 * MIB;
/** Small pages in a huge one. */
const SMALL = HUGE / PAGE_SIZE;

/** 8 huge pages on each node. */
function setUp(free = GIB): { host: FakeTrackerHost; tracker: Hemem } {
  const host = new FakeTrackerHost({ bytes: 32 * MIB, onFast: 16 * MIB, nodes: twoNodes(2 * GIB, 2 * GIB) });
  host.free[0] = free;
  return { host, tracker: new Hemem(host) };
}

/** Samples huge page `page`, anywhere in it, `times` times. */
function sample(tracker: Hemem, page: number, times: number, isStore = 0): void {
  const pages = Array.from({ length: times }, (_, i) => page * SMALL + ((i * 7) % SMALL));
  tracker.takeSamples(samplesOf(pages, 0, isStore));
}

function round(host: FakeTrackerHost, tracker: Hemem): number[][] {
  host.us += 10 * MS;
  tracker.step();
  return host.requests.map(({ start, end, nid }) => [start / HUGE, (end - start) / HUGE, nid]);
}

describe('HeMem', () => {
  test('asks for a sample in 19,997 and holds a record per 2 MiB', () => {
    const { host, tracker } = setUp();
    expect(host.pushes).toEqual([{ kind: 'period', accesses: 19_997 }]);
    expect(tracker.metadataBytes).toBe(16 * 240);
    expect(tracker.stepUs).toBe(10 * MS);
  });

  test.each([
    ['loads', 0],
    ['stores', 1],
  ] as const)('a page is hot with 4 samples of %s, not with 3', (_, isStore) => {
    const { host, tracker } = setUp();
    sample(tracker, 9, 3, isStore);
    expect(round(host, tracker)).toEqual([]);
    expect(hotRanges(tracker)).toEqual([]);
    sample(tracker, 9, 1, isStore);
    expect(hotRanges(tracker)).toEqual([[9 * HUGE, 10 * HUGE]]);
    expect(round(host, tracker)).toEqual([[9, 1, 0]]);
    host.settle(tracker);
    expect(tracker.counters()).toMatchObject({ migrations_up: SMALL, migrations_down: 0 });
  });

  test('3 loads and 3 stores do not make a page hot', () => {
    const { host, tracker } = setUp();
    sample(tracker, 9, 3, 0);
    sample(tracker, 9, 3, 1);
    expect(round(host, tracker)).toEqual([]);
  });

  test('without free memory the oldest cold page of DRAM goes down first', () => {
    const { host, tracker } = setUp(3 * MIB);
    sample(tracker, 0, 4);
    sample(tracker, 9, 4);
    sample(tracker, 10, 4);
    expect(round(host, tracker)).toEqual([
      [1, 1, 1],
      [9, 1, 0],
      [2, 1, 1],
      [10, 1, 0],
    ]);
  });

  test('when all of DRAM is hot, nothing moves and the page waits', () => {
    const { host, tracker } = setUp(3 * MIB);
    for (let page = 0; page < 8; page++) sample(tracker, page, 4);
    sample(tracker, 9, 4);
    expect(round(host, tracker)).toEqual([]);
    host.free[0] = GIB;
    expect(round(host, tracker)).toEqual([[9, 1, 0]]);
  });

  test('a round waits for the migrations of the one before', () => {
    const { host, tracker } = setUp();
    sample(tracker, 9, 4);
    round(host, tracker);
    sample(tracker, 10, 4);
    expect(round(host, tracker)).toHaveLength(1);
    host.settle(tracker);
    expect(round(host, tracker)).toEqual([[10, 1, 0]]);
  });

  test('a round asks for 100 MB: 48 pages of 2 MiB', () => {
    const host = new FakeTrackerHost({ bytes: 200 * MIB, nodes: twoNodes(2 * GIB, 2 * GIB) });
    host.free[0] = GIB;
    const tracker = new Hemem(host);
    for (let page = 0; page < 100; page++) sample(tracker, page, 4);
    expect(round(host, tracker)).toHaveLength(Math.ceil(100e6 / HUGE));
  });

  test('the clock ticks when a counter exceeds 10, and a page is halved when it is sampled next', () => {
    const { tracker } = setUp();
    sample(tracker, 9, 10);
    expect(tracker.counters().global_clock).toBe(0);
    sample(tracker, 9, 1);
    expect(tracker.counters().global_clock).toBe(1);
    // 12 >> 1 = 6: five more to exceed 10 again.
    sample(tracker, 9, 1);
    sample(tracker, 9, 4);
    expect(tracker.counters().global_clock).toBe(1);
    sample(tracker, 9, 1);
    expect(tracker.counters().global_clock).toBe(2);
  });

  test('a hot page that is not sampled any more cools by ticks of others', () => {
    const { host, tracker } = setUp();
    sample(tracker, 3, 4);
    sample(tracker, 4, 8);
    sample(tracker, 9, 11);
    round(host, tracker);
    host.settle(tracker);
    round(host, tracker);
    // After one tick 4 >> 1 is cold, 8 >> 1 is still hot.
    expect(hotRanges(tracker)).toEqual([
      [4 * HUGE, 5 * HUGE],
      [9 * HUGE, 10 * HUGE],
    ]);
  });

  test('a sample halves the counter of its own kind only, as in the original', () => {
    const { host, tracker } = setUp();
    sample(tracker, 3, 7, 1);
    sample(tracker, 9, 11);
    // One load takes the tick away from the stores of page 3: 7 stay 7, and the page stays hot.
    sample(tracker, 3, 1, 0);
    round(host, tracker);
    host.settle(tracker);
    round(host, tracker);
    expect(hotRanges(tracker)[0]).toEqual([3 * HUGE, 4 * HUGE]);
  });

  test('a page whose migration failed is back on its list', () => {
    const { host, tracker } = setUp();
    sample(tracker, 9, 4);
    round(host, tracker);
    host.settle(tracker, () => 'destination_full');
    expect(round(host, tracker)).toEqual([[9, 1, 0]]);
    expect(tracker.counters().migrations_up).toBe(0);
  });

  const OUTCOMES: readonly ActionOutcome[] = ['applied', 'applied', 'destination_full', 'busy'];

  propTest.prop([
    fc.array(fc.array(fc.tuple(fc.nat(15), fc.boolean()), { maxLength: 40 }), {
      minLength: 1,
      maxLength: 40,
    }),
    fc.nat(20),
  ])('moves add up, samples are counted, hot ranges are sorted and disjoint', (batches, freeMib) => {
    const { host, tracker } = setUp(freeMib * MIB);
    let [moved, samples] = [0, 0];
    for (const batch of batches) {
      for (const [page, isStore] of batch) sample(tracker, page, 1, isStore ? 1 : 0);
      samples += batch.length;
      round(host, tracker);
      host.settle(tracker, (start) => {
        const outcome = OUTCOMES[(start / HUGE + samples) % OUTCOMES.length];
        if (outcome === 'applied') moved += SMALL;
        return outcome;
      });
      const hot = hotRanges(tracker);
      for (let i = 1; i < hot.length; i++) expect(hot[i][0]).toBeGreaterThan(hot[i - 1][1]);
    }
    const { migrations_up, migrations_down, hemem_pages_cnt, total_pages_cnt } = tracker.counters();
    expect(migrations_up + migrations_down).toBe(moved);
    expect([hemem_pages_cnt, total_pages_cnt]).toEqual([samples, samples]);
  });
});

describe('the lists of pages', () => {
  propTest.prop([
    fc.array(fc.tuple(fc.constantFrom('enqueue', 'dequeue', 'remove'), fc.nat(2), fc.nat(9)), {
      maxLength: 200,
    }),
  ])('are those of arrays', (steps) => {
    const lists = new PageLists(10, 3);
    let plain: number[][] = [[], [], []];
    for (const [step, list, page] of steps) {
      if (step === 'dequeue') expect(lists.dequeue(list)).toBe(plain[list].shift() ?? -1);
      else {
        plain = plain.map((pages) => pages.filter((each) => each !== page));
        if (step === 'enqueue') {
          lists.enqueue(list, page);
          plain[list].push(page);
        } else lists.remove(page);
      }
      for (const [i, pages] of plain.entries()) {
        const found: number[] = [];
        for (let at = lists.first(i); at >= 0; at = lists.next(at)) found.push(at);
        expect(found).toEqual(pages);
      }
    }
  });
});
