import { fc, test as propTest } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import type { ActionOutcome } from '../../src/memory/action.ts';
import { RandomStream } from '../../src/memory/random.ts';
import { PAGE_SIZE } from '../../src/memory/range.ts';
import { HintFaultScanner } from '../../src/trackers/hint-fault-scanner.ts';
import { PageIndex } from '../../src/trackers/page-index.ts';
import { Pghot, type PghotOptions } from '../../src/trackers/pghot.ts';
import { DEFAULT_FORMAT, PRECISE_FORMAT, type RecordFormat } from '../../src/trackers/pghot-record.ts';
import { MIGRATION_BATCH, PghotTable, SECTION_PAGES } from '../../src/trackers/pghot-table.ts';
import { PromotionGate } from '../../src/trackers/promotion-gate.ts';
import { FakeTrackerHost, feed, GIB, hotRanges, MIB, sampleAt } from './tracker-fakes.ts';

const MS = 1_000;
/** Pages from here on are on node 1. */
const SLOW = 256;

function setUp(options: PghotOptions, bytes = 16 * MIB): { host: FakeTrackerHost; tracker: Pghot } {
  const host = new FakeTrackerHost({ bytes, onFast: MIB });
  return { host, tracker: new Pghot(host, 1, options) };
}

const FORMATS: readonly (readonly [string, RecordFormat])[] = [
  ['default', DEFAULT_FORMAT],
  ['precise', PRECISE_FORMAT],
];

describe('the record of a page', () => {
  test.each(FORMATS)(
    '%s: counts to its largest frequency and is ready from the threshold on',
    (_, format) => {
      let record = 0;
      for (let i = 1; i <= format.maxFrequency + 2; i++) {
        record = format.update(record, 1_000, 0, 3_000, 2);
        expect(format.frequency(record)).toBe(Math.min(i, format.maxFrequency));
        expect(format.isReady(record)).toBe(i >= 2);
      }
    },
  );

  test.each(FORMATS)('%s: fits its bytes', (_, format) => {
    const most = format.update(format.update(0, 16_383, 0, 3_000, 1), 16_383, 1_022, 3_000, 1);
    expect(most).toBeLessThan(2 ** (8 * format.bytes));
    expect(most).toBeGreaterThan(0);
  });

  test.each([
    // Buckets of 128 ms: 23 of them are 2,944 ms, 24 are 3,072.
    ['default', DEFAULT_FORMAT, 23 * 128, 2],
    ['default', DEFAULT_FORMAT, 24 * 128, 1],
    ['default', DEFAULT_FORMAT, 31 * 128, 1],
    ['default', DEFAULT_FORMAT, 32 * 128, 2],
    ['default', DEFAULT_FORMAT, (32 * 1000 + 23) * 128, 2],
    ['default', DEFAULT_FORMAT, (32 * 1000 + 24) * 128, 1],
    ['precise', PRECISE_FORMAT, 5_000, 2],
    ['precise', PRECISE_FORMAT, 5_001, 1],
    ['precise', PRECISE_FORMAT, 16_383, 1],
    ['precise', PRECISE_FORMAT, 16_384, 2],
    ['precise', PRECISE_FORMAT, 16_384 * 50 + 5_000, 2],
    ['precise', PRECISE_FORMAT, 16_384 * 50 + 5_001, 1],
  ] as const)(
    '%s: a second access after a gap in its place of the window makes the frequency',
    (_, format, gapMs, frequency) => {
      const first = format.update(0, 128, 0, format.defaultWindowMs, 2);
      const second = format.update(first, 128 + gapMs, 0, format.defaultWindowMs, 2);
      expect(format.frequency(second)).toBe(frequency);
      expect(format.isReady(second)).toBe(frequency === 2);
    },
  );

  test.each([
    ['default', DEFAULT_FORMAT, 0.75],
    ['precise', PRECISE_FORMAT, 0.305],
  ] as const)(
    '%s: two accesses at unrelated times look close to each other with the share %#',
    (_, format, share) => {
      const random = new RandomStream(1, 'test/aliasing');
      let close = 0;
      const tries = 100_000;
      for (let i = 0; i < tries; i++) {
        const first = random.below(3_600_000);
        const second = first + 20_000 + random.below(36_000_000);
        const record = format.update(0, first, 0, format.defaultWindowMs, 2);
        if (format.isReady(format.update(record, second, 0, format.defaultWindowMs, 2))) close++;
      }
      // Three standard deviations are 0.0044.
      expect(Math.abs(close / tries - share)).toBeLessThan(0.0045);
    },
  );

  test('precise keeps the node, default has none', () => {
    expect(PRECISE_FORMAT.nid(PRECISE_FORMAT.update(0, 99_999, 1_022, 5_000, 2))).toBe(1_022);
    expect(PRECISE_FORMAT.nid(PRECISE_FORMAT.update(0, 99_999, -1, 5_000, 2))).toBe(-1);
    expect(DEFAULT_FORMAT.nid(DEFAULT_FORMAT.update(0, 99_999, 5, 5_000, 2))).toBe(-1);
  });

  test('ready stays until the record is taken, even when the window ends', () => {
    for (const [, format] of FORMATS) {
      let record = format.update(format.update(0, 0, 0, 3_000, 2), 0, 0, 3_000, 2);
      record = format.update(record, 3_500, 0, 3_000, 2);
      expect([format.frequency(record), format.isReady(record)]).toEqual([1, true]);
    }
  });

  test('settings outside of their ranges are refused', () => {
    const host = new FakeTrackerHost({ bytes: MIB });
    const table = (settings: object) => () => new PghotTable(host, { format: DEFAULT_FORMAT, ...settings });
    for (const good of [
      { freqThreshold: 1 },
      { freqThreshold: 3 },
      { freqWindowMs: 1_000 },
      { freqWindowMs: 3_968 },
    ])
      expect(table(good)).not.toThrow();
    for (const bad of [
      { freqThreshold: 0 },
      { freqThreshold: 4 },
      { freqWindowMs: 999 },
      { freqWindowMs: 3_969 },
    ])
      expect(table(bad)).toThrow();
    const precise = (settings: object) => () => new PghotTable(host, { format: PRECISE_FORMAT, ...settings });
    expect(precise({ freqThreshold: 7, freqWindowMs: 16_383 })).not.toThrow();
    expect(precise({ freqThreshold: 8 })).toThrow();
    expect(precise({ freqWindowMs: 16_384 })).toThrow();
  });
});

describe('the gate before a promotion', () => {
  const node = (freeBytes: number, totalBytes = 128 * GIB) => ({ nid: 0, totalBytes, freeBytes });
  const PROMO = 100 * MIB;

  test.each([
    // A 16th of the node, but no less than 1 GiB.
    [128 * GIB, 8 * GIB],
    [4 * GIB, 1 * GIB],
  ])('on a node of %i bytes, free memory above promo + %i lets everything through', (total, enough) => {
    const gate = new PromotionGate({ referenceMs: 1_000 });
    expect(gate.admits(1e9, 0, node(PROMO + enough + 1, total), PROMO)).toBe(true);
    expect([gate.candidates, gate.candidatesNrl]).toEqual([0, 1]);
    expect(gate.admits(1e9, 0, node(PROMO + enough, total), PROMO)).toBe(false);
    expect([gate.candidates, gate.candidatesNrl]).toEqual([0, 1]);
  });

  test('an access as old as the threshold is refused, a younger one is a candidate', () => {
    const gate = new PromotionGate({ referenceMs: 3_000 });
    expect(gate.admits(3_000, 0, node(0), PROMO)).toBe(false);
    expect(gate.admits(2_999, 0, node(0), PROMO)).toBe(true);
    expect(gate.candidates).toBe(1);
  });

  test('with the default rate limit the threshold only rises, a 16th of twice the reference a minute, to twice', () => {
    const gate = new PromotionGate({ referenceMs: 1_000 });
    gate.admits(0, 60_000, node(0), PROMO);
    expect(gate.thresholdMs).toBe(1_000);
    gate.admits(0, 60_001, node(0), PROMO);
    expect(gate.thresholdMs).toBe(1_125);
    gate.admits(0, 120_001, node(0), PROMO);
    expect(gate.thresholdMs).toBe(1_125);
    gate.admits(0, 120_002, node(0), PROMO);
    expect(gate.thresholdMs).toBe(1_250);
    for (let minute = 3; minute < 30; minute++) gate.admits(0, minute * 61_000, node(0), PROMO);
    expect(gate.thresholdMs).toBe(2_000);
    gate.admits(0, 0, node(100 * GIB), PROMO);
    expect(gate.thresholdMs).toBe(1_000);
  });

  test('too many candidates lower the threshold, down to one step; about as many as wanted leave it', () => {
    // 1 MB/s: 256 pages a second, 15,360 a minute.
    for (const [candidates, after] of [
      [16_897, 875],
      [16_800, 1_000],
      [13_900, 1_000],
      [13_800, 1_125],
    ]) {
      const gate = new PromotionGate({ referenceMs: 1_000, rateLimitMBps: 1 });
      for (let i = 0; i < candidates; i++) gate.admits(0, 1, node(0), PROMO);
      gate.admits(0, 60_001, node(0), PROMO);
      expect(gate.thresholdMs).toBe(after);
    }
    const gate = new PromotionGate({ referenceMs: 1_000, rateLimitMBps: 1 });
    for (let minute = 0; minute < 20; minute++)
      for (let i = 0; i < 20_000; i++) gate.admits(0, minute * 60_001, node(0), PROMO);
    expect(gate.thresholdMs).toBe(125);
  });

  test('the rate limit refuses from its number of candidates a second on, which still count', () => {
    const gate = new PromotionGate({ referenceMs: 1_000, rateLimitMBps: 1 });
    let admitted = 0;
    for (let i = 0; i < 1_000; i++) if (gate.admits(0, 500, node(0), PROMO)) admitted++;
    expect([admitted, gate.candidates]).toEqual([255, 1_000]);
    expect(gate.admits(0, 1_000, node(0), PROMO)).toBe(false);
    expect(gate.admits(0, 1_001, node(0), PROMO)).toBe(true);
  });
});

describe('kmigrated', () => {
  test.each(FORMATS)('%s: promotes a page at the pass after its second access', (_, format) => {
    const { host, tracker } = setUp({ format });
    sampleAt(host, tracker, 10, [SLOW, SLOW + 1]);
    tracker.step();
    sampleAt(host, tracker, 50, [SLOW + 1]);
    expect(hotRanges(tracker)).toEqual([[MIB + PAGE_SIZE, MIB + 2 * PAGE_SIZE]]);
    tracker.step();
    expect(host.requests).toEqual([{ start: MIB + PAGE_SIZE, end: MIB + 2 * PAGE_SIZE, nid: 0 }]);
    expect(hotRanges(tracker)).toEqual([]);
    host.settle(tracker);
    expect(tracker.counters()).toMatchObject({
      pghot_recorded_accesses: 3,
      pghot_recorded_hwhints: 3,
      pghot_recorded_hintfaults: 0,
      pgpromote_candidate: 1,
      pgpromote_candidate_nrl: 0,
      pgpromote_success: 1,
    });
  });

  test('pages of the top tier are not recorded', () => {
    const { host, tracker } = setUp({ format: DEFAULT_FORMAT });
    sampleAt(host, tracker, 10, [1, 2, SLOW]);
    expect(tracker.counters()).toMatchObject({ pghot_recorded_hwhints: 3, pghot_recorded_accesses: 1 });
  });

  test('precise promotes to the node that accessed, default to pghot_target_nid', () => {
    const dram = {
      kind: 'DRAM' as const,
      accessNs: 10,
      bandwidthBytesPerS: 1e9,
      capacityBytes: GIB,
      adistance: 576,
    };
    const nodes = [
      { ...dram, nid: 0, hasCpus: true },
      { ...dram, nid: 1, hasCpus: false, kind: 'CXL' as const, adistance: 2_000 },
      { ...dram, nid: 2, hasCpus: true },
    ];
    for (const [options, nid] of [
      [{ format: PRECISE_FORMAT }, 2],
      [{ format: DEFAULT_FORMAT }, 0],
      [{ format: DEFAULT_FORMAT, targetNid: 2 }, 2],
    ] as const) {
      const host = new FakeTrackerHost({ bytes: MIB, nodes });
      const tracker = new Pghot(host, 1, options);
      sampleAt(host, tracker, 10, [3], 2);
      sampleAt(host, tracker, 20, [3], 2);
      tracker.step();
      expect(host.requests.map((request) => request.nid)).toEqual([nid]);
    }
  });

  test('a record that the gate refuses is consumed all the same', () => {
    const { host, tracker } = setUp({ format: PRECISE_FORMAT, freqThreshold: 1 });
    sampleAt(host, tracker, 10, [SLOW]);
    host.us = 6_000 * MS;
    tracker.step();
    expect(host.requests).toEqual([]);
    expect(tracker.counters().pgpromote_candidate).toBe(0);
    tracker.step();
    expect(hotRanges(tracker)).toEqual([]);
    sampleAt(host, tracker, 6_001, [SLOW]);
    tracker.step();
    expect(host.requests).toHaveLength(1);
  });

  test('neighbours go as one range, and a batch holds 512 pages', () => {
    const pages = Array.from({ length: MIGRATION_BATCH + 1 }, (_, i) => i);
    const host = new FakeTrackerHost({ bytes: 16 * MIB });
    const table = new PghotTable(host, { format: DEFAULT_FORMAT, freqThreshold: 1 });
    for (const page of [...pages, 1_000]) table.record(page * PAGE_SIZE, 1, 0, 5);
    table.migrate(5);
    expect(host.requests.map(({ start, end }) => (end - start) / PAGE_SIZE)).toEqual([512, 1, 1]);
    expect([table.consumed, table.asked]).toEqual([514, 514]);
  });

  test('walks only sections of 128 MiB with a ready record', () => {
    const host = new FakeTrackerHost({ bytes: 512 * MIB });
    const table = new PghotTable(host, { format: DEFAULT_FORMAT });
    expect(SECTION_PAGES * PAGE_SIZE).toBe(128 * MIB);
    table.record(0, 1, 0, 5);
    expect(table.migrate(5)).toBe(0);
    table.record(SECTION_PAGES * PAGE_SIZE, 1, 0, 5);
    table.record(SECTION_PAGES * PAGE_SIZE, 1, 0, 5);
    expect(table.migrate(5)).toBe(SECTION_PAGES + 8_200);
    expect(table.migrate(5)).toBe(0);
  });

  test('metadata is an array over the lower tier: 32 MiB or 128 MiB for 128 GiB', () => {
    for (const [format, mib] of [
      [DEFAULT_FORMAT, 32],
      [PRECISE_FORMAT, 128],
    ] as const) {
      const nodes = new FakeTrackerHost({ bytes: MIB }).nodes.map((node) => ({
        ...node,
        capacityBytes: 128 * GIB,
      }));
      const host = new FakeTrackerHost({ bytes: MIB, nodes });
      expect(new Pghot(host, 1, { format }).metadataBytes).toBe(mib * MIB);
    }
  });
});

describe('the source of hint faults', () => {
  test('protects 256 MiB of slow memory a scan, every 100 ms on a large process, after a second', () => {
    const host = new FakeTrackerHost({ bytes: 4 * GIB, onFast: GIB });
    const scanner = new HintFaultScanner(host);
    host.us = 999 * MS;
    scanner.step();
    expect(host.protectedPages).toBe(0);
    host.us = 1_000 * MS;
    scanner.step();
    expect(host.protectedPages).toBe(65_536);
    host.us = 1_099 * MS;
    scanner.step();
    expect(host.protectedPages).toBe(65_536);
    host.us = 1_100 * MS;
    scanner.step();
    expect(host.protectedPages).toBe(2 * 65_536);
    expect(scanner.counters().numa_pte_updates).toBe(2 * 65_536);
  });

  test('with 4 windows the period is 250 ms', () => {
    const host = new FakeTrackerHost({ bytes: GIB });
    const scanner = new HintFaultScanner(host);
    host.us = 1_249 * MS;
    scanner.step();
    expect(host.protectedPages).toBe(65_536);
    host.us = 1_250 * MS;
    scanner.step();
    expect(host.protectedPages).toBe(2 * 65_536);
  });

  test('faults are recorded under their own counter and charged to the node that faulted', () => {
    const host = new FakeTrackerHost({ bytes: 16 * MIB });
    const sources = { hwHints: false, hintFaults: true };
    const tracker = new Pghot(host, 1, { format: DEFAULT_FORMAT, freqThreshold: 1, sources });
    expect(tracker.usesSamples).toBe(false);
    host.faults.count = 1;
    host.faults.address[0] = 7 * PAGE_SIZE;
    host.us = 100 * MS;
    tracker.step();
    expect(host.requests).toEqual([{ start: 7 * PAGE_SIZE, end: 8 * PAGE_SIZE, nid: 0 }]);
    expect(tracker.counters()).toMatchObject({ pghot_recorded_hintfaults: 1, numa_hint_faults: 1 });
    expect(host.charged).toEqual([{ nid: 0, us: 1 }]);
  });
});

const OUTCOMES: readonly ActionOutcome[] = ['applied', 'applied', 'destination_full', 'busy'];

describe('pghot always', () => {
  propTest.prop([
    fc.constantFrom(DEFAULT_FORMAT, PRECISE_FORMAT),
    fc.array(fc.array(fc.nat(600), { maxLength: 60 }), { minLength: 1, maxLength: 60 }),
    fc.nat(),
  ])('candidates are promoted or failed; hot ranges are sorted and disjoint', (format, batches, seed) => {
    const { host, tracker } = setUp({ format });
    let failed = 0;
    for (const pages of batches) {
      host.free[0] = ((seed + pages.length) % 3) * GIB;
      feed(host, tracker, 100 * MS, pages);
      const hot = hotRanges(tracker);
      for (let i = 1; i < hot.length; i++) expect(hot[i][0]).toBeGreaterThan(hot[i - 1][1]);
      for (const { start, end } of host.requests) {
        if (OUTCOMES[(seed + start / PAGE_SIZE) % OUTCOMES.length] !== 'applied')
          failed += (end - start) / PAGE_SIZE;
      }
      host.settle(tracker, (start) => OUTCOMES[(seed + start / PAGE_SIZE) % OUTCOMES.length]);
      const { pgpromote_candidate, pgpromote_candidate_nrl, pgpromote_success } = tracker.counters();
      expect(pgpromote_candidate + pgpromote_candidate_nrl).toBe(pgpromote_success + failed);
    }
  });

  propTest.prop([
    fc.array(fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 9 })), {
      minLength: 1,
      maxLength: 8,
    }),
  ])('pages of any ranges are numbered without gaps', (parts) => {
    const ranges: { start: number; end: number }[] = [];
    let at = 0;
    for (const [gap, pages] of parts) {
      ranges.push({ start: at + gap * PAGE_SIZE, end: at + (gap + pages) * PAGE_SIZE });
      at += (gap + pages) * PAGE_SIZE;
    }
    const index = new PageIndex(ranges);
    let next = 0;
    for (let address = 0; address < at + PAGE_SIZE; address += PAGE_SIZE) {
      const isIn = ranges.some(({ start, end }) => address >= start && address < end);
      expect(index.indexOf(address)).toBe(isIn ? next : -1);
      if (isIn) expect(index.addressOf(next++)).toBe(address);
    }
    expect(index.pages).toBe(next);
  });
});
