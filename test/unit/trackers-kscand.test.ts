import { fc, test as prop } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { PAGE_SIZE } from '../../src/memory/range.ts';
import { createKscandIntended, createKscandPosted, Kscand } from '../../src/trackers/kscand.ts';
import { adaptedPace, KSCAND_START } from '../../src/trackers/kscand-period.ts';
import { PageFlags } from '../../src/trackers/page-flags.ts';
import { GIB, MIB, SignalHost, sortedHot } from './tracker-fakes-signals.ts';

const S = 1e6;

describe('the pace of scans', () => {
  const at = (periodMs: number, sizeMib: number, found: number) => ({
    periodMs,
    sizeBytes: sizeMib * MIB,
    found,
  });

  test.each([
    ['X = 0, Y = 0', at(2_000, 1024, 0), 0, at(2_300, 512, 0)],
    ['X = 0, Y > 0', at(4_800, 1024, 0), 1_000, at(600, 4096, 1_000)],
    ['X > 0, Y = 0', at(600, 1024, 16), 0, at(4_800, 1024, 0)],
    ['X > 0, Y > 0', at(2_000, 1024, 1_600), 1_000, at(1_700, 2048, 1_100)],
    ['fewer than 256 are none', at(2_000, 1024, 0), 255, at(2_300, 512, 0)],
    ['256 are some', at(4_800, 1024, 0), 256, at(600, 4096, 256)],
    ['a 16th of the last scan counts', at(2_000, 1024, 4_096), 0, at(1_700, 2048, 256)],
    ['and no more', at(600, 1024, 4_095), 0, at(4_800, 1024, 0)],
    ['the period ends at 5,000 ms, the size at 256 MiB', at(4_900, 256, 0), 0, at(5_000, 256, 0)],
    ['and at 600 ms and 4 GiB', at(650, 4096, 1_000), 1_000, at(600, 4096, 1_062)],
  ])('%s', (_what, before, found, after) => {
    expect(adaptedPace(before, found)).toEqual(after);
  });

  test('begins with 1 GiB every 2 s', () => {
    expect(KSCAND_START).toEqual({ periodMs: 2_000, sizeBytes: GIB, found: 0 });
  });
});

const one = (bytes: number, onFast = 0) => new SignalHost({ ranges: [{ start: 0, end: bytes }], onFast });

describe('a scan', () => {
  test('is first after the scan delay of a second', () => {
    const host = one(8 * MIB);
    const tracker = createKscandPosted(host, 1);
    host.pass(tracker, 0.98 * S);
    expect(tracker.counters().nr_kscand_mm_scans).toBe(0);
    host.pass(tracker, 0.02 * S);
    expect(tracker.counters().nr_kscand_mm_scans).toBe(1);
  });

  test('as posted lists all slow memory at first, as no page is idle', () => {
    const host = one(8 * MIB, 2 * MIB);
    const tracker = createKscandPosted(host, 1);
    host.pass(tracker, S);
    expect(tracker.counters()).toMatchObject({
      nr_kscand_slowtier: 1_536,
      nr_kscand_toptier: 512,
      nr_kscand_migadded: 1_536,
      nr_kscand_idlepage: 0,
    });
    expect(tracker.metadataBytes).toBe(192 + 1_536 * 32);
  });

  /** Slow memory with no room above it: what is listed by each of the first three scans. */
  const listedBy = (
    create: typeof createKscandPosted,
    accesses: readonly (readonly number[])[],
  ): number[] => {
    const host = one(8 * MIB);
    host.free[0] = 0;
    const tracker = create(host, 1);
    let before = 0;
    return accesses.map((pages) => {
      for (const page of pages) host.access(page * PAGE_SIZE);
      const scans = tracker.counters().nr_kscand_mm_scans;
      while (tracker.counters().nr_kscand_mm_scans === scans) host.pass(tracker, tracker.stepUs);
      const { nr_kscand_migadded: all } = tracker.counters();
      [before] = [all, all - before].reverse();
      const listed = before;
      before = all;
      return listed;
    });
  };

  test('as posted lists again what was ever accessed, as young is never cleared', () => {
    expect(listedBy(createKscandPosted, [[], [], [1, 2]])).toEqual([2_048, 2_048, 2_048]);
  });

  test('as intended lists what was accessed since the last one', () => {
    expect(listedBy(createKscandIntended, [[], [], [1, 2]])).toEqual([2_048, 0, 2]);
  });

  test('as posted walks whole VMAs beyond its size, and the one after the last walks nothing', () => {
    const host = new SignalHost({ ranges: [{ start: 0, end: 5 * GIB }], capacityBytes: 8 * GIB });
    host.free[0] = 0;
    const walks: number[] = [];
    const signals = {
      ...host.signals,
      scanAccessed: (start: number, end: number, visit: (a: number, b: number, v: number) => void) => {
        walks.push((end - start) / GIB);
        visit(start, end, 0);
      },
    };
    const tracker = new Kscand({ ...hostOf(host), signals }, { name: 'kscand-posted', isIntended: false });
    host.pass(tracker, 10 * S);
    const { nr_kscand_mm_scans: scans, nr_kscand_vma_scans: vmas } = tracker.counters();
    expect(new Set(walks)).toEqual(new Set([5]));
    expect(scans - vmas).toBeGreaterThanOrEqual(Math.floor(scans / 2));
    expect(vmas).toBe(walks.length);
  });

  test('as intended walks its size, goes on there, and begins anew after the end', () => {
    const host = new SignalHost({
      ranges: [{ start: 0, end: 5 * GIB }],
      onFast: 5 * GIB,
      capacityBytes: 8 * GIB,
    });
    const walks: number[][] = [];
    const signals = {
      ...host.signals,
      scanAccessed: (start: number, end: number, visit: (a: number, b: number, v: number) => void) => {
        walks.push([start / MIB, end / MIB]);
        visit(start, end, 0);
      },
    };
    const tracker = new Kscand({ ...hostOf(host), signals }, { name: 'kscand-intended', isIntended: true });
    host.pass(tracker, 100 * S);
    // Nothing in slow memory: half the size each time, down to 256 MiB.
    expect(walks.slice(0, 4)).toEqual([
      [0, 1024],
      [1024, 1536],
      [1536, 1792],
      [1792, 2048],
    ]);
    expect(walks.some(([start], i) => i > 0 && start === 0)).toBe(true);
    expect(tracker.pace.periodMs).toBe(5_000);
  });
});

/** The methods of a fake, bound, so that some can be replaced. */
function hostOf(host: SignalHost) {
  return {
    nodes: host.nodes,
    signals: host.signals,
    ranges: () => host.ranges(),
    nowUs: () => host.nowUs(),
    nidOf: (address: number) => host.nidOf(address),
    placement: host.placement.bind(host),
    gauge: (nid: number) => host.gauge(nid),
    watermarks: () => host.watermarks(),
    migrate: host.migrate.bind(host),
    pendingBytes: () => host.pendingBytes(),
    wakeKswapd: () => host.wakeKswapd(),
  };
}

describe('the migrating thread', () => {
  test('moves what one CPU can: 2,500 pages in 20 ms', () => {
    const host = one(64 * MIB);
    const tracker = createKscandPosted(host, 1);
    host.pass(tracker, S);
    expect(host.requests).toEqual([]);
    host.pass(tracker, 20_000);
    expect(host.pendingBytes() / PAGE_SIZE).toBe(2_500);
    host.pass(tracker, 20_000);
    expect(host.pendingBytes() / PAGE_SIZE).toBe(5_000);
  });

  test.each([
    ['down to the high watermark', 3 * MIB + 10 * PAGE_SIZE, 10, 1],
    ['nothing at it', 3 * MIB, 0, 1],
    ['and wakes nobody while there is room', GIB, 2_048, 0],
  ])('fills the target %s', (_what, free, pages, woken) => {
    const host = one(8 * MIB);
    host.free[0] = free;
    const tracker = createKscandPosted(host, 1);
    host.pass(tracker, S + 20_000);
    expect(host.pendingBytes() / PAGE_SIZE).toBe(pages);
    expect(host.woken).toBe(woken);
    expect(tracker.counters().nr_kscand_migrate_failed).toBe(2_048 - pages);
  });

  test('leaves alone what reclaim moved down, as it is inactive', () => {
    const host = one(8 * MIB);
    const tracker = createKscandPosted(host, 1);
    host.pass(tracker, S + 20_000);
    host.settle(tracker);
    expect(tracker.counters()).toMatchObject({ nr_kscand_migrated: 2_048, pgpromote_success: 2_048 });
    host.put(0, MIB, 1);
    host.access(0);
    host.pass(tracker, 10 * S);
    expect(host.requests).toEqual([]);
    expect(tracker.counters().nr_kscand_migrate_failed).toBeGreaterThanOrEqual(256);
  });
});

describe('flags of pages', () => {
  prop.prop([
    fc.array(fc.tuple(fc.nat(1_100), fc.integer({ min: 1, max: 700 }), fc.nat(7), fc.nat(7)), {
      maxLength: 30,
    }),
  ])('are those of a plain array, in runs that are sorted and disjoint', (writes) => {
    const pages = 1_300;
    const flags = new PageFlags();
    const plain = new Uint8Array(pages);
    for (const [first, count, set, clear] of writes) {
      const past = Math.min(pages, first + count);
      const next = Uint8Array.from({ length: 256 }, (_, old) => (old & ~clear) | set);
      const seen: number[] = [];
      flags.transform(first * PAGE_SIZE, past * PAGE_SIZE, next, (start, end, value) => {
        for (let at = start; at < end; at += PAGE_SIZE) seen.push(value);
      });
      for (let page = first; page < past; page++) plain[page] = next[plain[page]];
      expect(seen).toEqual([...plain.subarray(first, past)]);
    }
    let at = 0;
    flags.forEach(0, pages * PAGE_SIZE, (start, end, value) => {
      expect(start).toBe(at);
      for (; at < end; at += PAGE_SIZE) {
        if (plain[at / PAGE_SIZE] !== value || flags.get(at) !== value)
          throw new Error(`page ${at / PAGE_SIZE}`);
      }
    });
    expect(at).toBe(pages * PAGE_SIZE);
  });
});

describe('whatever happens', () => {
  prop.prop([fc.array(fc.tuple(fc.nat(511), fc.nat(60)), { maxLength: 40 }), fc.nat(6), fc.boolean()])(
    'listed >= migrated, and hot memory is sorted and disjoint',
    (accesses, freeMib, isIntended) => {
      const host = one(2 * MIB, MIB / 2);
      host.free[0] = freeMib * MIB;
      const tracker = (isIntended ? createKscandIntended : createKscandPosted)(host, 1);
      for (const [page, steps] of accesses) {
        host.access(page * PAGE_SIZE);
        host.pass(tracker, steps * 20_000);
        if (steps % 3 === 0) host.settle(tracker);
        sortedHot(tracker);
      }
      host.settle(tracker);
      const counters = tracker.counters();
      expect(counters.nr_kscand_migadded).toBeGreaterThanOrEqual(counters.nr_kscand_migrated);
      expect(counters.nr_kscand_slowtier).toBeGreaterThanOrEqual(counters.nr_kscand_migadded);
      expect(host.free[0]).toBeGreaterThanOrEqual(Math.min(freeMib * MIB, host.marks.highBytes));
    },
  );
});
