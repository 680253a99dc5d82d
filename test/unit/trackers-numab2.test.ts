import { fc, test as prop } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { runTracker } from '../../src/lab/compare/run-tracker.ts';
import { presetConfig } from '../../src/machines/simulated/presets/index.ts';
import { SimulatedMachine } from '../../src/machines/simulated/simulated-machine.ts';
import { PAGE_SIZE } from '../../src/memory/range.ts';
import { createNumab2, Numab2 } from '../../src/trackers/numab2.ts';
import {
  adaptedPeriod,
  SCAN_DEFAULTS,
  scanPages,
  scanPeriodMax,
  scanPeriodMin,
  scanWindows,
} from '../../src/trackers/numab2-period.ts';
import { Numab2Scanner, type VmaRules } from '../../src/trackers/numab2-scanner.ts';
import { RecentRanges } from '../../src/trackers/recent-ranges.ts';
import { GIB, MIB, SignalHost, sortedHot } from './tracker-fakes-signals.ts';

/** Scans of 2 MiB, so that tests stay small. */
const SMALL = { ...SCAN_DEFAULTS, scanSizeMb: 2 };
const SLOW_ONLY = Uint8Array.of(0, 1);
const S = 1e6;

describe('the period', () => {
  test.each([
    [GIB, 4, 250, 15_000],
    [GIB + 1, 5, 200, 12_000],
    [256 * MIB, 1, 1_000, 60_000],
    [150 * GIB, 600, 100, 100],
    [160 * GIB, 640, 100, 100],
    [2.5 * GIB, 10, 100, 6_000],
  ])('of a process of %d bytes follows its windows, and is never below 100 ms', (rss, windows, min, max) => {
    expect(scanWindows(rss, SCAN_DEFAULTS)).toBe(windows);
    expect(scanPeriodMin(rss, SCAN_DEFAULTS)).toBe(min);
    expect(scanPeriodMax(rss, SCAN_DEFAULTS)).toBe(max);
  });

  test('a call handles 256 MB: 65,536 pages', () => {
    expect(scanPages(SCAN_DEFAULTS)).toBe(65_536);
  });

  const none = { local: 0, remote: 0, isPrivate: 0, shared: 0, failed: 0 };
  test.each([
    ['nothing recorded: twice as long', none, 2_000],
    ['failures: twice as long', { ...none, local: 10, isPrivate: 10, failed: 1 }, 2_000],
    ['private ratio 10: three slots slower', { ...none, local: 10, isPrivate: 10 }, 1_300],
    ['private ratio 8: one slot slower', { ...none, local: 10, isPrivate: 8, shared: 2 }, 1_100],
    ['private ratio 7: one slot slower', { ...none, local: 10, isPrivate: 7, shared: 3 }, 1_100],
    [
      'private ratio 6, local ratio 9: two slots slower',
      { local: 9, remote: 1, isPrivate: 6, shared: 4, failed: 0 },
      1_200,
    ],
    [
      'private ratio 6, local ratio 5: one slot faster',
      { local: 5, remote: 5, isPrivate: 6, shared: 4, failed: 0 },
      900,
    ],
    [
      'all remote and shared: seven slots faster',
      { local: 0, remote: 9, isPrivate: 0, shared: 9, failed: 0 },
      300,
    ],
  ])('%s', (_what, faults, expected) => {
    expect(adaptedPeriod(1_000, faults, 100, 60_000)).toBe(expected);
  });

  test('stays between its limits', () => {
    expect(adaptedPeriod(1_000, none, 100, 1_500)).toBe(1_500);
    expect(adaptedPeriod(200, { ...none, remote: 9, shared: 9 }, 100, 1_000)).toBe(100);
  });
});

describe('the scan', () => {
  const scannerOf = (host: SignalHost, rules: VmaRules = 'all', pages = 512) =>
    new Numab2Scanner(host.signals, host.ranges(), SLOW_ONLY, { rules, pages, scanDelayUs: S });

  test('goes on where it stopped, wraps at the end and counts the pass then', () => {
    const host = new SignalHost({ ranges: [{ start: 0, end: 5 * MIB }] });
    const scanner = scannerOf(host);
    expect([1, 2, 3].map(() => scanner.scan(0, 0, 1).updated)).toEqual([512, 512, 256]);
    expect(scanner.sequence).toBe(1);
    expect(host.protectCalls).toEqual([
      [0, 2 * MIB],
      [2 * MIB, 4 * MIB],
      [4 * MIB, 5 * MIB],
    ]);
    expect(scanner.scan(0, 0, 1).updated).toBe(0);
  });

  test('passes over 8 times its size of address space where nothing is to change, and no more', () => {
    const host = new SignalHost({ ranges: [{ start: 0, end: 40 * MIB }], onFast: 40 * MIB });
    expect(scannerOf(host).scan(0, 0, 1)).toEqual({ updated: 0, looked: (8 * 2 * MIB) / PAGE_SIZE });
  });

  test('counts a range against its size as soon as one entry of it was changed', () => {
    const host = new SignalHost({ ranges: [{ start: 0, end: 8 * MIB }], onFast: 2 * MIB - PAGE_SIZE });
    expect(scannerOf(host).scan(0, 0, 1)).toEqual({ updated: 1, looked: 512 });
  });

  test('leaves top-tier pages and those that are protected', () => {
    const host = new SignalHost({ ranges: [{ start: 0, end: 4 * MIB }], onFast: 2 * MIB });
    const scanner = scannerOf(host);
    for (let i = 0; i < 3; i++) scanner.scan(0, 0, 1);
    expect(host.protectedSince.size).toBe(512);
    expect(Math.min(...host.protectedSince.keys())).toBe(2 * MIB);
  });

  const twoVmas = () =>
    new SignalHost({
      ranges: [
        { start: 0, end: 2 * MIB },
        { start: 4 * MIB, end: 6 * MIB },
      ],
    });
  /** Which VMAs the passes 0 to 3 walk, when only the second is touched, by thread 0. */
  const passes = (rules: VmaRules, thread = 0): string[] => {
    const host = twoVmas();
    const scanner = scannerOf(host, rules, 4096);
    return [0, 1, 2, 3].map((pass) => {
      host.protectCalls.length = 0;
      scanner.touch(5 * MIB, 0);
      // Each pass long after the first second of the VMAs.
      for (let call = 0; call < 4 && scanner.sequence === pass; call++)
        scanner.scan((pass + 1) * 2 * S, thread, 1);
      return host.protectCalls.map(([start]) => (start < 4 * MIB ? 'a' : 'b')).join('');
    });
  };

  test.each<[VmaRules, number, string[]]>([
    ['all', 0, ['ab', 'ab', 'ab', 'ab']],
    ['6.4', 0, ['ab', 'ab', 'b', 'b']],
    // Another thread has touched nothing.
    ['6.4', 1, ['ab', 'ab', '', '']],
    ['6.7', 0, ['ab', 'ab', 'ba', 'ba']],
  ])(
    'by the rules %s thread %d skips what it has not touched from the third pass on',
    (rules, thread, expected) => {
      expect(passes(rules, thread)).toEqual(expected);
    },
  );

  test('forgets who touched a VMA after two windows of four seconds', () => {
    const host = new SignalHost({ ranges: [{ start: 0, end: 2 * MIB }] });
    const scanner = scannerOf(host, '6.4', 4096);
    for (let i = 0; i < 2; i++) scanner.scan(2 * S, 0, 1);
    scanner.touch(0, 0);
    const walks = [3, 7, 12, 17].map((s) => scanner.scan(s * S, 0, 1).looked > 0);
    // The windows end at 7 s and at 11 s.
    expect(walks).toEqual([true, true, true, false]);
  });
});

describe('a hint fault', () => {
  /** DRAM of 4 GiB: enough is free above promo + 1 GiB. */
  const ENOUGH = 4 * MIB + GIB;
  const trackerOf = (freeBytes: number, options = {}) => {
    const host = new SignalHost({ ranges: [{ start: 0, end: 64 * MIB }] });
    host.free[0] = freeBytes;
    return { host, tracker: new Numab2(host, { knobs: SMALL, ...options }) };
  };
  const faultAt = (freeBytes: number, delayUs: number, options = {}) => {
    const { host, tracker } = trackerOf(freeBytes, options);
    host.us = 20_000;
    host.fault(0, delayUs);
    tracker.step();
    return { host, tracker, asked: host.requests.length, counters: tracker.counters() };
  };

  test.each([
    ['999 ms after marking promotes', 999_999, 1],
    ['1,000 ms after does not', 1_000_000, 0],
  ])('%s', (_what, delayUs, asked) => {
    const result = faultAt(ENOUGH, delayUs);
    expect(result.asked).toBe(asked);
    expect(result.counters.pgpromote_candidate).toBe(asked);
    expect(result.counters.numa_hint_faults).toBe(1);
  });

  test('promotes whatever its latency while free memory is above promo + 1 GiB, and at it no more', () => {
    expect(faultAt(ENOUGH + 1, 50 * S)).toMatchObject({
      asked: 1,
      counters: { pgpromote_candidate_nrl: 1, pgpromote_candidate: 0 },
    });
    expect(faultAt(ENOUGH, 50 * S)).toMatchObject({ asked: 0, counters: { pgpromote_candidate_nrl: 0 } });
  });

  test('is refused where the target would fall below its high watermark, and wakes kswapd', () => {
    expect(faultAt(3 * MIB + PAGE_SIZE, 0)).toMatchObject({ asked: 1, host: { woken: 0 } });
    const refused = faultAt(3 * MIB + PAGE_SIZE - 1, 0);
    expect(refused).toMatchObject({ asked: 0, host: { woken: 1 } });
    expect(refused.counters).toMatchObject({
      pgpromote_candidate: 1,
      pgmigrate_fail: 1,
      pgpromote_success: 0,
    });
  });

  test('is refused above the rate limit: 256 pages a second for 1 MB/s', () => {
    const { host, tracker } = trackerOf(ENOUGH, { rateLimitMBps: 1 });
    host.us = 20_000;
    for (let page = 0; page < 300; page++) host.fault(page * PAGE_SIZE, 0);
    tracker.step();
    expect(host.pendingBytes() / PAGE_SIZE).toBe(255);
    expect(tracker.counters().pgpromote_candidate).toBe(300);
  });

  test('sees a time that ran over its bits as early', () => {
    expect(faultAt(ENOUGH, 1_024_000 + 1_000, { timeBits: 10 }).asked).toBe(1);
    expect(faultAt(ENOUGH, 1_024_000 + 1_000, { timeBits: 11 }).asked).toBe(0);
  });

  test.each([
    ['once a minute by 125 ms, as the default rate limit is never reached', [60_000, 1_124, 1_125]],
    ['again in the next minute', [120_040, 1_249, 1_250]],
  ])('the threshold rises %s', (_what, [atMs, below, at]) => {
    for (const [delayMs, asked] of [
      [below, 1],
      [at, 0],
    ]) {
      const { host, tracker } = trackerOf(ENOUGH);
      for (let ms = 60_020; ms <= atMs + 20; ms += 60_020) {
        host.us = ms * 1_000;
        host.fault(0, ms + 60_020 > atMs + 20 ? delayMs * 1_000 : 50 * S);
        tracker.step();
      }
      expect(host.requests.length).toBe(asked);
    }
  });

  test('costs its own thread 31 us with its migration and 1 us without', () => {
    const cost = (delayUs: number) => faultAt(ENOUGH, delayUs).host.charged.filter(({ us }) => us > 0);
    expect(cost(0)).toEqual([{ thread: 0, us: 31 }]);
    expect(cost(2 * S)).toEqual([{ thread: 0, us: 1 }]);
  });

  test('asks for neighbours at once, and counts what has moved', () => {
    const { host, tracker } = trackerOf(ENOUGH);
    host.us = 20_000;
    for (const page of [1, 2, 3, 7]) host.fault(page * PAGE_SIZE, 0);
    tracker.step();
    expect(host.requests.map(({ start, end }) => [start / PAGE_SIZE, end / PAGE_SIZE])).toEqual([
      [1, 4],
      [7, 8],
    ]);
    host.settle(tracker);
    expect(tracker.counters()).toMatchObject({
      numa_pages_migrated: 4,
      pgpromote_success: 4,
      pgmigrate_success: 4,
    });
    expect(sortedHot(tracker)).toEqual([
      [PAGE_SIZE, 4 * PAGE_SIZE],
      [7 * PAGE_SIZE, 8 * PAGE_SIZE],
    ]);
  });
});

describe('scanning in the context of threads', () => {
  test('begins after a second and goes on at most every 100 ms', () => {
    const host = new SignalHost({ ranges: [{ start: 0, end: 512 * MIB }], onFast: 512 * MIB });
    const tracker = new Numab2(host, { knobs: { ...SMALL, scanPeriodMinMs: 100 } });
    host.pass(tracker, 0.98 * S);
    expect(host.protectCalls.length).toBe(0);
    const calls = [1, 1, 1, 1, 1].map(() => {
      host.protectCalls.length = 0;
      host.pass(tracker, S);
      return host.protectCalls.length;
    });
    // A call is eight steps of 2 MiB here; walking them costs 94 us, and 32 times as much to wait.
    for (const count of calls.slice(1)) expect(count / 8).toBeLessThanOrEqual(1000 / tracker.periodMs);
    expect(calls[2]).toBeGreaterThan(0);
  });

  test('takes a thread at most a 33rd of its time', () => {
    const host = new SignalHost({ ranges: [{ start: 0, end: GIB }] });
    const tracker = new Numab2(host);
    for (let second = 0; second < 20; second++) {
      host.pass(tracker, S);
      // All is accessed, and can be marked again.
      host.protectedSince.clear();
    }
    const spentUs = host.charged.reduce((sum, { us }) => sum + us, 0);
    expect(spentUs).toBeGreaterThan(0.01 * host.us);
    expect(spentUs).toBeLessThanOrEqual(host.us / 33 + 65_536 * 0.42);
  });

  test('is shared by two threads, each with its own stamp', () => {
    const host = new SignalHost({ ranges: [{ start: 0, end: GIB }], threads: 2 });
    const tracker = new Numab2(host);
    host.pass(tracker, 5 * S);
    expect(new Set(host.charged.map(({ thread }) => thread))).toEqual(new Set([0, 1]));
  });
});

describe('what is recent', () => {
  test('is sorted, disjoint and joined, and forgotten in time', () => {
    const recent = new RecentRanges(1_000);
    recent.note(0, 10, 20);
    recent.note(500, 0, 10);
    recent.note(500, 15, 25);
    const at = (us: number) => {
      const ranges: number[][] = [];
      recent.forEach(us, (start, end) => ranges.push([start, end]));
      return ranges;
    };
    expect(at(1_000)).toEqual([[0, 25]]);
    expect(at(1_001)).toEqual([
      [0, 10],
      [15, 25],
    ]);
    expect(at(1_501)).toEqual([]);
  });
});

describe('whatever happens', () => {
  prop.prop([fc.array(fc.tuple(fc.nat(511), fc.nat(3)), { maxLength: 200 }), fc.nat(8)])(
    'updates >= faults, candidates >= promoted, hot memory is sorted and disjoint',
    (accesses, freeMib) => {
      const host = new SignalHost({ ranges: [{ start: 0, end: 2 * MIB }], onFast: MIB / 2 });
      host.free[0] = freeMib * MIB;
      const tracker = new Numab2(host, { knobs: SMALL });
      host.pass(tracker, 1.2 * S);
      for (const [page, steps] of accesses) {
        host.access(page * PAGE_SIZE);
        host.pass(tracker, steps * 20_000);
        if (steps > 1) host.settle(tracker, steps === 2 ? 'applied' : 'destination_full');
      }
      host.pass(tracker, 20_000);
      host.settle(tracker);
      const counters = tracker.counters();
      expect(counters.numa_pte_updates).toBeGreaterThanOrEqual(counters.numa_hint_faults);
      expect(counters.numa_hint_faults).toBeGreaterThanOrEqual(counters.pgpromote_candidate);
      expect(counters.pgpromote_candidate + counters.pgpromote_candidate_nrl).toBeGreaterThanOrEqual(
        counters.pgpromote_success,
      );
      sortedHot(tracker);
    },
  );

  test('on the simulated machine the same seed gives the same counters', async () => {
    const run = async (seed: number) => {
      const machine = new SimulatedMachine(presetConfig('seed-test-1', { seed, sizeBytes: 4 * GIB }));
      const { counters } = await runTracker(machine, createNumab2, { seed, minRatePerS: 57.5 });
      return counters;
    };
    const first = await run(1);
    expect(first).toEqual(await run(1));
    expect(first).not.toEqual(await run(2));
    expect(first.numa_pte_updates).toBeGreaterThanOrEqual(262_144);
  });
});
