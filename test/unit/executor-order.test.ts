/** In which order memory gets its turn, where it goes, and how often it is asked about. */
import { fc, test as propTest } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import type { SystemGauge } from '../../src/memory/action.ts';
import { roundDown } from '../../src/memory/range.ts';
import { NO_REGIONS } from '../../src/monitor/monitor.ts';
import { ActedMemory } from '../../src/schemes/acted-memory.ts';
import { SchemeExecutor } from '../../src/schemes/executor.ts';
import { GoalMeter } from '../../src/schemes/goals.ts';
import { loadSchemes } from '../../src/schemes/load.ts';
import { damonScore, minScore } from '../../src/schemes/priority.ts';
import type { ResolvedDest } from '../../src/schemes/resolve.ts';
import type { Scheme } from '../../src/schemes/scheme.ts';
import {
  ATTRS,
  executorOf,
  FakeHost,
  type FakeRegion,
  NOTHING,
  regionsOf,
  resolvedTo,
} from './scheme-fakes.ts';

const PAGE = 4096;
const MIB = 2 ** 20;

function schemeOf(sentence: string): Scheme {
  return loadSchemes(`version: 1\nschemes: ['${sentence}']`, 't', ATTRS).schemes[0];
}

const sizes = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 15 });
const idleRegions = (pages: readonly number[], alignment = PAGE): FakeRegion[] => {
  let at = 0;
  return pages.map((count) => {
    const start = at;
    at += count * alignment;
    return { start, end: at, rate: 0, age: 500 };
  });
};

describe('units of equal priority', () => {
  propTest.prop(
    [sizes, fc.integer({ min: 1, max: 60 }), fc.oneof(fc.constant(99), fc.integer({ min: 1, max: 3 }))],
    { numRuns: 300 },
  )('all get their turn, within as many short rounds as there are units', (pages, quotaPages, top) => {
    const list = idleRegions(pages);
    const bytes = list[list.length - 1].end;
    const executor = executorOf(`demote cold>30s quota ${quotaPages * PAGE}/s top ${top}`);
    const isTried = list.map(() => false);
    for (let round = 0; round < list.length; round++) {
      // Nothing succeeds: all of it is there again in the next round.
      const host = new FakeHost(bytes);
      executor.apply(round * 1e6, regionsOf(list), NO_REGIONS, host);
      for (const [start] of host.moved) {
        list.forEach((region, i) => {
          isTried[i] ||= start >= region.start && start < region.end;
        });
      }
    }
    expect(isTried).toEqual(list.map(() => true));
  });

  test('go round from where the last round stopped', () => {
    const list = idleRegions([1, 1, 1, 1, 1]);
    const executor = executorOf(`demote cold>30s quota ${2 * PAGE}/s`);
    const order = [0, 1, 2, 3].map((round) => {
      const host = new FakeHost(5 * PAGE);
      executor.apply(round * 1e6, regionsOf(list), NO_REGIONS, host);
      return host.moved.map(([start]) => start / PAGE);
    });
    expect(order).toEqual([
      [0, 1],
      [2, 3],
      [4, 0],
      [1, 2],
    ]);
  });

  test('come after those of higher priority, wherever the last round stopped', () => {
    const list = idleRegions([1, 1, 1, 1, 1]);
    const executor = executorOf(`demote cold>30s quota ${2 * PAGE}/s`);
    const first = new FakeHost(5 * PAGE);
    executor.apply(0, regionsOf(list), NO_REGIONS, first);
    // By age now: page 1 is oldest.
    const aged = executorOf(`demote cold>30s quota ${2 * PAGE}/s`);
    aged.executor.setSchemes([
      (() => {
        const scheme = schemeOf(`demote cold>30s quota ${2 * PAGE}/s`);
        return resolvedTo(
          { ...scheme, quota: { ...scheme.quota, weights: { sz: 0, nrAccesses: 0, age: 1 } } },
          [0],
        );
      })(),
    ]);
    aged.apply(0, regionsOf(list), NO_REGIONS, new FakeHost(5 * PAGE));
    const host = new FakeHost(5 * PAGE);
    aged.apply(1e6, regionsOf(list.map((r, i) => (i === 1 ? { ...r, age: 900 } : r))), NO_REGIONS, host);
    expect(host.moved.map(([start]) => start / PAGE)).toEqual([1, 2]);
  });
});

/** Reference 4.2 to 4.5 and 4.7, said as plainly as possible, for one target and regions without spots. */
class PlainDamos {
  readonly #scheme: Scheme;
  readonly #min: number;
  #windowStart = Number.NEGATIVE_INFINITY;
  #charged = 0;
  #isUnused = true;
  #marker: number | undefined;

  constructor(scheme: Scheme, minRegionSz: number) {
    this.#scheme = scheme;
    this.#min = minRegionSz;
  }

  get #isFull(): boolean {
    return this.#scheme.quota.szBytes - this.#charged < this.#min;
  }

  round(nowUs: number, regions: readonly FakeRegion[]): [number, number][] {
    const { quota, action, pattern } = this.#scheme;
    if (nowUs >= this.#windowStart + quota.resetIntervalUs) {
      [this.#windowStart, this.#charged, this.#isUnused] = [nowUs, 0, true];
    }
    const score = (region: FakeRegion): number =>
      damonScore(
        action === 'migrate_hot' ? 'hot' : 'cold',
        quota.weights,
        region.nrAccesses ?? 0,
        region.age ?? 0,
        ATTRS,
      );
    const matches = (region: FakeRegion): boolean =>
      action === 'migrate_hot'
        ? region.rate > 0
        : region.rate === 0 && (region.age ?? 0) * ATTRS.aggrUs > pattern.minAgeUs.value;
    const histogram = new Float64Array(100);
    for (const region of regions) if (matches(region)) histogram[score(region)] += region.end - region.start;
    const lowest = minScore(histogram, quota.szBytes);

    const acted: [number, number][] = [];
    const list = [...regions];
    for (let i = 0; i < list.length; i++) {
      const region = list[i];
      const { start, end } = region;
      if (this.#isFull) continue;
      if (this.#marker !== undefined) {
        const marker = this.#marker;
        if (i === list.length - 1) {
          this.#marker = undefined;
          continue;
        }
        if (end <= marker) continue;
        if (start < marker) {
          let left = roundDown(marker - start, this.#min);
          if (left === 0) {
            if (end - start <= this.#min) continue;
            left = this.#min;
          }
          list.splice(i, 1, { ...region, end: start + left }, { ...region, start: start + left });
          continue;
        }
        this.#marker = undefined;
      }
      if (!matches(region) || score(region) < lowest) continue;
      let size = end - start;
      if (this.#charged + size > quota.szBytes) {
        size = roundDown(quota.szBytes - this.#charged, this.#min);
        list.splice(i, 1, { ...region, end: start + size }, { ...region, start: start + size });
      }
      acted.push([start, start + size]);
      if (this.#isUnused) [this.#windowStart, this.#isUnused] = [nowUs, false];
      this.#charged += size;
      if (this.#isFull) this.#marker = start + size;
    }
    return acted;
  }
}

const damonRound = fc.record({
  waitMs: fc.constantFrom(100, 200, 1000),
  regions: fc.array(
    fc.record({
      units: fc.integer({ min: 1, max: 30 }),
      nrAccesses: fc.nat({ max: 20 }),
      isIdle: fc.boolean(),
      age: fc.nat({ max: 2000 }),
    }),
    { minLength: 1, maxLength: 12 },
  ),
});

describe('by histogram', () => {
  propTest.prop(
    [
      fc.constantFrom('promote hot>0', 'demote cold>30s'),
      fc.integer({ min: 1, max: 150 }),
      fc.constantFrom(0, PAGE),
      fc.constantFrom(PAGE, 4 * PAGE),
      fc.array(damonRound, { minLength: 1, maxLength: 3 }),
      fc.integer({ min: 1, max: 20 }),
    ],
    { numRuns: 500 },
  )(
    'memory gets its turn as DAMOS says, round after round',
    (sentence, quotaUnits, extra, minRegionSz, layouts, rounds) => {
      const quotaBytes = quotaUnits * minRegionSz + (minRegionSz > PAGE ? extra : 0);
      const text = `${sentence} quota ${quotaBytes}/s by histogram`;
      const plain = new PlainDamos(schemeOf(text), minRegionSz);
      const executor = executorOf(text, [0], minRegionSz);
      let timeUs = 0;
      for (let round = 0; round < rounds; round++) {
        const { waitMs, regions } = layouts[round % layouts.length];
        timeUs += waitMs * 1000;
        let at = 0;
        const list = regions.map(({ units, nrAccesses, isIdle, age }): FakeRegion => {
          const start = at;
          at += units * minRegionSz;
          return { start, end: at, rate: isIdle ? 0 : 1, nrAccesses: isIdle ? 0 : nrAccesses, age };
        });
        const host = new FakeHost(at);
        executor.apply(timeUs, regionsOf(list), NO_REGIONS, host);
        expect(host.moved).toEqual(plain.round(timeUs, list));
      }
    },
  );

  test('memory goes on where the quota ran out, passes over the last region once per lap, and begins anew', () => {
    const list = [4, 4, 4, 4].map(
      (_, i): FakeRegion => ({ start: 4 * i * PAGE, end: 4 * (i + 1) * PAGE, rate: 1 }),
    );
    const executor = executorOf(`promote hot>0 quota ${6 * PAGE}/s by histogram`);
    const turns = [0, 1, 2, 3].map((round) => {
      const host = new FakeHost(16 * PAGE);
      executor.apply(round * 1e6, regionsOf(list), NO_REGIONS, host);
      return host.moved.map(([start, end]) => [start / PAGE, end / PAGE]);
    });
    expect(turns).toEqual([
      [
        [0, 4],
        [4, 6],
      ],
      [
        [6, 8],
        [8, 12],
      ],
      [],
      [
        [0, 4],
        [4, 6],
      ],
    ]);
  });
});

describe('weighted destinations', () => {
  const dest = (nid: number, weight: number): ResolvedDest => ({ nids: [nid], isAccessing: false, weight });
  propTest.prop(
    [
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 4 }),
      fc.array(fc.integer({ min: 1, max: 4000 }), { minLength: 1, maxLength: 8 }),
      fc.nat({ max: 3000 }),
    ],
    { numRuns: 100 },
  )('deal memory out in steps of 2 MiB by weight, and leave it there', (first, second, pages, gap) => {
    let at = gap * PAGE;
    const list = pages.map((count): FakeRegion => {
      const start = at;
      at += count * PAGE;
      return { start, end: at, rate: 100 };
    });
    const host = new FakeHost(at);
    const resolved = {
      ...resolvedTo(schemeOf('migrate_hot hot>0 to DRAM:1, CXL:1'), [0]),
      dests: [dest(0, first), dest(2, second)],
    };
    const executor = new SchemeExecutor([resolved], ATTRS, host);
    executor.apply(0, regionsOf(list), NO_REGIONS);
    host.runs.forEach(list[0].start, at, (from, to, nid) => {
      for (let step = roundDown(from, 2 * MIB); step < to; step += 2 * MIB) {
        const isFirst = (step / (2 * MIB)) % (first + second) < first;
        expect(nid).toBe(isFirst ? 0 : 2);
      }
    });
    const requests = host.requests.length;
    executor.apply(1e6, regionsOf(list), NO_REGIONS);
    expect(host.requests.length).toBe(requests);
  });
});

test('memory goes to the node that accesses it, and to the fast tier where no sample tells', () => {
  const host = new FakeHost(4 * MIB);
  const scheme = schemeOf('promote hot>0 to accessing node');
  const resolved = { ...resolvedTo(scheme, [0]), dests: [{ nids: [0], isAccessing: true, weight: 1 }] };
  const executor = new SchemeExecutor([resolved], ATTRS, host);
  const list = [0, 2, -1, 1].map(
    (accessingNid, i): FakeRegion => ({ start: i * MIB, end: (i + 1) * MIB, rate: 100, accessingNid }),
  );
  executor.apply(0, regionsOf(list), NO_REGIONS);
  expect([0, 1, 2, 3].map((i) => host.runs.get(i * MIB))).toEqual([0, 2, 0, 1]);
  expect(host.requests.length).toBe(3);
  executor.apply(1e6, regionsOf(list), NO_REGIONS);
  expect(host.requests.length).toBe(3);
});

describe('hints', () => {
  test('are given again after a minute, and not before', () => {
    const host = new FakeHost(4 * MIB);
    const executor = executorOf('lru_prio hot>5', []);
    const list: FakeRegion[] = [{ start: 0, end: MIB, rate: 100 }];
    const given = [0, 1, 59, 61, 100, 122].map((second) => {
      const before = host.requests.length;
      executor.apply(second * 1e6, regionsOf(list), NO_REGIONS, host);
      return host.requests.length - before;
    });
    expect(given).toEqual([1, 0, 0, 1, 0, 1]);
  });

  test('rest for the age that their pattern asks for, if that is longer, also once it has changed', () => {
    const host = new FakeHost(4 * MIB);
    const executor = executorOf('lru_deprio cold>2m', []);
    const list: FakeRegion[] = [{ start: 0, end: MIB, rate: 0, age: 9000 }];
    const given = (seconds: number[]) =>
      seconds.map((second) => {
        const before = host.requests.length;
        executor.apply(second * 1e6, regionsOf(list), NO_REGIONS, host);
        return host.requests.length - before;
      });
    expect(given([0, 61, 119, 121])).toEqual([1, 0, 0, 1]);
    executor.executor.setSchemes([resolvedTo(schemeOf('lru_deprio cold>10m'), [])]);
    expect(given([300, 600, 899, 901])).toEqual([1, 0, 0, 1]);
  });

  propTest.prop(
    [
      fc.array(
        fc.record({
          waitS: fc.oneof(
            fc.nat({ max: 90 }),
            fc.nat({ max: 40_000 }),
            fc.constantFrom(36_000, 72_000, 35_990),
          ),
          start: fc.nat({ max: 40 }),
          pages: fc.integer({ min: 1, max: 20 }),
          isActed: fc.boolean(),
        }),
        { minLength: 1, maxLength: 60 },
      ),
    ],
    { numRuns: 300 },
  )('rest as in a plain map of times, also after hours', (steps) => {
    const acted = new ActedMemory(60e6);
    const plain = new Map<number, number>();
    let nowUs = 0;
    for (const { waitS, start, pages, isActed } of steps) {
      nowUs += waitS * 1e6;
      if (isActed) {
        acted.add(nowUs, start * PAGE, (start + pages) * PAGE);
        for (let page = start; page < start + pages; page++) plain.set(page, nowUs);
        continue;
      }
      const rested = new Set<number>();
      let last = -1;
      acted.forEachRested(nowUs, start * PAGE, (start + pages) * PAGE, (from, to) => {
        // Parts come in order, as long as possible.
        expect(from).toBeGreaterThan(last);
        last = to;
        for (let at = from; at < to; at += PAGE) rested.add(at / PAGE);
      });
      for (let page = start; page < start + pages; page++) {
        const ago = nowUs - (plain.get(page) ?? Number.NEGATIVE_INFINITY);
        // Told to within a hundredth of the minute.
        if (Math.abs(ago - 60e6) > 0.6e6) expect(rested.has(page)).toBe(ago >= 60e6);
      }
    }
  });
});

describe('goals', () => {
  class Gauges extends FakeHost {
    override memcgBytes(path?: string, nid?: number): number {
      return path === '/app' && nid === 0 ? MIB : 0;
    }
    override monitoringCpuShare(): number {
      return 0.01;
    }
  }
  const meterOf = (goal: string) =>
    new GoalMeter(resolvedTo(schemeOf(`promote hot>5 quota 1G/s goal ${goal}`), [0], [0]));
  const totals = { migratedBytes: 0, cpuUs: 0, matchedOn: () => ({ all: 8 * MIB, there: 2 * MIB }) };

  test('of eligible memory and of a cgroup read what the host says', () => {
    const host = new Gauges(4 * MIB);
    const [eligible] = meterOf('DRAM eligible 50%').read(0, host, totals);
    expect(eligible).toMatchObject({ current: 2500, target: 5000, perByte: 10_000 / (8 * MIB) });
    expect(meterOf('memcg /app used 50% of DRAM').read(0, host, totals)[0].current).toBe(2500);
    expect(meterOf('memcg /app free 50% of DRAM').read(0, host, totals)[0].current).toBe(7500);
    expect(meterOf('memcg /none used 50% of DRAM').read(0, host, totals)[0].current).toBe(0);
  });

  test('of eligible memory count what matches where it lies', () => {
    const host = new FakeHost(4 * MIB);
    host.runs.set(0, 3 * MIB, 0);
    const scheme = schemeOf('promote hot>5 quota 1G/s goal DRAM eligible 80% tuner temporal');
    const executor = new SchemeExecutor([resolvedTo(scheme, [0], [0])], ATTRS, host);
    const list = [0, 1, 2, 3].map((i): FakeRegion => ({ start: i * MIB, end: (i + 1) * MIB, rate: 100 }));
    // 3 of 4 are there: too few. Of the first three all are: enough.
    executor.apply(0, regionsOf(list.slice(0, 3)), NO_REGIONS);
    expect(executor.effectiveBytes(0)).toBe(0);
    executor.apply(1e6, regionsOf(list), NO_REGIONS);
    expect(host.moved).toEqual([[3 * MIB, 4 * MIB]]);
  });

  test('of accesses, pressure and time are about the time since the last window', () => {
    const host = new Gauges(4 * MIB);
    const read = (goal: string, first: Partial<SystemGauge>, second: Partial<SystemGauge>) => {
      const meter = meterOf(goal);
      host.system = { ...NOTHING, ...first };
      meter.read(0, host, totals);
      host.system = { ...NOTHING, ...second };
      return meter.read(2e6, host, { ...totals, migratedBytes: 6 * MIB, cpuUs: 40_000 })[0].current;
    };
    expect(
      read('fast-share 90%', { accesses: 100, fastAccesses: 100 }, { accesses: 300, fastAccesses: 150 }),
    ).toBe(2500);
    expect(read('slowdown 5%', { accessS: 2, allFastS: 1 }, { accessS: 5, allFastS: 3 })).toBe(5000);
    expect(read('psi 10ms', { someMemPsiUs: 70 }, { someMemPsiUs: 100 })).toBe(30);
    expect(read('migration 1M/s', {}, {})).toBe(3 * MIB);
    expect(read('cpu 5%', {}, {})).toBeCloseTo(300, 9);
    expect(read('active 50%', {}, { activeBytes: 1, inactiveBytes: 3 })).toBe(2500);
    expect(read('fast-latency 50%', {}, { fastNs: 1, slowNs: 4 })).toBe(2500);
  });

  test('of rates cannot be told at first, nor where nothing happened', () => {
    const host = new Gauges(4 * MIB);
    expect(meterOf('psi 10ms').read(0, host, totals)[0].current).toBeNaN();
    expect(meterOf('migration 1M/s').read(0, host, totals)[0].current).toBeNaN();
    const meter = meterOf('fast-share 90%');
    meter.read(0, host, totals);
    expect(meter.read(1e6, host, totals)[0].current).toBeNaN();
  });

  test('that users feed survive another version of the scheme', () => {
    const host = new FakeHost(64 * MIB);
    const resolved = (text: string) => resolvedTo(schemeOf(text), [0]);
    const executor = new SchemeExecutor(
      [resolved('promote hot>5 goal user 100 tuner temporal')],
      ATTRS,
      host,
    );
    executor.setUserInput(0, 0, 120);
    executor.setSchemes([resolved('promote hot>4 goal user 100 tuner temporal')]);
    executor.apply(0, regionsOf([{ start: 0, end: MIB, rate: 100 }]), NO_REGIONS);
    expect(executor.effectiveBytes(0)).toBe(0);
    executor.setSchemes([resolved('promote hot>4 goal user 200 tuner temporal')]);
    executor.apply(100_000, regionsOf([{ start: 0, end: MIB, rate: 100 }]), NO_REGIONS);
    expect(executor.effectiveBytes(0)).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('page filters', () => {
  const LARGE: FakeRegion[] = [{ start: 0, end: 1024 * MIB, rate: 100 }];
  const asked = (quotaMib: number, isYoung: (mib: number) => boolean, rounds = 1) => {
    const host = new FakeHost(1024 * MIB);
    const young = host.property('young');
    for (let mib = 0; mib < 1024; mib++) if (isYoung(mib)) young.set(mib * MIB, (mib + 1) * MIB, 1);
    const executor = executorOf(`promote hot>5 only young quota ${quotaMib}M/s`);
    for (let round = 0; round < rounds; round++) {
      executor.apply(round * 100_000, regionsOf(LARGE), NO_REGIONS, host);
    }
    const bytes = host.queries.reduce((sum, { start, end }) => sum + end - start, 0);
    return {
      asked: bytes / MIB,
      tried: executor.stats(0).szTried / MIB,
      exceeded: executor.stats(0).nrQuotaExceeded,
    };
  };

  test('are asked for what the quota has room for', () => {
    expect(asked(16, () => true)).toEqual({ asked: 16, tried: 16, exceeded: 1 });
    expect(asked(1, () => true)).toEqual({ asked: 2, tried: 1, exceeded: 1 });
  });

  test('are asked on until that much has passed', () => {
    expect(asked(16, (mib) => mib % 4 === 0)).toEqual({ asked: 61, tried: 16, exceeded: 1 });
    expect(asked(16, () => false)).toEqual({ asked: 1024, tried: 0, exceeded: 0 });
  });

  test('are not asked at all once the quota is used up', () => {
    expect(asked(16, () => true, 5)).toEqual({ asked: 16, tried: 16, exceeded: 1 });
  });
});
