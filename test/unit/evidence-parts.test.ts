/** The parts of the evidence monitor, each against what its doc comment promises. */
import { fc, test as propertyTest } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { createAccessBatch, pushSample } from '../../src/memory/access-batch.ts';
import { RandomStream } from '../../src/memory/random.ts';
import { PAGE_SIZE } from '../../src/memory/range.ts';
import { bestRun } from '../../src/monitor/best-run.ts';
import { BINS, binCount, binStart } from '../../src/monitor/bins.ts';
import { absorbInterval } from '../../src/monitor/change.ts';
import { type Ingested, ingest, ingestPlainly } from '../../src/monitor/ingest.ts';
import { lowest } from '../../src/monitor/merge.ts';
import { ProbeQueue } from '../../src/monitor/probe-queue.ts';
import {
  combinedRate,
  credibleInterval,
  gainBound,
  gainOfTwoRates,
  mayGain,
} from '../../src/monitor/rate.ts';
import { RegionIndex } from '../../src/monitor/region-index.ts';
import { IS_DENSE, PULL_BLIND, PUSH_BLIND, RegionTable } from '../../src/monitor/region-table.ts';
import { SourceTrust } from '../../src/monitor/source-trust.ts';
import { SpotTable } from '../../src/monitor/spot-table.ts';
import { countUser, topUser } from '../../src/monitor/users.ts';
import { rangesArbitrary } from '../../src/testing/index.ts';

const MIB = 2 ** 20;
const INTERVAL_S = 0.005;

/** A table of one region of `sz` bytes at address 0. */
function oneRegion(sz: number): { table: RegionTable; slot: number } {
  const table = new RegionTable(16, PAGE_SIZE);
  table.setRanges([{ start: 0, end: sz }], 1);
  return { table, slot: table.order[0] };
}

describe('where a region is cut', () => {
  test('a hot huge page among cold memory is found by three samples, at its own edges', () => {
    // Bins of 256 KiB: 8 to a huge page.
    const { table, slot } = oneRegion(8 * MIB);
    for (const b of [8, 11, 15]) table.binPushes[slot * BINS + b] = 1;
    table.binExposureS[slot] = 1;
    const run = bestRun(table, slot);
    expect([run?.from, run?.to]).toEqual([8, 16]);
  });

  test('a hole in hot memory is found as well', () => {
    const { table, slot } = oneRegion(32 * MIB);
    for (let b = 0; b < 32; b++) table.binPushes[slot * BINS + b] = b >= 12 && b < 20 ? 0 : 9;
    const run = bestRun(table, slot);
    expect([run?.from, run?.to]).toEqual([12, 20]);
  });

  test('one side is a run that needs a single cut', () => {
    const { table, slot } = oneRegion(32 * MIB);
    for (let b = 0; b < 10; b++) {
      table.binTrials[slot * BINS + b] = 8;
      table.binHits[slot * BINS + b] = 6;
    }
    for (let b = 10; b < 32; b++) table.binTrials[slot * BINS + b] = 8;
    const run = bestRun(table, slot);
    expect([run?.from, run?.to]).toEqual([0, 10]);
  });

  test.each([
    // Few events: a wrong cut costs little and is joined again, a right one shows where to look.
    [0.15, 300],
    [1, 10],
    [8, 10],
    [60, 10],
  ])('of 1000 evenly accessed regions with %d samples a bin at most %d are cut', (mean, most) => {
    const random = new RandomStream(1, 'even');
    let cuts = 0;
    for (let k = 0; k < 1000; k++) {
      const { table, slot } = oneRegion(32 * MIB);
      for (let b = 0; b < 32; b++) table.binPushes[slot * BINS + b] = random.poisson(mean);
      if (bestRun(table, slot) !== undefined) cuts++;
    }
    expect(cuts).toBeLessThanOrEqual(most);
  });

  test('no bin smaller than the smallest region is cut out', () => {
    const table = new RegionTable(4, 65536);
    table.setRanges([{ start: 0, end: 32 * 4096 }], 1);
    const slot = table.order[0];
    table.binPushes[slot * BINS] = 200;
    expect(bestRun(table, slot)).toBeUndefined();
  });
});

describe('likelihoods', () => {
  const count = fc.integer({ min: 0, max: 1000 });
  const exposure = fc.double({ min: 0.01, max: 1e6, noNaN: true });
  propertyTest.prop([count, count, count, count, count, count, exposure, exposure], { numRuns: 2000 })(
    "Pearson's bound is never below the gain of two rates",
    (h1, m1, h2, m2, n1, n2, x1, x2) => {
      const gain = gainOfTwoRates(h1, h1 + m1, n1, x1, h2, h2 + m2, n2, x2);
      const bound = gainBound(h1, h1 + m1, n1, x1, h2, h2 + m2, n2, x2);
      expect(bound * (1 + 1e-9) + 1e-9).toBeGreaterThanOrEqual(gain);
    },
  );

  propertyTest.prop([count, count, count, count, count, count, exposure, exposure], { numRuns: 2000 })(
    'nothing that gains is turned away before it is looked at',
    (h1, m1, h2, m2, n1, n2, x1, x2) => {
      const gain = gainOfTwoRates(h1, h1 + m1, n1, x1, h2, h2 + m2, n2, x2);
      for (const nats of [0.5, 8, 10]) {
        if (gain > nats * (1 + 1e-9))
          expect(mayGain(h1, h1 + m1, n1, x1, h2, h2 + m2, n2, x2, nats)).toBe(true);
      }
    },
  );

  const events = fc.double({ min: 0.01, max: 2000, noNaN: true });
  propertyTest.prop(
    [
      events,
      fc.double({ min: 0, max: 0.99, noNaN: true }),
      events,
      exposure,
      fc.double({ min: -3, max: 3, noNaN: true }),
    ],
    { numRuns: 2000 },
  )(
    'the combined rate is that of bisection to 1e-4, from wherever it begins',
    (trials, share, samples, x, off) => {
      const hits = trials * share;
      // Brackets as the doc comment has them: between what each source says alone.
      const [push, pull] = [
        combinedRate(0, 0, INTERVAL_S, samples, x),
        combinedRate(hits, trials, INTERVAL_S, 0, 0),
      ];
      let [low, high] = hits > 1e-9 ? [Math.min(push, pull), Math.max(push, pull)] : [0, push];
      for (let step = 0; step < 200; step++) {
        const r = 0.5 * (low + high);
        const pulled = hits > 1e-9 ? (hits * r * INTERVAL_S) / Math.expm1(r * INTERVAL_S) : 0;
        if (samples - r * (x + (trials - hits) * INTERVAL_S) + pulled > 0) low = r;
        else high = r;
      }
      const rate = combinedRate(hits, trials, INTERVAL_S, samples, x, low * Math.exp(off));
      expect(Math.abs(rate / low - 1)).toBeLessThan(1.1e-4);
    },
  );

  test.each([0.3, 1, 4, 30, 500])(
    'a Poisson count of mean %d lies in its interval of 95 percent as often',
    (mean) => {
      const random = new RandomStream(5, 'interval');
      let inside = 0;
      for (let k = 0; k < 4000; k++) {
        const n = random.poisson(mean);
        // Exposure 1: the rate is the count.
        const { low, high } = credibleInterval(n, n, 1);
        if (low <= mean && mean <= high) inside++;
      }
      expect(inside / 4000).toBeGreaterThan(0.945);
    },
  );
});

describe('change of a region', () => {
  function busyRegion(perAggr: number): { table: RegionTable; slot: number } {
    const { table, slot } = oneRegion(2 * MIB);
    for (let k = 0; k < 30; k++) {
      table.nowPushes[slot] = perAggr;
      absorbInterval(table, slot, 1e-4);
    }
    return { table, slot };
  }

  test('a busy one that falls silent is noticed by what it should have shown', () => {
    const { table, slot } = busyRegion(3);
    table.nowPushes[slot] = 0;
    let aggrs = 0;
    do {
      aggrs++;
    } while (!absorbInterval(table, slot, 1e-4) && aggrs < 50);
    // 10 nats at 3 expected samples per aggregation; the block before may hold some of the busy time.
    expect(aggrs).toBeLessThanOrEqual(12);
    expect(table.evidence(slot).samples).toBeLessThan(10);
  });

  test('a steady one is believed steady', () => {
    const random = new RandomStream(2, 'steady');
    const { table, slot } = busyRegion(3);
    let alarms = 0;
    for (let k = 0; k < 20_000; k++) {
      table.nowPushes[slot] = random.poisson(3);
      if (absorbInterval(table, slot, 1e-4)) alarms++;
    }
    expect(alarms).toBeLessThanOrEqual(3);
  });

  test('the past of a steady region counts for about a minute, not for ever', () => {
    const { table, slot } = busyRegion(3);
    for (let k = 0; k < 5000; k++) absorbInterval(table, slot, 1e-4);
    const kept = table.evidence(slot).samples;
    expect(kept).toBeGreaterThan(500);
    expect(kept).toBeLessThan(2500);
  });
});

describe('sources that contradict each other', () => {
  function regionWith(hits: number, trials: number, pushes: number, exposureS: number) {
    const { table, slot } = oneRegion(MIB);
    table.past.set([hits, trials, pushes, exposureS], slot * 4);
    const trust = new SourceTrust();
    trust.update(table, slot, INTERVAL_S);
    return { rate: table.rate[slot], flags: table.flags[slot] };
  }

  test('checks that never hit are blind where samples come in', () => {
    // 256 pages, 0.01 s: 300/s would be 768 samples.
    const { rate, flags } = regionWith(0, 500, 768, 0.01);
    expect(flags & PULL_BLIND).toBe(PULL_BLIND);
    expect(rate).toBeCloseTo(300, 0);
  });

  test('samples are blind where checks hit', () => {
    const { rate, flags } = regionWith(389, 500, 0, 0.01);
    expect(flags & PUSH_BLIND).toBe(PUSH_BLIND);
    expect(rate).toBeGreaterThan(280);
  });

  test('sources that agree are pooled, and none is blind', () => {
    const { rate, flags } = regionWith(389, 500, 768, 0.01);
    expect(flags & (PULL_BLIND | PUSH_BLIND)).toBe(0);
    expect(rate).toBeGreaterThan(290);
    expect(rate).toBeLessThan(310);
  });

  test('a rate of samples that is half of what it claims is measured; twice as much is not believed', () => {
    for (const [actual, expected] of [
      [0.5, 0.5],
      [2, 1],
    ]) {
      const { table, slot } = oneRegion(MIB);
      const trust = new SourceTrust();
      table.past.set([389, 500, 768 * actual, 0.01], slot * 4);
      for (let k = 0; k < 100; k++) {
        trust.begin();
        trust.update(table, slot, INTERVAL_S);
        trust.end();
      }
      expect(trust.pushFactor).toBeCloseTo(expected, 1);
    }
  });
});

describe('joins', () => {
  const losses = fc.array(
    fc.oneof(fc.double({ min: 0, max: 9, noNaN: true }), fc.constant(Number.POSITIVE_INFINITY)),
  );
  propertyTest.prop([losses, fc.integer({ min: 1, max: 40 }), fc.double({ min: 0, max: 10, noNaN: true })])(
    'the lowest losses are those that sorting them all finds',
    (values, most, limit) => {
      const sorted = values.filter((value) => value < limit).sort((a, b) => a - b);
      expect([...lowest(Float64Array.from(values), most, limit)]).toEqual(sorted.slice(0, most));
    },
  );
});

describe('push ingest', () => {
  const sample = fc.record({
    at: fc.double({ min: -0.1, max: 1.1, noNaN: true }),
    nid: fc.integer({ min: -1, max: 9 }),
    isStore: fc.constantFrom(0, 1),
  });
  const layouts = fc.oneof(
    rangesArbitrary({ maxRanges: 1, maxUnits: 4096 }),
    rangesArbitrary({ maxRanges: 3 }),
  );
  propertyTest.prop(
    [layouts, fc.array(sample, { maxLength: 3000 }), fc.nat({ max: 40 }), fc.nat({ max: 10 }), fc.nat()],
    { numRuns: 80 },
  )('in chunks equals ingest one by one', (ranges, samples, pieces, halvings, flagSeed) => {
    const make = () => {
      const table = new RegionTable(64, PAGE_SIZE);
      table.setRanges(ranges, pieces + ranges.length);
      // Many small regions at the beginning: more edges than one in a bucket of the index.
      for (let k = 0; k < halvings; k++) {
        const pages = table.sz(table.order[0]) / PAGE_SIZE;
        if (pages > 1) table.split(0, table.start[table.order[0]] + (pages >> 1) * PAGE_SIZE, true);
      }
      for (let i = 0; i < table.count; i++)
        if ((flagSeed >> (i % 31)) & 1) table.flags[table.order[i]] |= IS_DENSE;
      const index = new RegionIndex(64);
      index.setRanges(ranges);
      index.rebuild(table);
      const out: Ingested = { outside: 0, sparse: 0, remembered: 0 };
      return { table, index, spots: new SpotTable(256), out };
    };
    const last = ranges[ranges.length - 1].end;
    const batch = createAccessBatch(samples.length);
    for (const { at, nid, isStore } of samples) {
      pushSample(batch, Math.max(0, Math.floor(at * (last / PAGE_SIZE))) * PAGE_SIZE, nid, isStore);
    }
    const [fast, plain] = [make(), make()];
    ingest(fast.table, fast.index, fast.spots, batch, 500, fast.out);
    ingestPlainly(plain.table, plain.index, plain.spots, batch, 500, plain.out);
    expect(fast.out).toEqual(plain.out);
    for (const key of ['binPushes', 'nowPushes', 'users', 'loads', 'stores', 'binExposureS'] as const) {
      expect(fast.table[key]).toEqual(plain.table[key]);
    }
  });

  test('who accesses a region is known by node, and how much of it are stores', () => {
    const { table, slot } = oneRegion(MIB);
    for (let k = 0; k < 900; k++) countUser(table, slot, k % 3 === 0 ? 0 : 1, k % 10 === 0 ? 1 : 0);
    expect(topUser(table, slot)).toBe(1);
    expect(table.stores[slot] / (table.stores[slot] + table.loads[slot])).toBeCloseTo(0.1, 1);
    expect(table.users[slot * 8] / table.users[slot * 8 + 1]).toBeCloseTo(0.5, 1);
  });
});

describe('the spot table', () => {
  test('measures how often pages seen once are seen again, whatever their rates are', () => {
    // 40,000 pages, every hundredth hot: of those seen once most are hot, and hit 10 times a second.
    const random = new RandomStream(3, 'spots');
    const spots = new SpotTable(4096);
    const perTick = 10;
    const total = 400 * 10 + 39_600 * 0.01;
    for (let tick = 0; tick < 20; tick++) {
      for (let k = 0; k < perTick; k++) {
        const isHot = random.unit() * total < 4000;
        const page = isHot ? random.below(400) * 100 : random.below(40_000);
        spots.add(page * 16 * PAGE_SIZE, false);
      }
      spots.tick(perTick / total);
    }
    const [first] = spots.classRates();
    expect(first?.perS).toBeGreaterThan(6.5);
    expect(first?.perS).toBeLessThan(12);
    // Each hot page is alone in its block.
    expect(first?.pages).toBeLessThan(1.2);
  });

  test('tells those seen once long ago from those seen once just now', () => {
    const random = new RandomStream(4, 'spots');
    const spots = new SpotTable(4096);
    // 200 pages are hot for 40 ticks, then 200 others.
    for (let tick = 0; tick < 80; tick++) {
      const first = tick < 40 ? 0 : 1000;
      for (let k = 0; k < 5; k++) spots.add((first + random.below(200)) * 16 * PAGE_SIZE, false);
      spots.tick(0.1);
    }
    const entries = new Uint16Array(4096);
    const once = [...entries.subarray(0, spots.sampled(entries))].filter((e) => spots.pushes(e) === 1);
    const rates = spots.classRates();
    const rateOf = (first: number): number =>
      Math.max(
        0,
        ...once
          .filter((e) => Math.floor(spots.address(e) / 65536 / 1000) === first)
          .map((e) => rates[spots.cellOf(e)]?.perS ?? 0),
      );
    expect(rateOf(1)).toBeGreaterThan(0.15);
    expect(rateOf(0)).toBeLessThan(0.1);
  });

  propertyTest.prop([
    fc.array(fc.nat({ max: 1 << 16 }), { maxLength: 2000 }),
    fc.integer({ min: 4, max: 64 }),
  ])('never holds more than its entries, and finds what it holds', (pages, capacity) => {
    const spots = new SpotTable(capacity);
    for (const page of pages) spots.add(page * PAGE_SIZE, false);
    const entries = new Uint16Array(capacity);
    const count = spots.sampled(entries);
    expect(count).toBeLessThanOrEqual(capacity);
    const seen = new Set(pages.map((page) => page >> 4));
    for (let k = 0; k < count; k++) {
      expect(seen.has(spots.address(entries[k]) / 65536)).toBe(true);
    }
    let found = 0;
    spots.forEachIn(0, 2 ** 29, () => {
      found++;
    });
    expect(found).toBe(count);
  });

  test('entries in which nothing more happens are forgotten', () => {
    const spots = new SpotTable(64);
    spots.add(0, false);
    for (let tick = 0; tick < 300; tick++) spots.tick(1e-3);
    expect(spots.sampled(new Uint16Array(64))).toBe(0);
  });
});

describe('probes', () => {
  test('lie around their place, at every scale up to the bin, and are used up', () => {
    const queue = new ProbeQueue();
    const random = new RandomStream(4, 'probes');
    const place = 3 * 2 ** 30 + 5 * PAGE_SIZE;
    queue.add(place, 23);
    expect(queue.wanted).toBe(8);
    const addresses = new Float64Array(16);
    const count = queue.take(addresses, 16, random);
    expect(count).toBe(8);
    for (let k = 0; k < count; k++) {
      expect(Math.floor(addresses[k] / 2 ** 23)).toBe(Math.floor(place / 2 ** 23));
      if (k > 0) expect(addresses[k]).toBeGreaterThanOrEqual(addresses[k - 1]);
    }
    expect(queue.take(addresses, 16, random)).toBe(0);
  });

  test('a flood of places gives up the oldest', () => {
    const queue = new ProbeQueue();
    for (let k = 0; k < 1000; k++) queue.add(k * MIB, 20);
    const addresses = new Float64Array(2048);
    const count = queue.take(addresses, 2048, new RandomStream(1, 'flood'));
    expect(count).toBe(128 * 8);
    expect(addresses[0]).toBeGreaterThanOrEqual(872 * MIB);
  });
});

test('bins of a region that ends inside its last bin start where they should', () => {
  const { table, slot } = oneRegion(33 * PAGE_SIZE);
  expect(binCount(table, slot)).toBe(17);
  expect(binStart(table, slot, 16)).toBe(32 * PAGE_SIZE);
});
