/** What the simulated machine does when it is asked to act, and what it tells about its pages. */
import { fc, test as propTest } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { Mover } from '../../src/machines/mover.ts';
import { createPreset } from '../../src/machines/simulated/presets/index.ts';
import { closedThread, openThread, wholeOf } from '../../src/machines/simulated/presets/preset.ts';
import type { SimulatedMachine } from '../../src/machines/simulated/simulated-machine.ts';
import { PAGED_OUT, type PageQuery } from '../../src/memory/action.ts';
import { PAGE_SIZE } from '../../src/memory/range.ts';
import { MemoryBalance } from '../../src/testing/index.ts';
import {
  act,
  bytesOn,
  collected,
  GIB,
  MIB,
  machineOf,
  nodesOf,
  steadyThread,
  sumOf,
} from './machine-fakes.ts';

const SWAP = { swapBytesPerS: 100 * MIB };
const idle = (bytes: number) => ({ ranges: [{ start: 0, end: bytes }], threads: [] });

describe('paging out', () => {
  test('frees the node, and waits for the bandwidth of the swap device', () => {
    const machine = machineOf([GIB], idle(512 * MIB), SWAP);
    const { freeBytes } = machine.gauge(0);
    machine.submit({ action: 'pageout', start: 0, end: 64 * MIB, targetNid: -1, tag: 3 });
    machine.advance(100_000);
    expect(sumOf(collected(machine), 'applied')).toBe(10 * MIB);
    expect(machine.pendingBytes()).toBe(54 * MIB);
    expect(machine.gauge(0).freeBytes - freeBytes).toBe(10 * MIB);
    machine.advance(540_000);
    expect(machine.pendingBytes()).toBe(0);
    expect(machine.moves.pagedOutBytes).toBe(64 * MIB);
    expect(bytesOn(machine, 0, 512 * MIB)).toEqual(
      new Map([
        [PAGED_OUT, 64 * MIB],
        [0, 448 * MIB],
      ]),
    );
  });

  test('is offered where there is a swap device, and only there', () => {
    expect(machineOf([GIB], idle(MIB), SWAP).actions).toEqual(
      expect.arrayContaining(['pageout', 'willneed']),
    );
    expect(machineOf([GIB], idle(MIB)).actions).not.toContain('pageout');
    expect(machineOf([GIB], idle(MIB)).actions).not.toContain('willneed');
  });

  test('of what is paged out finds it already there; of a hole, nothing mapped', () => {
    const machine = machineOf([GIB], idle(8 * MIB), SWAP);
    act(machine, 'pageout', 0, 4 * MIB);
    const parts = act(machine, 'pageout', 0, 12 * MIB);
    expect(parts.map(({ start, end, outcome }) => [start / MIB, end / MIB, outcome])).toEqual([
      [0, 4, 'already_there'],
      [4, 8, 'applied'],
      [8, 12, 'not_mapped'],
    ]);
  });

  test('is undone by accesses: the pages come back, the thread waits, and pressure shows it', () => {
    const workload = {
      ranges: [{ start: 0, end: 64 * MIB }],
      threads: [closedThread('t', wholeOf(0, 64 * MIB))],
    };
    const machine = machineOf([GIB], workload, { swapBytesPerS: 10 * GIB });
    machine.advance(100_000);
    const before = machine.truth.totals().accesses;
    expect(before / 0.1).toBeCloseTo(1e9 / 10, -5);
    expect(machine.systemGauge().someMemPsiUs).toBe(0);
    act(machine, 'pageout', 0, 64 * MIB);
    const { accesses } = machine.truth.totals();
    machine.advance(100_000);
    const slowed = machine.truth.totals().accesses - accesses;
    // An access to a page that is out takes 100 us.
    expect(slowed).toBeLessThan(before / 100);
    expect(machine.moves.pagedInBytes).toBeGreaterThan(0);
    expect(machine.systemGauge().someMemPsiUs).toBeGreaterThan(50_000);
    expect(machine.systemGauge().someMemPsiUs).toBeLessThanOrEqual(machine.nowUs());
    for (let i = 0; i < 200; i++) machine.advance(100_000);
    expect(bytesOn(machine, 0, 64 * MIB)).toEqual(new Map([[0, 64 * MIB]]));
    expect(machine.moves.pagedInBytes).toBe(machine.moves.pagedOutBytes);
    const psi = machine.systemGauge().someMemPsiUs;
    machine.advance(100_000);
    expect(machine.systemGauge().someMemPsiUs).toBe(psi);
  });
});

describe('willneed', () => {
  test('brings back to the nearest node that has room', () => {
    const machine = machineOf([64 * MIB, GIB], idle(128 * MIB), SWAP);
    const onFast = bytesOn(machine, 0, 128 * MIB).get(0) ?? 0;
    act(machine, 'pageout', 0, 16 * MIB);
    const parts = act(machine, 'willneed', 0, 16 * MIB);
    expect(sumOf(parts, 'applied')).toBe(16 * MIB);
    expect(bytesOn(machine, 0, 16 * MIB)).toEqual(new Map([[0, 16 * MIB]]));
    expect(bytesOn(machine, 0, 128 * MIB).get(0)).toBe(onFast);
    // The fast node is full to its high watermark again: down to its min watermark there is room, then CXL.
    act(machine, 'pageout', 100 * MIB, 128 * MIB);
    act(machine, 'willneed', 100 * MIB, 128 * MIB);
    const back = bytesOn(machine, 100 * MIB, 128 * MIB);
    expect(back.get(0)).toBeGreaterThan(0);
    expect((back.get(0) ?? 0) + (back.get(1) ?? 0)).toBe(28 * MIB);
  });

  test('fails with destination_full where no node has room: for all but what the min watermark allows', () => {
    const order = { forEachColdest: (): void => {} };
    const config = {
      migrationBytesPerS: 0,
      kswapdBytesPerS: 0,
      swapBytesPerS: GIB,
      systemBytes: [],
      useWatermarks: true,
    };
    const mover = new Mover(nodesOf([64 * MIB]), config, order, () => {});
    mover.populate({ start: 0, end: 60 * MIB });
    mover.placement.set(60 * MIB, 80 * MIB, PAGED_OUT);
    const room = mover.freeBytes(0) - mover.watermarks[0].minBytes;
    mover.submit({ action: 'willneed', start: 60 * MIB, end: 80 * MIB, targetNid: -1, tag: 0 });
    mover.advance(1e6);
    const parts: [number, number, string][] = [];
    mover.collect((_tag, start, end, outcome) => parts.push([start, end, outcome]));
    expect(parts).toEqual([
      [60 * MIB, 60 * MIB + room, 'applied'],
      [60 * MIB + room, 80 * MIB, 'destination_full'],
    ]);
    expect(mover.freeBytes(0)).toBe(mover.watermarks[0].minBytes);
    expect(mover.counters).toMatchObject({ pagedInBytes: room, failedBytes: 20 * MIB - room });
  });

  test('of memory that was never out has nothing to do', () => {
    const machine = machineOf([GIB], idle(8 * MIB), SWAP);
    expect(act(machine, 'willneed', 0, 8 * MIB).map(({ outcome }) => outcome)).toEqual(['already_there']);
  });
});

describe('hints', () => {
  /** 64 MiB in use and 3 x 64 MiB idle, all in DRAM; demotion is on, promoting 32 MiB makes it work. */
  const machine = (): SimulatedMachine => {
    const workload = {
      ranges: [
        { start: 0, end: 256 * MIB, nid: 0 },
        { start: 256 * MIB, end: 512 * MIB, nid: 1 },
      ],
      threads: [steadyThread(192 * MIB, 256 * MIB, 50)],
    };
    return machineOf([262 * MIB, GIB], workload, { kswapdBytesPerS: GIB });
  };
  const demotedBy = (m: SimulatedMachine): number[] => {
    act(m, 'migrate_hot', 480 * MIB, 512 * MIB, 0);
    for (let i = 0; i < 100; i++) m.advance(10_000);
    return [0, 1, 2, 3].map((part) => bytesOn(m, part * 64 * MIB, (part + 1) * 64 * MIB).get(1) ?? 0);
  };

  test('left out, kswapd takes idle memory by address', () => {
    const [first, second, third, inUse] = demotedBy(machine());
    expect(first).toBeGreaterThan(24 * MIB);
    expect([second, third, inUse]).toEqual([0, 0, 0]);
  });

  test.each([['lru_deprio'], ['cold']] as const)('%s puts idle memory first', (action) => {
    const m = machine();
    const [part] = act(m, action, 128 * MIB, 192 * MIB);
    expect(part).toMatchObject({ outcome: 'applied', cpuNs: (64 * MIB * 200) / PAGE_SIZE });
    const [first, second, third, inUse] = demotedBy(m);
    expect(third).toBeGreaterThan(24 * MIB);
    expect([first, second, inUse]).toEqual([0, 0, 0]);
  });

  test('lru_prio puts idle memory last', () => {
    const m = machine();
    act(m, 'lru_prio', 0, 64 * MIB);
    const [first, second, third, inUse] = demotedBy(m);
    expect(second).toBeGreaterThan(24 * MIB);
    expect([first, third, inUse]).toEqual([0, 0, 0]);
  });

  test('never put memory in use before idle memory', () => {
    const m = machine();
    act(m, 'lru_deprio', 192 * MIB, 256 * MIB);
    act(m, 'lru_prio', 0, 192 * MIB);
    expect(demotedBy(m)[3]).toBe(0);
  });

  test('fail where nothing is mapped', () => {
    expect(act(machine(), 'lru_prio', 600 * MIB, 604 * MIB).map(({ outcome }) => outcome)).toEqual([
      'not_mapped',
    ]);
  });

  test('move bytes between the active and the inactive lists', () => {
    const m = machine();
    const gauge = () => {
      const { activeBytes, inactiveBytes } = m.systemGauge();
      return [activeBytes / MIB, inactiveBytes / MIB];
    };
    expect(gauge()).toEqual([64, 448]);
    act(m, 'lru_prio', 0, 32 * MIB);
    expect(gauge()).toEqual([96, 416]);
    act(m, 'lru_prio', 224 * MIB, 256 * MIB);
    expect(gauge()).toEqual([96, 416]);
    act(m, 'lru_deprio', 0, 256 * MIB);
    expect(gauge()).toEqual([64, 448]);
    const isActive: number[][] = [];
    act(m, 'lru_prio', 16 * MIB, 32 * MIB);
    m.queryPages({ property: 'active' }, 0, 256 * MIB, (from, to, value) =>
      isActive.push([from / MIB, to / MIB, value]),
    );
    expect(isActive).toEqual([
      [0, 16, 0],
      [16, 32, 1],
      [32, 192, 0],
      [192, 256, 1],
    ]);
  });

  test('and phases of two threads on one area: when one of them ends, the other still uses it', () => {
    const area = wholeOf(0, 64 * MIB);
    const pages = (64 * MIB) / PAGE_SIZE;
    const thread = (perPage: number, seconds: number) => ({
      ...openThread('t', area, perPage * pages),
      phaseCount: 2,
      phase: () => ({ accesses: perPage * pages * seconds, areas: area }),
    });
    // One ends after a second, the other after twenty.
    for (const [a, b] of [
      [thread(0.05, 0.5), thread(50, 10)],
      [thread(50, 0.5), thread(20, 10)],
    ]) {
      const m = machineOf([GIB], { ranges: [{ start: 0, end: 256 * MIB }], threads: [a, b] });
      m.advance(2e6);
      expect(m.systemGauge().activeBytes).toBe(64 * MIB);
    }
  });
});

describe('young pages', () => {
  const RATE = 2;
  const machine = () =>
    machineOf([GIB], { ranges: [{ start: 0, end: 512 * MIB }], threads: [steadyThread(0, 256 * MIB, RATE)] });
  const youngShare = (m: SimulatedMachine, start = 0, end = 256 * MIB): number => {
    let young = 0;
    m.queryPages({ property: 'young' }, start, end, (from, to, value) => {
      young += value * (to - from);
    });
    return young / (end - start);
  };
  /** Five standard deviations of a share of 65,536 pages. */
  const near = (share: number, expected: number): void =>
    expect(Math.abs(share - expected)).toBeLessThan(
      5 * Math.sqrt((expected * (1 - expected)) / 65536) + 1e-9,
    );

  test('are a share of 1 - exp(-rate x time) since they were asked about', () => {
    const m = machine();
    m.advance(20e6);
    youngShare(m);
    for (const seconds of [0.3, 1, 0.5]) {
      m.advance(seconds * 1e6);
      near(youngShare(m), 1 - Math.exp(-RATE * seconds));
    }
  });

  test('are none when asked a second time at once, and none outside what is accessed', () => {
    const m = machine();
    m.advance(1e6);
    expect(youngShare(m, 256 * MIB, 512 * MIB)).toBe(0);
    near(youngShare(m), 1 - Math.exp(-RATE));
    expect(youngShare(m)).toBe(0);
  });

  test("remember no more than the 10 s of the machine's own aging", () => {
    const slow = machineOf([GIB], {
      ranges: [{ start: 0, end: 512 * MIB }],
      threads: [steadyThread(0, 256 * MIB, 0.1)],
    });
    slow.advance(100e6);
    near(youngShare(slow), 1 - Math.exp(-1));
    slow.advance(9e6);
    near(youngShare(slow), 1 - Math.exp(-0.9));
    slow.advance(50e6);
    near(youngShare(slow), 1 - Math.exp(-1));
  });

  test('are told alike after hours', () => {
    const m = machine();
    m.advance(1e6);
    youngShare(m);
    // The time at which a page was asked about is kept modulo 6000 s.
    m.advance(6000e6);
    expect(youngShare(m)).toBeGreaterThan(0.999);
  });
});

describe('questions about pages', () => {
  const kinds = [
    { start: 0, end: 64 * MIB, memcg: '/app' },
    { start: 100 * MIB, end: 164 * MIB, memcg: '/app', pageBytes: 2 * MIB },
    { start: 164 * MIB, end: 200 * MIB, isAnon: false, isMapped: false, memcg: '/b' },
  ];
  const machine = () =>
    machineOf([128 * MIB, GIB], {
      ranges: [{ start: 0, end: 300 * MIB }],
      threads: [steadyThread(10 * MIB, 120 * MIB, 1)],
      kinds,
    });
  const answer = (m: SimulatedMachine, query: PageQuery): number[][] => {
    const runs: number[][] = [];
    m.queryPages(query, 0, 300 * MIB, (from, to, value) => {
      if (value === 1) runs.push([from / MIB, to / MIB]);
    });
    return runs;
  };

  test('are answered by what the workload says of its memory', () => {
    const m = machine();
    expect(answer(m, { property: 'memcg', path: '/app' })).toEqual([
      [0, 64],
      [100, 164],
    ]);
    expect(answer(m, { property: 'memcg', path: '/none' })).toEqual([]);
    expect(answer(m, { property: 'unmapped' })).toEqual([[164, 200]]);
    expect(answer(m, { property: 'hugepage_size', min: 2 * MIB, max: 2 * MIB })).toEqual([[100, 164]]);
    expect(answer(m, { property: 'hugepage_size', min: 2 * MIB + 1 })).toEqual([]);
    expect(answer(m, { property: 'hugepage_size', max: 2 * MIB - 1 })).toEqual([]);
    // What the workload does not describe is anonymous and of 4 KiB pages.
    expect(answer(m, { property: 'anon' })).toEqual([
      [0, 64],
      [64, 100],
      [100, 164],
      [200, 300],
    ]);
  });

  const queries = fc.constantFrom<PageQuery>(
    { property: 'anon' },
    { property: 'active' },
    { property: 'young' },
    { property: 'unmapped' },
    { property: 'memcg', path: '/app' },
    { property: 'hugepage_size', min: 2 * MIB },
  );
  const hint = fc.record({
    action: fc.constantFrom('lru_prio' as const, 'lru_deprio' as const),
    start: fc.nat({ max: 70_000 }),
    pages: fc.integer({ min: 1, max: 10_000 }),
  });
  propTest.prop(
    [queries, fc.nat({ max: 76_000 }), fc.integer({ min: 1, max: 800 }), fc.array(hint, { maxLength: 6 })],
    {
      numRuns: 200,
    },
  )('are answered in runs that cover the range exactly once', (query, page, pages, hints) => {
    const m = machine();
    for (const { action, start, pages: size } of hints) {
      m.submit({ action, start: start * PAGE_SIZE, end: (start + size) * PAGE_SIZE, targetNid: -1, tag: 0 });
      m.advance(50_000);
    }
    let at = page * PAGE_SIZE;
    const end = at + pages * PAGE_SIZE;
    m.queryPages(query, at, end, (from, to, value) => {
      expect(from).toBe(at);
      expect(to).toBeGreaterThan(from);
      expect([0, 1]).toContain(value);
      at = to;
    });
    expect(at).toBe(end);
  });

  test('about a cgroup add up to its memory, wherever it lies', () => {
    const m = machine();
    const sum = (path: string) => m.memcgBytes(path, 0) + m.memcgBytes(path, 1);
    expect([sum('/app'), sum('/b'), sum('/none')]).toEqual([128 * MIB, 36 * MIB, 0]);
    const before = m.memcgBytes('/app', 0);
    const moved = sumOf(act(m, 'migrate_cold', 0, 8 * MIB, 1), 'applied');
    expect(moved).toBe(8 * MIB);
    expect(m.memcgBytes('/app', 0)).toBe(before - 8 * MIB);
    expect(sum('/app')).toBe(128 * MIB);
  });
});

describe('access times under load', () => {
  const oneNode = nodesOf([GIB])[0];
  const loaded = (share: number) =>
    machineOf(
      [GIB],
      {
        ranges: [{ start: 0, end: 64 * MIB }],
        threads: [openThread('load', wholeOf(0, 64 * MIB), (share * oneNode.bandwidthBytesPerS) / 64)],
      },
      {},
      { followsLoad: true },
    );

  test.each([
    [0.5, 1 + 1 / 6],
    [0.9, 2.5],
  ])('of a node that is used to %d are %d times those at rest', (share, factor) => {
    const m = loaded(share);
    for (let i = 0; i < 200; i++) m.advance(5000);
    expect(m.systemGauge().fastNs).toBeCloseTo(10 * factor, 2);
  });

  test('stay as they are where the machine does not follow load', () => {
    const m = machineOf([GIB], {
      ranges: [{ start: 0, end: 64 * MIB }],
      threads: [closedThread('t', wholeOf(0, MIB))],
    });
    m.advance(1e6);
    expect(m.systemGauge().fastNs).toBe(10);
  });

  test.each([['bandwidth'], ['loaded-dram']])('of closed loops settle on the machine %s', (name) => {
    const m = createPreset(name, { seed: 1 });
    for (let i = 0; i < 400; i++) m.advance(5000);
    const times = Array.from({ length: 20 }, () => {
      m.advance(5000);
      return m.systemGauge().fastNs;
    });
    expect(Math.max(...times) / Math.min(...times)).toBeLessThan(1.01);
  });

  test('leave a node no more than its bandwidth, however much a closed loop wants', () => {
    const m = createPreset('bandwidth', { seed: 1 });
    for (let i = 0; i < 400; i++) m.advance(5000);
    const { accesses } = m.truth.totals();
    m.advance(1e6);
    // All of it lies in DRAM, which gives 30 GB/s; the program would read 150.
    const bytesPerS = (m.truth.totals().accesses - accesses) * 64;
    expect(bytesPerS).toBeLessThan(30e9);
    expect(bytesPerS).toBeGreaterThan(28e9);
  });

  test('of a node that does not exist are not told', () => {
    expect(machineOf([GIB], idle(MIB)).systemGauge().slowNs).toBeNaN();
    expect(machineOf([GIB, GIB], idle(MIB)).systemGauge().slowNs).toBe(30);
  });
});

describe('ping-pong', () => {
  const upAndDown = (waitS: number, back: 'migrate_cold' | 'pageout') => {
    const m = machineOf([GIB, GIB], { ranges: [{ start: 0, end: 64 * MIB, nid: 1 }], threads: [] }, SWAP);
    act(m, 'migrate_hot', 0, 8 * MIB, 0);
    expect(m.moves.pingPongBytes).toBe(0);
    m.advance(waitS * 1e6);
    act(m, back, 0, 4 * MIB, back === 'pageout' ? -1 : 1);
    return m;
  };

  test('is memory that goes up and down within a minute', () => {
    expect(upAndDown(58, 'migrate_cold').moves.pingPongBytes).toBe(4 * MIB);
    expect(upAndDown(62, 'migrate_cold').moves.pingPongBytes).toBe(0);
  });

  test('is not what is paged out, nor what goes the same way twice', () => {
    expect(upAndDown(1, 'pageout').moves.pingPongBytes).toBe(0);
    const m = machineOf([GIB, GIB, GIB], { ranges: [{ start: 0, end: MIB, nid: 2 }], threads: [] });
    act(m, 'migrate_hot', 0, MIB, 1);
    act(m, 'migrate_hot', 0, MIB, 0);
    expect(m.moves.pingPongBytes).toBe(0);
    act(m, 'migrate_cold', 0, MIB, 2);
    expect(m.moves.pingPongBytes).toBe(MIB);
  });
});

describe('bandwidth', () => {
  test('is not saved up while requests fail', () => {
    // 1 MiB/s; a request for a hole of a GiB fails for a while, then real work comes.
    const m = machineOf(
      [GIB, GIB],
      { ranges: [{ start: 0, end: 512 * MIB, nid: 1 }], threads: [] },
      { migrationBytesPerS: 10 * MIB },
    );
    m.submit({ action: 'migrate_hot', start: 600 * MIB, end: 605 * MIB, targetNid: 0, tag: 0 });
    m.submit({ action: 'migrate_hot', start: 0, end: 512 * MIB, targetNid: 0, tag: 1 });
    const perStep: number[] = [];
    for (let i = 0; i < 200; i++) {
      const before = m.moves.promotedBytes;
      m.advance(10_000);
      perStep.push(m.moves.promotedBytes - before);
    }
    expect(Math.max(...perStep)).toBeLessThanOrEqual(0.1 * MIB + PAGE_SIZE);
    expect(perStep.at(-1)).toBeGreaterThan(0.1 * MIB - PAGE_SIZE);
  });
});

describe('reclaim beside a migration', () => {
  test('may take the memory that is about to be moved: it is looked at again before it moves', () => {
    const pages = (start: number, end: number, nid: number) => ({
      start: start * PAGE_SIZE,
      end: end * PAGE_SIZE,
      nid,
    });
    // DRAM and the second node are filled to their high watermarks.
    const m = machineOf(
      [1000 * PAGE_SIZE, 900 * PAGE_SIZE, 2000 * PAGE_SIZE],
      { ranges: [pages(0, 977, 0), pages(977, 1855, 1), pages(1855, 2100, 2)], threads: [] },
      { kswapdBytesPerS: 20 * MIB },
    );
    const balance = new MemoryBalance(m);
    const submit = (start: number, end: number, targetNid: number): void =>
      m.submit({ action: 'migrate_hot', ...pages(start, end, 0), targetNid, tag: 0 });
    // The second node is full then, and the reclaim of DRAM awake: it takes the coldest, pages 0 to 9.
    submit(1900, 1908, 1);
    submit(2000, 2006, 0);
    submit(0, 200, 1);
    m.advance(10_000);
    expect(m.moves.reclaimDemotedBytes).toBeGreaterThan(0);
    expect(sumOf(collected(m))).toBe(214 * PAGE_SIZE);
    balance.check();
  });
});

describe('scripts of actions', () => {
  const step = fc.record({
    action: fc.constantFrom(
      'migrate_hot' as const,
      'migrate_cold' as const,
      'pageout' as const,
      'willneed' as const,
      'cold' as const,
      'lru_prio' as const,
      'lru_deprio' as const,
    ),
    start: fc.nat({ max: 2300 }),
    pages: fc.integer({ min: 1, max: 900 }),
    nid: fc.nat({ max: 2 }),
    waitUs: fc.nat({ max: 40_000 }),
  });
  propTest.prop(
    [fc.array(step, { minLength: 1, maxLength: 40 }), fc.constantFrom(0, 4 * MIB, GIB), fc.boolean()],
    {
      numRuns: 300,
    },
  )(
    'lose and make no memory, and answer for every byte that was asked for',
    (steps, kswapdBytesPerS, isUsed) => {
      const m = machineOf(
        [1000 * PAGE_SIZE, 900 * PAGE_SIZE, 800 * PAGE_SIZE],
        {
          // 2200 pages, with a hole behind them that scripts also ask about.
          ranges: [{ start: 0, end: 2200 * PAGE_SIZE }],
          threads: isUsed ? [steadyThread(100 * PAGE_SIZE, 600 * PAGE_SIZE, 20)] : [],
        },
        { kswapdBytesPerS, swapBytesPerS: 200 * MIB, systemBytes: [50 * PAGE_SIZE] },
      );
      const capacity = [950, 900, 800].map((pages) => pages * PAGE_SIZE);
      const balance = new MemoryBalance(m);
      const asked = new Map<
        number,
        { start: number; end: number; answered: [number, number][]; isHint: boolean; applied: number }
      >();
      const take = (): void => {
        for (const { tag, start, end, outcome, cpuNs } of collected(m)) {
          const request = asked.get(tag);
          if (request === undefined) throw new Error(`nobody asked for ${tag}`);
          request.answered.push([start, end]);
          const pages = (end - start) / PAGE_SIZE;
          expect(pages).toBeGreaterThan(0);
          expect(cpuNs > 0).toBe(outcome === 'applied');
          expect(cpuNs).toBeLessThanOrEqual(pages * 8000);
        }
      };
      steps.forEach(({ action, start, pages, nid, waitUs }, tag) => {
        const range = { start: start * PAGE_SIZE, end: (start + pages) * PAGE_SIZE };
        asked.set(tag, { ...range, answered: [], isHint: action.startsWith('lru'), applied: 0 });
        m.submit({ action, ...range, targetNid: action.startsWith('migrate') ? nid : -1, tag });
        m.advance(waitUs);
        take();
        balance.check();
        const on = bytesOn(m, 0, 2200 * PAGE_SIZE);
        capacity.forEach((bytes, node) => {
          expect((on.get(node) ?? 0) + m.gauge(node).freeBytes).toBe(bytes);
          expect(m.gauge(node).freeBytes).toBeGreaterThanOrEqual(0);
        });
      });
      for (let i = 0; m.pendingBytes() > 0 && i < 1000; i++) m.advance(100_000);
      take();
      expect(m.pendingBytes()).toBe(0);
      for (const { start, end, answered } of asked.values()) {
        let at = start;
        for (const [from, to] of answered) {
          expect(from).toBe(at);
          at = to;
        }
        expect(at).toBe(end);
      }
    },
  );
});
