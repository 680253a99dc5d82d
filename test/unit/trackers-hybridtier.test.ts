import { fc, test as propTest } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { RandomStream } from '../../src/memory/random.ts';
import { PAGE_SIZE } from '../../src/memory/range.ts';
import { CountingFilter, countersPerElement, MAX_COUNT } from '../../src/trackers/counting-filter.ts';
import { Hybridtier } from '../../src/trackers/hybridtier.ts';
import { SampleBatch } from '../../src/trackers/sample-batch.ts';
import { SamplingDuty, slopeOf } from '../../src/trackers/sampling-duty.ts';
import { FakeTrackerHost, GIB, hotRanges, MIB, samplesOf, twoNodes } from './tracker-fakes.ts';

const MS = 1_000;
const S = 1_000_000;

describe('the counting Bloom filter', () => {
  test('has 20.4 counters per page at 4 hashes and 0.1 % of false positives', () => {
    expect(countersPerElement(0.001)).toBeCloseTo(20.43, 2);
    expect(new CountingFilter(1_000, 100).metadataBytes).toBe(512);
    expect(new CountingFilter(1_024, 100).metadataBytes).toBe(512);
    expect(new CountingFilter(1_025, 100).metadataBytes).toBe(576);
  });

  test('counts to 15 and no further', () => {
    const filter = new CountingFilter(100_000, 1e9);
    for (let i = 1; i <= 20; i++) {
      expect(filter.increase(7, 1)).toBe(Math.min(i, MAX_COUNT));
      expect(filter.frequency(7)).toBe(Math.min(i, MAX_COUNT));
    }
    expect(filter.increase(8, 40)).toBe(15);
    filter.decrease(8);
    expect(filter.frequency(8)).toBe(14);
    expect(filter.frequency(9)).toBe(0);
  });

  test('halves all counters when its increases reach their number, and counts on from half of it', () => {
    const filter = new CountingFilter(100_000, 100);
    filter.increase(1, 9);
    for (let page = 100; page < 190; page++) filter.increase(page, 1);
    expect([filter.agings, filter.frequency(1)]).toEqual([0, 9]);
    expect(filter.increase(2, 1)).toBe(0);
    expect([filter.agings, filter.frequency(1), filter.frequency(100)]).toEqual([1, 4, 0]);
    for (let page = 200; page < 249; page++) filter.increase(page, 1);
    expect(filter.agings).toBe(1);
    filter.increase(3, 1);
    expect([filter.agings, filter.frequency(1)]).toEqual([2, 2]);
  });

  test('as full as it was made for, two of a thousand pages never seen look seen', () => {
    const pages = 20_000;
    const filter = new CountingFilter(pages * countersPerElement(0.001), 1e9);
    const random = new RandomStream(1, 'test/filter');
    for (let i = 0; i < pages; i++) filter.increase(random.below(2 ** 30), 1);
    let seen = 0;
    for (let i = 0; i < 100_000; i++) if (filter.frequency(2 ** 30 + random.below(2 ** 30)) > 0) seen++;
    // Twice the target, as blocks are not equally full: mean of (1 - exp(-n/32))^4, n Poisson of 6.26, is 0.00195.
    expect(seen / 100_000).toBeGreaterThan(0.0015);
    expect(seen / 100_000).toBeLessThan(0.0025);
  });

  propTest.prop([fc.array(fc.tuple(fc.nat(50), fc.integer({ min: 1, max: 4 })), { maxLength: 100 })])(
    'never tells less than was added, up to 15',
    (steps) => {
      const filter = new CountingFilter(2_048, 1e9);
      const added = new Map<number, number>();
      for (const [page, amount] of steps) {
        added.set(page, Math.min(MAX_COUNT, (added.get(page) ?? 0) + amount));
        expect(filter.increase(page, amount)).toBe(filter.frequency(page));
      }
      for (const [page, count] of added) expect(filter.frequency(page)).toBeGreaterThanOrEqual(count);
    },
  );

  propTest.prop([fc.array(fc.nat(300), { minLength: 1, maxLength: 500 })])(
    'a batch counts like a Map',
    (pages) => {
      const batch = new SampleBatch(500);
      for (let round = 0; round < 2; round++) {
        const plain = new Map<number, number>();
        pages.forEach((page, i) => {
          plain.set(page, (plain.get(page) ?? 0) + 1);
          expect(batch.add(page)).toBe(i === 499);
        });
        expect([...batch.page.subarray(0, batch.count)]).toEqual([...plain.keys()]);
        expect([...batch.times.subarray(0, batch.count)]).toEqual([...plain.values()]);
        batch.clear();
      }
    },
  );
});

describe('when HybridTier samples', () => {
  test('the slope is that of the least-squares line', () => {
    expect(slopeOf([0, 1, 2, 3, 4])).toBeCloseTo(1, 12);
    expect(slopeOf([0.5, 0.5, 0.5, 0.5, 0.5])).toBeCloseTo(0, 12);
    expect(slopeOf([0.9, 0.7, 0.8, 0.6, 0.5])).toBeCloseTo(-0.09, 12);
  });

  /** Minutes with these shares of fast accesses. */
  function minutes(shares: readonly number[]): SamplingDuty {
    const duty = new SamplingDuty(0);
    shares.forEach((share, i) => {
      duty.count(share * 10_000, (1 - share) * 10_000);
      duty.step((i + 1) * 60 * S);
    });
    return duty;
  }

  test.each([
    [[0.5, 0.5, 0.5, 0.5], false],
    [[0.5, 0.5, 0.5, 0.5, 0.5], true],
    [[0.9, 0.8909, 0.8818, 0.8727, 0.8636], true],
    [[0.9, 0.889, 0.878, 0.867, 0.856], false],
    // Only the last five count.
    [[0.9, 0.5, 0.5, 0.5, 0.5, 0.5], true],
  ])('after minutes with the shares %o it is stable: %s', (shares, isStable) => {
    expect(minutes(shares).isStable).toBe(isStable);
  });

  test('stable, it samples 5 s and rests 5 s', () => {
    const duty = minutes([0.5, 0.5, 0.5, 0.5, 0.5]);
    const at = (s: number): boolean => {
      duty.step(300 * S + s * S);
      return duty.isOn;
    };
    expect([0, 4.9, 5, 9.9, 10, 14.9, 15].map(at)).toEqual([true, true, false, false, true, true, false]);
  });
});

const SLOW = (64 * MIB) / PAGE_SIZE;
const MARK_FREE = 100 * MIB;

function setUp(free = MARK_FREE): { host: FakeTrackerHost; tracker: Hybridtier } {
  const host = new FakeTrackerHost({ bytes: 512 * MIB, onFast: 64 * MIB, nodes: twoNodes(GIB, GIB) });
  host.free[0] = free;
  return { host, tracker: new Hybridtier(host) };
}

/** A full batch: `times` samples of each page, the rest of one fast page. */
function batchOf(
  host: FakeTrackerHost,
  tracker: Hybridtier,
  pages: readonly number[],
  times: number,
  isStore = 0,
): void {
  const list = pages.flatMap((page) => new Array<number>(times).fill(page));
  while (list.length < 100_000) list.push(0);
  for (let at = 0; at < list.length; at += 10_000) {
    host.us += 100 * MS;
    tracker.takeSamples(samplesOf(list.slice(at, at + 10_000), 0, isStore));
    tracker.step();
  }
}

describe('HybridTier', () => {
  test('asks for 100,001 loads a second, and for more samples where part of them are stores', () => {
    const { host, tracker } = setUp();
    expect(host.pushes).toEqual([{ kind: 'rate', perS: 100_001 }]);
    const batch = samplesOf(new Array(4_000).fill(3));
    batch.isStore.fill(1, 0, 2_000);
    tracker.takeSamples(batch);
    expect(host.pushes.at(-1)).toEqual({ kind: 'rate', perS: 200_002 });
    expect(tracker.counters()).toMatchObject({ samples: 2_000, stores_dropped: 2_000 });
  });

  test('looks at samples in batches of 100,000', () => {
    const { host, tracker } = setUp();
    tracker.takeSamples(samplesOf(new Array(99_999).fill(SLOW)));
    expect(tracker.counters().num_sample_batches).toBe(0);
    tracker.takeSamples(samplesOf([SLOW]));
    expect(tracker.counters().num_sample_batches).toBe(1);
    expect(host.requests).toEqual([{ start: SLOW * PAGE_SIZE, end: (SLOW + 1) * PAGE_SIZE, nid: 0 }]);
  });

  test.each([
    [2, 0],
    [3, 1],
  ])('a page with momentum %i is promoted: %i', (times, promoted) => {
    const { host, tracker } = setUp();
    batchOf(host, tracker, [SLOW + 5], times);
    expect(host.requests).toHaveLength(promoted);
    host.settle(tracker);
    expect(tracker.counters().pages_migrated).toBe(promoted);
  });

  test.each([
    [4, 0],
    [5, 1],
  ])('a page with frequency %i and its momentum aged away is promoted: %i', (frequency, promoted) => {
    const { host, tracker } = setUp();
    for (let i = 1; i < frequency; i++) {
      batchOf(host, tracker, [SLOW + 5], 1);
      // 1.1 million increases halve the momentum of 1 to 0.
      for (let n = 0; n < 11; n++) batchOf(host, tracker, [], 1);
    }
    expect(host.requests).toEqual([]);
    batchOf(host, tracker, [SLOW + 5], 1);
    expect(host.requests).toHaveLength(promoted);
  });

  test('hot are the pages of the last batch; calls move at most 1,024 pages', () => {
    const { host, tracker } = setUp();
    batchOf(
      host,
      tracker,
      Array.from({ length: 2_000 }, (_, i) => SLOW + i),
      3,
    );
    expect(host.requests.map(({ start, end }) => (end - start) / PAGE_SIZE)).toEqual([1_024, 976]);
    expect(hotRanges(tracker)).toEqual([
      [0, PAGE_SIZE],
      [SLOW * PAGE_SIZE, (SLOW + 2_000) * PAGE_SIZE],
    ]);
  });

  test('loses the samples taken while it moves pages', () => {
    const { host, tracker } = setUp();
    batchOf(host, tracker, [SLOW], 3);
    tracker.takeSamples(samplesOf([1, 2, 3]));
    expect(tracker.counters().num_perf_record_lost).toBe(3);
    host.settle(tracker);
    tracker.takeSamples(samplesOf([1, 2, 3]));
    expect(tracker.counters().num_perf_record_lost).toBe(3);
  });

  test.each([
    // 1.25 % of 1 GiB are 12.8 MiB; then up to 5 %, 51.2 MiB.
    [12.81, 0],
    [12.8, 38.4],
    [4, 47.2],
  ])('with %f MiB free it demotes %f MiB', (freeMib, demotedMib) => {
    const { host, tracker } = setUp(freeMib * MIB);
    batchOf(host, tracker, [], 1);
    expect(host.pendingBytes() / MIB).toBeCloseTo(demotedMib, 1);
    for (const { nid } of host.requests) expect(nid).toBe(1);
    // Page 0 was sampled.
    if (demotedMib > 0) expect(host.requests[0].start).toBe(PAGE_SIZE);
  });

  test('a frequent page without momentum gets a second chance, and goes if unchanged 60 s later', () => {
    for (const isUsedAgain of [false, true]) {
      const { host, tracker } = setUp();
      batchOf(host, tracker, [9], 6);
      // Momentum 6 is halved away by three agings.
      for (let n = 0; n < 34; n++) batchOf(host, tracker, [], 1);
      host.settle(tracker);
      host.free[0] = 1 * MIB;
      batchOf(host, tracker, [], 1);
      expect(tracker.counters()).toMatchObject({ second_chance_pages: 1, second_chance_demoted: 0 });
      host.settle(tracker);
      expect(host.nidOf(9 * PAGE_SIZE)).toBe(0);
      host.us += 61 * S;
      host.free[0] = 1 * MIB;
      batchOf(host, tracker, isUsedAgain ? [9] : [], 1);
      expect(tracker.counters().second_chance_demoted).toBe(isUsedAgain ? 0 : 1);
    }
  });

  test('its filters are sized for the pages of the fast tier', () => {
    const pages = GIB / PAGE_SIZE;
    const { tracker } = setUp();
    const filters = (pages * 20.43 * 1.01) / 2;
    expect(Math.abs(tracker.metadataBytes - filters - 4_000_000)).toBeLessThan(1_000);
  });

  propTest.prop(
    [fc.array(fc.array(fc.nat(100_000), { maxLength: 60 }), { minLength: 1, maxLength: 4 }), fc.nat(60)],
    {
      numRuns: 20,
    },
  )('moves add up, hot ranges are sorted and disjoint', (batches, freeMib) => {
    const { host, tracker } = setUp(freeMib * MIB);
    let moved = 0;
    for (const pages of batches) {
      batchOf(host, tracker, pages, 3);
      moved += host.pendingBytes() / PAGE_SIZE;
      host.settle(tracker);
      const hot = hotRanges(tracker);
      for (let i = 1; i < hot.length; i++) expect(hot[i][0]).toBeGreaterThan(hot[i - 1][1]);
    }
    const { pages_migrated, pages_demoted } = tracker.counters();
    expect(pages_migrated + pages_demoted).toBe(moved);
  });
});
