/** Quotas, over random schemes, clocks and hosts that fail and delay. */
import { fc, test as propTest } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import type { ActionOutcome, ActionRequest } from '../../src/memory/action.ts';
import { NO_VALUE } from '../../src/memory/page-runs.ts';
import { RandomStream } from '../../src/memory/random.ts';
import { NO_REGIONS } from '../../src/monitor/monitor.ts';
import { SchemeExecutor } from '../../src/schemes/executor.ts';
import { loadSchemes } from '../../src/schemes/load.ts';
import { QuotaWindow } from '../../src/schemes/quota.ts';
import { readTag } from '../../src/schemes/request-tag.ts';
import type { Scheme, SchemeGoal, SchemeQuota } from '../../src/schemes/scheme.ts';
import { ATTRS, FakeHost, type FakeRegion, regionsOf, resolvedTo } from './scheme-fakes.ts';

const PAGE = 4096;
const MIB = 2 ** 20;

const BASE = loadSchemes("version: 1\nschemes: ['promote hot>0']", 't', ATTRS).schemes[0];
const DRAM_USED: SchemeGoal = {
  metric: 'node_mem_used_bp',
  targetValue: 5000,
  currentValue: 0,
  place: 'DRAM',
  memcgPath: undefined,
  where: { file: 't', line: 1, column: 1 },
};

function schemeWith(quota: Partial<SchemeQuota>, more: Partial<Scheme> = {}): Scheme {
  return { ...BASE, ...more, quota: { ...BASE.quota, ...quota } };
}

/** A window of the quota as its requests saw it. */
interface Ledger {
  readonly firstUs: number;
  requested: number;
  applied: number;
  failed: number;
  cpuUs: number;
  /** Since when it was known how long acting takes. */
  readonly timedSinceUs: number;
}

/** Acts some rounds later, and fails now and then; what is in flight is a hole. */
class SlowHost extends FakeHost {
  readonly windows = new Map<number, Ledger>();
  readonly #random: RandomStream;
  readonly #failShare: number;
  readonly #delay: number;
  #queue: { request: ActionRequest; due: number }[] = [];
  #round = 0;
  nowUs = 0;
  #timedSinceUs = Number.POSITIVE_INFINITY;

  constructor(bytes: number, seed: number, failShare: number, delay: number) {
    super(bytes);
    this.#random = new RandomStream(seed, 'slow-host');
    this.#failShare = failShare;
    this.#delay = delay;
  }

  override act(request: ActionRequest): void {
    const { sequence } = readTag(request.tag);
    const window = this.windows.get(sequence) ?? {
      firstUs: this.nowUs,
      requested: 0,
      applied: 0,
      failed: 0,
      cpuUs: 0,
      timedSinceUs: this.#timedSinceUs,
    };
    this.windows.set(sequence, window);
    window.requested += request.end - request.start;
    this.runs.set(request.start, request.end, NO_VALUE);
    this.#queue.push({ request, due: this.#round + this.#random.below(this.#delay + 1) });
  }

  /** Finishes what is due, and lets some memory fall back to the slow node. */
  finish(record: (tag: number, bytes: number, outcome: ActionOutcome, cpuNs: number) => void): void {
    this.#round++;
    const isDue = ({ due }: { due: number }): boolean => due < this.#round;
    for (const { request } of this.#queue.filter(isDue)) this.#finishOne(request, record);
    this.#queue = this.#queue.filter((entry) => !isDue(entry));
    const at = this.#random.below(this.totalBytes / PAGE) * PAGE;
    const back: [number, number][] = [];
    this.runs.forEach(at, this.totalBytes, (from, to, nid) => {
      if (nid === 0) back.push([from, to]);
    });
    for (const [from, to] of back) this.runs.set(from, to, 1);
  }

  #finishOne(
    { tag, start, end }: ActionRequest,
    record: (tag: number, bytes: number, outcome: ActionOutcome, cpuNs: number) => void,
  ): void {
    const window = this.windows.get(readTag(tag).sequence);
    if (window === undefined) throw new Error('no window');
    for (let at = start; at < end; ) {
      const to = Math.min(end, at + (1 + this.#random.below(40)) * PAGE);
      const isApplied = this.#random.unit() >= this.#failShare;
      const cpuNs = isApplied ? ((to - at) / PAGE) * (6400 + this.#random.below(3200)) : 0;
      this.runs.set(at, to, isApplied ? 0 : 1);
      if (isApplied) window.applied += to - at;
      else window.failed += to - at;
      window.cpuUs += cpuNs / 1000;
      if (cpuNs > 0) this.#timedSinceUs = Math.min(this.#timedSinceUs, this.nowUs);
      record(tag, to - at, isApplied ? 'applied' : 'destination_full', cpuNs);
      at = to;
    }
  }
}

const regions = fc
  .array(
    fc.record({
      gap: fc.nat({ max: 8 }),
      pages: fc.integer({ min: 1, max: 400 }),
      rate: fc.double({ min: 0.1, max: 1000, noNaN: true }),
      nrAccesses: fc.nat({ max: 20 }),
      age: fc.nat({ max: 600 }),
    }),
    { minLength: 1, maxLength: 12 },
  )
  .map((parts): FakeRegion[] => {
    let at = 0;
    return parts.map(({ gap, pages, ...rest }) => {
      const start = at + gap * PAGE;
      at = start + pages * PAGE;
      return { start, end: at, ...rest };
    });
  });

const quotas = fc.record({
  szBytes: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.integer({ min: PAGE, max: 8 * MIB })),
  timeUs: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.integer({ min: 100, max: 20_000 })),
  resetIntervalUs: fc.constantFrom(50_000, 100_000, 1_000_000, 7_000_000),
  top: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.integer({ min: 1, max: 5 })),
  prioritize: fc.constantFrom('exact' as const, 'damon' as const),
  failCharge: fc.constantFrom(0, 0.001, 0.5, 1),
  goals: fc.constantFrom<SchemeGoal[]>([], [DRAM_USED]),
  tuner: fc.constantFrom('settle' as const, 'consist' as const, 'temporal' as const),
});

describe('the quota of a scheme', () => {
  propTest.prop(
    [
      quotas,
      regions,
      fc.constantFrom(0, 250_000, 1_500_000),
      fc.array(fc.nat({ max: 900 }), { minLength: 10, maxLength: 60 }),
      fc.constantFrom(0, 0.3, 1),
      fc.nat({ max: 4 }),
      fc.nat(),
      fc.constantFrom(PAGE, 16 * PAGE),
    ],
    { numRuns: 400 },
  )(
    'holds in every window, whatever fails and however late that is told',
    (quota, list, applyIntervalUs, waits, failShare, delay, seed, minRegionSz) => {
      const bytes = list[list.length - 1].end;
      const host = new SlowHost(bytes, seed, failShare, delay);
      const scheme = schemeWith(quota, { applyIntervalUs });
      const executor = new SchemeExecutor([resolvedTo(scheme, [0])], { ...ATTRS, minRegionSz }, host);
      let lastRoundUs = Number.NEGATIVE_INFINITY;
      for (const waitMs of waits) {
        host.nowUs += (waitMs + 1) * 1000;
        host.finish((tag, size, outcome, cpuNs) => executor.recordResult(tag, size, outcome, cpuNs));
        const [requests, rounds] = [host.requests.length, executor.stats(0).nrSnapshots];
        const tried = [...host.windows.values()].reduce((sum, { requested }) => sum + requested, 0);
        executor.apply(host.nowUs, regionsOf(list), NO_REGIONS);
        const now = [...host.windows.values()].reduce((sum, { requested }) => sum + requested, 0);
        expect(executor.stats(0).szTried).toBe(now);

        if (executor.stats(0).nrSnapshots > rounds) {
          expect(host.nowUs - lastRoundUs).toBeGreaterThanOrEqual(applyIntervalUs);
          lastRoundUs = host.nowUs;
        } else expect(now).toBe(tried);
        const [charged, effective] = [executor.chargedBytes(0), executor.effectiveBytes(0)];
        expect(charged).toBeLessThanOrEqual(effective);
        expect(effective).toBeLessThanOrEqual(quota.szBytes);
        if (quota.goals.length > 0 && quota.tuner === 'temporal' && effective === 0) expect(now).toBe(tried);
        expect(host.requests.length).toBe(requests);
      }

      const windows = [...host.windows.values()];
      windows.forEach(({ firstUs, requested, applied, failed, cpuUs, timedSinceUs }, i) => {
        const pending = requested - applied - failed;
        expect(applied + pending + quota.failCharge * failed).toBeLessThanOrEqual(quota.szBytes + 1e-3);
        if (i > 0) {
          expect(firstUs - windows[i - 1].firstUs).toBeGreaterThanOrEqual(quota.resetIntervalUs);
        }
        // A window is as large as was known when it began, which may be before its first request.
        if (firstUs - timedSinceUs > quota.resetIntervalUs) {
          // A window may always move one region.
          const least = (minRegionSz / PAGE) * 9.6;
          expect(cpuUs).toBeLessThanOrEqual(Math.max(1.5 * quota.timeUs, least) + 1e-6);
        }
      });
    },
  );

  propTest.prop(
    [regions, fc.integer({ min: 1, max: 6 }), fc.constantFrom('exact' as const, 'damon' as const)],
    {
      numRuns: 200,
    },
  )('with a top acts on at most so many regions per round', (list, top, prioritize) => {
    const host = new FakeHost(list[list.length - 1].end);
    const executor = new SchemeExecutor([resolvedTo(schemeWith({ top, prioritize }), [0])], ATTRS, host);
    executor.apply(0, regionsOf(list), NO_REGIONS);
    expect(host.requests.length).toBe(Math.min(top, list.length));
  });
});

/** A region of 64 MiB on the slow node, 16 MiB at a time. */
const LARGE: FakeRegion[] = [{ start: 0, end: 64 * MIB, rate: 100 }];

describe('a quota that changes while it runs', () => {
  const run = (first: Partial<SchemeQuota>, second: Partial<SchemeQuota>) => {
    const host = new FakeHost(64 * MIB);
    const executor = new SchemeExecutor([resolvedTo(schemeWith(first), [0])], ATTRS, host);
    const movedAt = (timeUs: number): number => {
      const before = executor.stats(0).szTried;
      executor.apply(timeUs, regionsOf(LARGE), NO_REGIONS);
      for (const { tag, start, end } of host.requests.splice(0)) {
        executor.recordResult(tag, end - start, 'applied', ((end - start) / PAGE) * 8000);
      }
      return (executor.stats(0).szTried - before) / MIB;
    };
    const before = movedAt(0);
    executor.setSchemes([resolvedTo(schemeWith(second), [0])]);
    return { before, after: movedAt(100_000), next: movedAt(1_000_000), charged: executor.chargedBytes(0) };
  };
  const PER_S = { resetIntervalUs: 1e6 };

  test('is raised at once, and what was charged stays charged', () => {
    expect(run({ szBytes: 4 * MIB, ...PER_S }, { szBytes: 6 * MIB, ...PER_S })).toMatchObject({
      before: 4,
      after: 2,
      next: 6,
    });
  });

  test('is lowered at once', () => {
    expect(run({ szBytes: 4 * MIB, ...PER_S }, { szBytes: 3 * MIB, ...PER_S })).toMatchObject({
      before: 4,
      after: 0,
      next: 3,
    });
  });

  test('is lifted at once', () => {
    expect(run({ szBytes: 4 * MIB, ...PER_S }, PER_S).after).toBe(60);
  });

  test('of time and size is raised at once as well', () => {
    const time = { timeUs: 20_000, ...PER_S };
    // 20 ms pay for 10 MiB at 8 us a page.
    const { after, next } = run({ szBytes: 4 * MIB, ...time }, { szBytes: 6 * MIB, ...time });
    expect([after, next]).toEqual([2, 6]);
  });

  test('of time is lowered at once, by what was timed so far', () => {
    const { before, after, next } = run(
      { szBytes: 4 * MIB, timeUs: 50_000, ...PER_S },
      { timeUs: 1000, ...PER_S },
    );
    expect(before).toBe(4);
    expect(after).toBe(0);
    expect(next).toBeCloseTo((1000 / 8) * (PAGE / MIB), 2);
  });

  test('gets goals: they count at once, not only when the window ends', () => {
    const met = { goals: [{ ...DRAM_USED, targetValue: 100 }] };
    // 4 of 64 MiB are used, 1 % was asked for.
    expect(run({ szBytes: 4 * MIB, ...PER_S }, { ...met, szBytes: 32 * MIB, ...PER_S }).after).toBe(0);
    expect(
      run({ szBytes: 4 * MIB, ...PER_S }, { ...met, tuner: 'temporal', szBytes: 32 * MIB, ...PER_S }).after,
    ).toBe(0);
    const unmet = { goals: [{ ...DRAM_USED, targetValue: 9000 }], tuner: 'temporal' as const };
    expect(run({ szBytes: 4 * MIB, ...PER_S }, { ...unmet, szBytes: 32 * MIB, ...PER_S }).after).toBe(28);
  });

  test('stays that of a scheme that is left out for a while', () => {
    const host = new FakeHost(64 * MIB);
    const resolved = resolvedTo(schemeWith({ szBytes: 4 * MIB, ...PER_S }), [0]);
    const executor = new SchemeExecutor([resolved], ATTRS, host);
    executor.apply(0, regionsOf(LARGE), NO_REGIONS);
    executor.setSchemes([]);
    executor.setSchemes([resolved]);
    executor.apply(100_000, regionsOf(LARGE), NO_REGIONS);
    expect(executor.stats(0).szTried).toBe(4 * MIB);
    executor.apply(1_000_000, regionsOf(LARGE), NO_REGIONS);
    expect(executor.stats(0).szTried).toBe(8 * MIB);
  });
});

describe('a window', () => {
  const windowOf = (quota: Partial<SchemeQuota>, minRegionSz = PAGE) =>
    new QuotaWindow(schemeWith(quota).quota, minRegionSz);
  const PER_S = { resetIntervalUs: 1e6 };

  test('begins with its first charge and lasts until just before its end', () => {
    const window = windowOf({ szBytes: MIB, ...PER_S });
    window.adjust(0, () => 0);
    window.adjust(900_000, () => 0);
    window.charge(MIB, 900_000);
    window.adjust(1_899_999, () => 0);
    expect(window.roomBytes).toBe(0);
    window.adjust(1_900_000, () => 0);
    expect(window.roomBytes).toBe(MIB);
  });

  test('of which nothing was used leaves nothing to the next', () => {
    const window = windowOf({ szBytes: MIB, ...PER_S });
    for (let second = 0; second < 10; second++) window.adjust(second * 1e6, () => 0);
    expect(window.roomBytes).toBe(MIB);
  });

  test('takes the tightest of size, time and goals', () => {
    const rooms = (szBytes: number, timeUs: number, tuned: number): number => {
      const window = windowOf({ szBytes, timeUs, goals: [DRAM_USED], ...PER_S });
      window.addTime(100 * PAGE, 800_000);
      window.adjust(0, () => tuned);
      return window.roomBytes / PAGE;
    };
    expect(rooms(100 * PAGE, 1600, 300 * PAGE)).toBe(100);
    expect(rooms(500 * PAGE, 1600, 300 * PAGE)).toBe(200);
    expect(rooms(500 * PAGE, 1600, 20 * PAGE)).toBe(20);
  });

  test('moves one region at least where only time is short, and nothing where the goal is met', () => {
    const window = windowOf({ timeUs: 1, goals: [DRAM_USED], ...PER_S }, 16 * PAGE);
    window.addTime(100 * PAGE, 800_000);
    window.adjust(0, () => 100 * PAGE);
    expect(window.roomBytes).toBe(16 * PAGE);
    window.adjust(1e6, () => 0);
    expect(window.roomBytes).toBe(0);
  });

  test('is given back what failed in it, but for the fail charge, and nothing of an earlier one', () => {
    const window = windowOf({ szBytes: MIB, failCharge: 0.25, ...PER_S });
    window.adjust(0, () => 0);
    window.charge(MIB, 0);
    window.giveBack(MIB / 2, window.sequence);
    expect(window.chargedBytes).toBe(0.625 * MIB);
    const { sequence } = window;
    window.adjust(1e6, () => 0);
    window.charge(MIB, 1e6);
    window.giveBack(MIB / 2, sequence);
    expect(window.chargedBytes).toBe(MIB);
  });

  test('of time forgets the speed no faster than it is used: an idle hour changes nothing', () => {
    const window = windowOf({ timeUs: 8000, ...PER_S });
    window.adjust(0, () => 0);
    window.charge(1000 * PAGE, 0);
    window.addTime(1000 * PAGE, 8e6);
    for (let second = 1; second < 3600; second++) window.adjust(second * 1e6, () => 0);
    expect(window.roomBytes / PAGE).toBe(1000);
  });

  test('of time is not fooled by what failed in no time', () => {
    const window = windowOf({ timeUs: 8000, failCharge: 0, ...PER_S });
    window.adjust(0, () => 0);
    window.charge(1000 * PAGE, 0);
    window.addTime(1000 * PAGE, 8e6);
    for (let second = 1; second < 60; second++) {
      window.adjust(second * 1e6, () => 0);
      window.charge(1000 * PAGE, second * 1e6);
      window.addTime(1000 * PAGE, 0);
    }
    window.adjust(60e6, () => 0);
    expect(window.roomBytes / PAGE).toBe(1000);
  });

  test('follows a speed that changes', () => {
    const window = windowOf({ timeUs: 8000, ...PER_S });
    for (let second = 0; second < 10; second++) {
      window.adjust(second * 1e6, () => 0);
      window.charge(1000 * PAGE, second * 1e6);
      window.addTime(1000 * PAGE, second < 2 ? 8e6 : 4e6);
    }
    window.adjust(10e6, () => 0);
    expect(window.roomBytes / PAGE).toBeGreaterThan(1950);
  });
});
