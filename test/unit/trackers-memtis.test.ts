import { fc, test as propTest } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { RandomStream } from '../../src/memory/random.ts';
import { PAGE_SIZE } from '../../src/memory/range.ts';
import { demotionMark, Memtis } from '../../src/trackers/memtis.ts';
import {
  adaptThresholds,
  BINS,
  binOf,
  hotCapacityPages,
  leastScore,
  SAMPLE_SCORE,
} from '../../src/trackers/memtis-histogram.ts';
import {
  FIRST_STORE_PERIOD,
  LOAD_PERIODS,
  MemtisSampler,
  STORE_PERIODS,
} from '../../src/trackers/memtis-sampler.ts';
import { PageIndex } from '../../src/trackers/page-index.ts';
import { PageQueue } from '../../src/trackers/page-queue.ts';
import { PageSweep } from '../../src/trackers/page-sweep.ts';
import { FakeTrackerHost, GIB, hotRanges, MIB, samplesOf, twoNodes } from './tracker-fakes.ts';

const MS = 1_000;

function histogram(pages: Readonly<Record<number, number>>): Float64Array {
  return Float64Array.from({ length: BINS }, (_, bin) => pages[bin] ?? 0);
}

describe("MEMTIS's histogram", () => {
  test.each([
    [0, 0],
    [1, 1],
    [2, 1],
    [3, 2],
    [6, 2],
    [7, 3],
    [510, 8],
    [511, 9],
    [512, 9],
    [32_766, 14],
    [32_767, 15],
    [2 ** 31, 15],
    [2 ** 32 - 2, 15],
  ])('a score of %i is in bin %i', (score, bin) => {
    expect(binOf(score)).toBe(bin);
  });

  test('a bin begins where leastScore says', () => {
    for (let bin = 1; bin < BINS; bin++) {
      expect([binOf(leastScore(bin) - 1), binOf(leastScore(bin))]).toEqual([bin - 1, bin]);
    }
    expect(SAMPLE_SCORE).toBe(512);
  });

  test.each([
    // 3 % of DRAM, within 100 MB and 1.5 GB.
    [2 * GIB, 100 * MIB],
    [10_000 * MIB, 300 * MIB],
    [51_200 * MIB, 1_536 * MIB],
    [128 * GIB, 1_536 * MIB],
  ])('of %i bytes of DRAM %i are not for hot pages', (dram, kept) => {
    expect(hotCapacityPages(dram)).toBe((dram - kept) / PAGE_SIZE);
  });

  test.each([
    // All fit: everything from bin 1 on is hot.
    [
      { 0: 50, 1: 50 },
      { hot: 1, warm: 1 },
    ],
    // 100 fit exactly, 101 do not.
    [
      { 9: 100, 5: 1 },
      { hot: 6, warm: 6 },
    ],
    [{ 9: 101 }, { hot: 10, warm: 9 }],
    // Filled less than 75 %: warm is one below hot.
    [
      { 9: 75, 8: 26 },
      { hot: 9, warm: 9 },
    ],
    [
      { 9: 74, 8: 27 },
      { hot: 9, warm: 8 },
    ],
    // Never above the last bin, even when that does not fit.
    [{ 15: 1_000 }, { hot: 15, warm: 14 }],
  ])('with pages %o and room for 100 the thresholds are %o', (pages, thresholds) => {
    expect(adaptThresholds(histogram(pages), 100, { hot: 1, warm: 1 }, false)).toEqual(thresholds);
  });

  test('after cooling the threshold falls by at most 1', () => {
    const cold = histogram({ 0: 50 });
    expect(adaptThresholds(cold, 100, { hot: 9, warm: 9 }, true).hot).toBe(8);
    expect(adaptThresholds(cold, 100, { hot: 9, warm: 9 }, false).hot).toBe(1);
    expect(adaptThresholds(histogram({ 9: 101 }), 100, { hot: 2, warm: 2 }, true).hot).toBe(10);
  });
});

describe("MEMTIS's sampling periods", () => {
  test('are 30 primes of 199 to 19,997 for loads, and 5 values for stores', () => {
    expect([LOAD_PERIODS.length, LOAD_PERIODS[0], LOAD_PERIODS[29]]).toEqual([30, 199, 19_997]);
    for (const period of LOAD_PERIODS) {
      for (let divisor = 2; divisor * divisor <= period; divisor++) expect(period % divisor).not.toBe(0);
    }
    expect([STORE_PERIODS.length, STORE_PERIODS[0], STORE_PERIODS[4]]).toEqual([5, 100_003, 1_500_003]);
  });

  /** A sampler that used a share of a CPU, in thousandths, in each of some spans of 15 s. */
  function run(usages: readonly number[]): MemtisSampler {
    const sampler = new MemtisSampler(0, new RandomStream(1, 'test'));
    usages.forEach((usage, i) => {
      sampler.spend(usage * 15_000_000);
      sampler.adapt((i + 1) * 15_000_000);
    });
    return sampler;
  }

  test.each([
    // The first value counts with 0.8: 43.75 thousandths are 35.
    [[43.7], 199],
    [[43.8], 293],
    [[60, 60], 401],
    [[60, 60, 25, 24], 401],
    [[60, 60, 25, 23], 293],
  ] as const)('with %o thousandths of a CPU the period is %i', (usages, period) => {
    expect(run(usages).loadPeriod).toBe(period);
  });

  test('change every 15 s, no sooner, and stay within their lists', () => {
    const sampler = new MemtisSampler(0, new RandomStream(1, 'test'));
    expect(sampler.storePeriod).toBe(FIRST_STORE_PERIOD);
    sampler.spend(1e9);
    expect(sampler.adapt(14_999_999)).toBe(false);
    expect(sampler.adapt(15_000_000)).toBe(true);
    expect([sampler.loadPeriod, sampler.storePeriod]).toEqual([293, 300_007]);
    for (let i = 2; i < 10; i++) sampler.adapt(i * 15_000_000);
    expect([sampler.loadPeriod, sampler.storePeriod]).toEqual([199, 100_003]);
  });

  test('of the stores the share load period / store period is kept', () => {
    const sampler = new MemtisSampler(0, new RandomStream(1, 'test'));
    let kept = 0;
    for (let n = 0; n < 1_000_000; n++) if (sampler.accepts(1)) kept++;
    expect(Math.abs(kept - (1e6 * 199) / 100_007)).toBeLessThan(150);
    expect(sampler.accepts(0)).toBe(true);
  });
});

/** 64 MiB on each side of a machine of 512 MiB of DRAM, of which `free` bytes are free. */
function setUp(free = 128 * MIB): { host: FakeTrackerHost; tracker: Memtis } {
  const host = new FakeTrackerHost({ bytes: 128 * MIB, onFast: 64 * MIB, nodes: twoNodes(512 * MIB, GIB) });
  host.free[0] = free;
  return { host, tracker: new Memtis(host, 1) };
}

const SLOW = (64 * MIB) / PAGE_SIZE;

/** Enough samples of fast pages to adapt the threshold `times` times; they make no slow page hot. */
function adapt(host: FakeTrackerHost, tracker: Memtis, times = 1, page = 0): void {
  for (let i = 0; i < times * 10; i++) {
    host.us += 20 * MS;
    tracker.takeSamples(samplesOf(new Array(10_000).fill(page)));
  }
}

describe('MEMTIS', () => {
  test('asks for its period at the start, and again when it changes', () => {
    const { host, tracker } = setUp();
    expect(host.pushes).toEqual([{ kind: 'period', accesses: 199 }]);
    for (let i = 0; i < 16; i++) {
      host.us += 1_000 * MS;
      tracker.takeSamples(samplesOf(new Array(65_000).fill(0)));
      tracker.step();
    }
    expect(host.pushes.at(-1)).toEqual({ kind: 'period', accesses: 293 });
    expect(host.pushes).toHaveLength(2);
  });

  test('its sampler is one CPU: beyond 700 ns a sample and a ring of 3,276 records samples are lost', () => {
    const { host, tracker } = setUp();
    host.us = 7 * MS;
    tracker.takeSamples(samplesOf(new Array(10_000 + 3_276 + 5).fill(0)));
    expect(tracker.counters()).toMatchObject({ nr_sampled: 10_000 + 3_276, nr_lost: 5 });
  });

  test('new pages begin as hot, one bin above the threshold', () => {
    const { tracker } = setUp();
    expect(hotRanges(tracker)).toEqual([[0, 128 * MIB]]);
    expect(tracker.metadataBytes).toBe((128 * MIB * 8) / PAGE_SIZE);
  });

  test('where all pages fit, those of the slow tier are promoted at the first pass, half a second in', () => {
    const { host, tracker } = setUp();
    host.us = 499 * MS;
    tracker.step();
    expect(host.requests).toEqual([]);
    host.us = 500 * MS;
    tracker.step();
    expect(host.requests).toEqual([{ start: 64 * MIB, end: 128 * MIB, nid: 0 }]);
    host.settle(tracker);
    expect(tracker.counters()).toMatchObject({ active_threshold: 1, htmm_nr_promoted: SLOW });
  });

  test('when not all pages fit, those sampled are hot and promoted, neighbours as one range', () => {
    const host = new FakeTrackerHost({ bytes: 128 * MIB, onFast: 64 * MIB, nodes: twoNodes(164 * MIB, GIB) });
    host.free[0] = 100 * MIB;
    const tracker = new Memtis(host, 1);
    adapt(host, tracker);
    // 64 MiB may be hot, 128 MiB are in bin 2: hot is from bin 3 on.
    expect(tracker.counters().active_threshold).toBe(3);
    expect(hotRanges(tracker)).toEqual([[0, PAGE_SIZE]]);
    tracker.takeSamples(samplesOf([SLOW + 1, SLOW, SLOW + 9]));
    host.us = 500 * MS;
    tracker.step();
    expect(
      host.requests.map(({ start, end, nid }) => [start / PAGE_SIZE - SLOW, (end - start) / PAGE_SIZE, nid]),
    ).toEqual([
      [0, 2, 0],
      [9, 1, 0],
    ]);
    host.settle(tracker);
    expect(tracker.counters()).toMatchObject({ htmm_nr_promoted: 3, htmm_nr_demoted: 0, nr_nvm: 3 });
  });

  test('a page that could not be promoted is tried again', () => {
    const host = new FakeTrackerHost({ bytes: 128 * MIB, onFast: 64 * MIB, nodes: twoNodes(164 * MIB, GIB) });
    host.free[0] = 100 * MIB;
    const tracker = new Memtis(host, 1);
    adapt(host, tracker);
    tracker.takeSamples(samplesOf([SLOW]));
    for (let pass = 1; pass <= 2; pass++) {
      host.us = pass * 500 * MS;
      tracker.step();
      expect(host.requests).toHaveLength(1);
      host.settle(tracker, () => 'destination_full');
    }
    expect(tracker.counters().htmm_nr_promoted).toBe(0);
  });

  test('cools after 2,000,000 samples: scores are halved', () => {
    const { host, tracker } = setUp();
    adapt(host, tracker, 19);
    for (let i = 0; i < 10; i++) {
      host.us += 20 * MS;
      tracker.takeSamples(samplesOf(new Array(i < 9 ? 10_000 : 9_999).fill(0)));
    }
    expect(tracker.counters()).toMatchObject({ nr_coolings: 0, nr_sampled: 1_999_999 });
    tracker.takeSamples(samplesOf([0]));
    expect(tracker.counters()).toMatchObject({ nr_coolings: 1, nr_sampled: 2_000_000 });
  });

  test.each([
    [1 * GIB, 50 * MIB],
    [25 * GIB, 512 * MIB],
    [128 * GIB, 1_024 * MIB],
  ])('on %i bytes of DRAM it keeps %i free', (dram, mark) => {
    expect(demotionMark(dram)).toBeCloseTo(mark, -1);
  });

  test('demotes cold pages up to the mark, in address order from where it stopped', () => {
    const host = new FakeTrackerHost({ bytes: 128 * MIB, onFast: 64 * MIB, nodes: twoNodes(164 * MIB, GIB) });
    const tracker = new Memtis(host, 1);
    adapt(host, tracker);
    host.free[0] = 49 * MIB;
    host.us = 500 * MS;
    tracker.step();
    // Page 0 is hot; 256 pages after it are asked to go.
    expect(host.requests).toEqual([{ start: PAGE_SIZE, end: MIB + PAGE_SIZE, nid: 1 }]);
    host.settle(tracker);
    expect(tracker.counters().htmm_nr_demoted).toBe(256);
    host.us = 1_000 * MS;
    tracker.step();
    expect(host.requests).toEqual([]);
  });

  test('takes no more than 1 GiB a pass in each direction', () => {
    const host = new FakeTrackerHost({ bytes: 6 * GIB, onFast: 3 * GIB, nodes: twoNodes(3 * GIB, 9 * GIB) });
    const tracker = new Memtis(host, 1);
    adapt(host, tracker);
    const pages = Array.from({ length: 300_000 }, (_, i) => (3 * GIB) / PAGE_SIZE + i);
    for (let at = 0; at < pages.length; at += 10_000) {
      host.us += 10 * MS;
      tracker.takeSamples(samplesOf(pages.slice(at, at + 10_000)));
    }
    host.free[0] = 3 * GIB;
    host.us = 500 * MS;
    tracker.step();
    expect(host.pendingBytes()).toBe(GIB);
  });
});

describe('the parts of MEMTIS', () => {
  propTest.prop([fc.array(fc.option(fc.nat(1_000_000)), { maxLength: 5_000 })])(
    'a queue is first in, first out',
    (steps) => {
      const queue = new PageQueue();
      const plain: number[] = [];
      for (let i = 0; i < 1_500; i++) {
        queue.push(i);
        plain.push(i);
      }
      for (const step of steps) {
        if (step === null) expect(queue.shift()).toBe(plain.shift() ?? -1);
        else {
          queue.push(step);
          plain.push(step);
        }
        expect(queue.count).toBe(plain.length);
      }
    },
  );

  propTest.prop([
    fc.array(fc.tuple(fc.integer({ min: 1, max: 400 }), fc.integer({ min: 1, max: 2_000 })), {
      minLength: 1,
      maxLength: 5,
    }),
    fc.array(fc.nat(4_000), { maxLength: 80 }),
    fc.integer({ min: 1, max: 3_000 }),
  ])('a sweep over any ranges finds the victims on its node, each once', (parts, slowPages, wanted) => {
    const ranges: { start: number; end: number }[] = [];
    let at = 0;
    for (const [gap, pages] of parts) {
      ranges.push({ start: at + gap * PAGE_SIZE, end: at + (gap + pages) * PAGE_SIZE });
      at += (gap + pages) * PAGE_SIZE;
    }
    const host = new FakeTrackerHost({ bytes: at, onFast: at, ranges });
    const index = new PageIndex(ranges);
    for (const page of slowPages) {
      if (page < index.pages) host.runs.set(index.addressOf(page), index.addressOf(page) + PAGE_SIZE, 1);
    }
    const sweep = new PageSweep(host, index, 0);
    const isVictim = (page: number): boolean => page % 3 !== 0;
    const expected = Array.from({ length: index.pages }, (_, page) => page).filter(
      (page) => isVictim(page) && !slowPages.includes(page),
    );
    const found: number[] = [];
    const bytes = sweep.collect(wanted, 0, isVictim, (start, end) => {
      for (let address = start; address < end; address += PAGE_SIZE) found.push(index.indexOf(address));
    });
    expect(bytes).toBe(found.length * PAGE_SIZE);
    expect(found).toEqual(expected.slice(0, wanted));
    if (found.length < wanted) {
      expect(
        sweep.collect(
          1,
          0,
          () => true,
          () => {},
        ),
      ).toBe(0);
      sweep.restart();
      const fast = index.pages - new Set(slowPages.filter((page) => page < index.pages)).size;
      expect(
        sweep.collect(
          1,
          0,
          () => true,
          () => {},
        ),
      ).toBe(fast > 0 ? PAGE_SIZE : 0);
    }
  });

  propTest.prop([
    fc.array(fc.array(fc.nat(40_000), { maxLength: 50 }), { minLength: 1, maxLength: 30 }),
    fc.nat(400),
  ])('hot ranges are sorted and disjoint, counters only grow, and moves add up', (batches, freeMib) => {
    const { host, tracker } = setUp(freeMib * MIB);
    let moved = 0;
    for (const pages of batches) {
      host.us += 500 * MS;
      tracker.takeSamples(samplesOf(pages.map((page) => page % 32_768)));
      tracker.step();
      moved += host.pendingBytes() / PAGE_SIZE;
      host.settle(tracker);
      const hot = hotRanges(tracker);
      for (let i = 1; i < hot.length; i++) expect(hot[i][0]).toBeGreaterThan(hot[i - 1][1]);
    }
    const { htmm_nr_promoted, htmm_nr_demoted, nr_sampled, nr_dram, nr_nvm, nr_write } = tracker.counters();
    expect(htmm_nr_promoted + htmm_nr_demoted).toBe(moved);
    expect(nr_sampled).toBe(nr_dram + nr_nvm + nr_write);
  });
});
