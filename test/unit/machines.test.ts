import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { fc, test as propTest } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import type { Machine } from '../../src/machines/machine.ts';
import { footprintRanges } from '../../src/machines/replayed/footprint.ts';
import { openReplay } from '../../src/machines/replayed/open-replay.ts';
import { createPreset } from '../../src/machines/simulated/presets/index.ts';
import { SimulatedMachine } from '../../src/machines/simulated/simulated-machine.ts';
import type { Workload } from '../../src/machines/simulated/workload.ts';
import { createAccessBatch } from '../../src/memory/access-batch.ts';
import { ThermoError } from '../../src/memory/error.ts';
import { RandomStream } from '../../src/memory/random.ts';
import { PAGE_SIZE } from '../../src/memory/range.ts';
import { ADISTANCE_DRAM, abstractDistance, type MemoryNode, resolveTier } from '../../src/memory/tier.ts';
import { MemoryBalance } from '../../src/testing/index.ts';

const GIB = 2 ** 30;
const MIB = 2 ** 20;

function nodes(fastBytes: number, slowBytes: number): readonly MemoryNode[] {
  const dram = { latency: 100, bandwidth: 100e9 };
  return [
    {
      nid: 0,
      kind: 'DRAM',
      capacityBytes: fastBytes,
      hasCpus: true,
      accessNs: 10,
      bandwidthBytesPerS: 100e9,
      adistance: ADISTANCE_DRAM,
    },
    {
      nid: 1,
      kind: 'CXL',
      capacityBytes: slowBytes,
      hasCpus: false,
      accessNs: 30,
      bandwidthBytesPerS: 25e9,
      adistance: abstractDistance({ latency: 250, bandwidth: 25e9 }, dram),
    },
  ];
}

/** One hot area in `bytes`, at a fixed rate per page. */
function openWorkload(bytes: number, hot: { start: number; end: number }, ratePerPage: number): Workload {
  return {
    name: 'one hot area',
    ranges: [{ start: 0, end: bytes }],
    durationUs: 60e6,
    threads: [
      {
        name: 'hot',
        nid: 0,
        loadShare: 0.25,
        pace: { kind: 'open', accessesPerS: (ratePerPage * (hot.end - hot.start)) / PAGE_SIZE },
        phaseCount: 1,
        phase: () => ({ accesses: Number.POSITIVE_INFINITY, areas: [{ ...hot, share: 1 }] }),
      },
    ],
  };
}

function machineWith(workload: Workload, fastBytes: number, slowBytes: number, kswapd = 0): SimulatedMachine {
  return new SimulatedMachine({
    name: 'test',
    nodes: nodes(fastBytes, slowBytes),
    mover: { migrationBytesPerS: GIB, kswapdBytesPerS: kswapd, systemBytes: [], useWatermarks: true },
    workload,
    push: { kind: 'period', accesses: 100 },
    sampledShare: 1,
    seed: 5,
  });
}

describe('seed-test-2', () => {
  test('predicts the posted 628 s without migration and 418 s with everything in DRAM', () => {
    const { staticSeconds, allFastSeconds, staticFastTierShare } = createPreset('seed-test-2', {
      seed: 1,
    }).truth.baseline();
    expect(staticSeconds).toBeGreaterThan(626);
    expect(staticSeconds).toBeLessThan(630);
    expect(allFastSeconds).toBeGreaterThan(417);
    expect(allFastSeconds).toBeLessThan(419);
    expect(1 - staticFastTierShare).toBeCloseTo(0.336, 2);
  });

  test('without any scheme ends after exactly the predicted time, with the posted number of samples', () => {
    const machine = createPreset('seed-test-2', { seed: 1 });
    const batch = createAccessBatch(65536);
    let samples = 0;
    while (!machine.isDone()) {
      machine.advance(1e6);
      machine.drainPush(batch);
      samples += batch.count + batch.dropped;
    }
    const { accesses } = machine.truth.totals();
    expect(accesses).toBeCloseTo(25_769_803_776, -2);
    expect(machine.truth.completionSeconds()).toBeCloseTo(machine.truth.baseline().staticSeconds, 3);
    expect(samples / 1_904_619).toBeCloseTo(1, 2);
  });

  test.each([[1], [2.5 * GIB], [2 * GIB]])('refuses a size of %d bytes', (sizeBytes) => {
    expect(() => createPreset('seed-test-2', { seed: 1, sizeBytes })).toThrow(ThermoError);
  });

  test('an unknown machine gets the nearest name', () => {
    expect(() => createPreset('sed-test-2', { seed: 1 })).toThrow(/no machine/);
    try {
      createPreset('sed-test-2', { seed: 1 });
    } catch (error) {
      expect((error as ThermoError).hint).toMatch(/did you mean "seed-test-2"/);
    }
  });
});

describe('evidence of the simulated machine', () => {
  const hot = { start: 100 * MIB, end: 200 * MIB };

  test('a checked page is found accessed with P = 1 - exp(-rate x time), pages outside never', () => {
    const machine = machineWith(openWorkload(GIB, hot, 94), 2 * GIB, GIB);
    const random = new RandomStream(1, 'test');
    const addresses = new Float64Array(2000);
    let [hits, trials, cold] = [0, 0, 0];
    for (let round = 0; round < 20; round++) {
      for (let i = 0; i < 2000; i++) addresses[i] = random.below(GIB / PAGE_SIZE) * PAGE_SIZE;
      addresses.sort();
      machine.preparePull(addresses, 2000);
      machine.advance(5000);
      const found = new Uint8Array(2000);
      machine.readPull(found);
      addresses.forEach((address, i) => {
        const isHot = address >= hot.start && address < hot.end;
        if (isHot) {
          trials++;
          hits += found[i];
        } else cold += found[i];
      });
    }
    expect(cold).toBe(0);
    expect(Math.abs(hits / trials - 0.375)).toBeLessThan(5 * Math.sqrt((0.375 * 0.625) / trials));
  });

  test('samples are as many as exposure says, all in the hot area, a quarter loads', () => {
    const machine = machineWith(openWorkload(GIB, hot, 94), 2 * GIB, GIB);
    const batch = createAccessBatch(65536);
    machine.advance(1e6);
    machine.drainPush(batch);
    const expected = ((94 * 100 * MIB) / PAGE_SIZE) * batch.exposureS;
    expect(batch.exposureS).toBeCloseTo(0.01, 9);
    expect(Math.abs(batch.count - expected)).toBeLessThan(5 * Math.sqrt(expected));
    let stores = 0;
    for (let i = 0; i < batch.count; i++) {
      expect(batch.address[i] >= hot.start && batch.address[i] < hot.end).toBe(true);
      stores += batch.isStore[i];
    }
    expect(stores / batch.count).toBeCloseTo(0.75, 1);
  });

  test('knows the hot pages exactly', () => {
    const machine = machineWith(openWorkload(GIB, hot, 94), 2 * GIB, GIB);
    const seen: number[][] = [];
    machine.truth.forEachHot(90, (start, end) => seen.push([start, end]));
    expect(seen).toEqual([[hot.start, hot.end]]);
    machine.truth.forEachHot(95, () => expect.unreachable());
  });
});

describe('moving memory', () => {
  const workload = openWorkload(GIB, { start: 0, end: 64 * MIB }, 100);

  test('takes the time that the bandwidth gives', () => {
    const machine = machineWith(workload, 256 * MIB, 2 * GIB);
    machine.submit({ action: 'migrate_hot', start: 0, end: 128 * MIB, targetNid: 1, tag: 0 });
    machine.advance(62_500);
    expect(machine.moves.demotedBytes).toBe(64 * MIB);
    machine.advance(62_500);
    expect(machine.moves.demotedBytes).toBe(128 * MIB);
    expect(machine.pendingBytes()).toBe(0);
  });

  test('to a full node fails, is counted, and leaves every page where it was', () => {
    const machine = machineWith(workload, 256 * MIB, 2 * GIB);
    const before = machine.gauge(0).freeBytes;
    machine.submit({ action: 'migrate_hot', start: 512 * MIB, end: 768 * MIB, targetNid: 0, tag: 3 });
    for (let i = 0; i < 100; i++) machine.advance(10_000);
    const outcomes = new Map<string, number>();
    machine.collect((tag, start, end, outcome) => {
      expect(tag).toBe(3);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + end - start);
    });
    // What is free above the min watermark can be used.
    expect((outcomes.get('applied') ?? 0) + (outcomes.get('destination_full') ?? 0)).toBe(256 * MIB);
    expect(machine.moves.promotedBytes).toBe(outcomes.get('applied'));
    expect(machine.moves.failedBytes).toBe(outcomes.get('destination_full'));
    expect(outcomes.get('applied') ?? 0).toBeLessThanOrEqual(before);
  });

  test('kswapd makes room with the least recently used memory, not with what is in use', () => {
    const machine = machineWith(workload, 256 * MIB, 2 * GIB, GIB);
    machine.submit({ action: 'migrate_hot', start: 512 * MIB, end: 576 * MIB, targetNid: 0, tag: 0 });
    for (let i = 0; i < 100; i++) machine.advance(10_000);
    expect(machine.moves.failedBytes).toBe(0);
    expect(machine.moves.reclaimDemotedBytes).toBeGreaterThan(32 * MIB);
    machine.placement(0, 64 * MIB, (_start, _end, nid) => expect(nid).toBe(0));
  });

  const requests = fc.array(
    fc.record({
      start: fc.nat({ max: 250 }),
      pages: fc.integer({ min: 1, max: 80 }),
      nid: fc.constantFrom(0, 1),
      waitUs: fc.nat({ max: 50_000 }),
    }),
    { maxLength: 30 },
  );
  propTest.prop([requests, fc.constantFrom(0, GIB)], { numRuns: 200 })(
    'conserves the bytes of all nodes',
    (moves, kswapd) => {
      const small = openWorkload(256 * PAGE_SIZE, { start: 0, end: 16 * PAGE_SIZE }, 50);
      const machine: Machine = machineWith(small, 100 * PAGE_SIZE, 400 * PAGE_SIZE, kswapd);
      const balance = new MemoryBalance(machine);
      let asked = 0;
      let answered = 0;
      for (const { start, pages, nid, waitUs } of moves) {
        const end = Math.min(256, start + pages);
        machine.submit({
          action: 'migrate_hot',
          start: start * PAGE_SIZE,
          end: end * PAGE_SIZE,
          targetNid: nid,
          tag: 0,
        });
        asked += (end - start) * PAGE_SIZE;
        machine.advance(waitUs);
        machine.collect((_tag, from, to) => {
          answered += to - from;
        });
        balance.check();
        for (const node of machine.nodes) expect(machine.gauge(node.nid).freeBytes).toBeGreaterThanOrEqual(0);
      }
      expect(answered + machine.pendingBytes()).toBe(asked);
    },
  );
});

describe('tier names', () => {
  const machine = nodes(GIB, GIB);
  test.each([
    ['DRAM', [0]],
    ['cxl', [1]],
    ['node1', [1]],
    ['fast', [0]],
    ['slow', [1]],
  ])('%s', (name, nids) => expect(resolveTier(name, machine).map((node) => node.nid)).toEqual(nids));

  test('fast stops at DRAM even if there is HBM above it', () => {
    const hbm: MemoryNode = {
      nid: 2,
      kind: 'HBM',
      capacityBytes: GIB,
      hasCpus: false,
      accessNs: 8,
      bandwidthBytesPerS: 1e12,
      adistance: 158,
    };
    expect(resolveTier('fast', [...machine, hbm]).map((node) => node.nid)).toEqual([0]);
    expect(resolveTier('HBM', [...machine, hbm]).map((node) => node.nid)).toEqual([2]);
  });

  test('an unknown one is an error that lists what there is', () => {
    expect(() => resolveTier('HBM', machine)).toThrow(/no memory "HBM"/);
  });
});

describe('the replayed machine', () => {
  /** Page 0 and 1 alternate 20 times, then page 5 is used 60 times; 1000 instructions between accesses. */
  const trace = [
    ...Array.from({ length: 40 }, (_, i) => `999 ${(i % 2) * 4096}`),
    ...Array.from({ length: 60 }, () => `999 ${5 * 4096}`),
  ].join('\n');
  const open = (fastPages: number, data: Buffer | string = trace) =>
    openReplay({
      path: '-',
      format: 'ramulator',
      stdin: Readable.from([Buffer.from(data)]),
      includeFetches: false,
      fast: { kind: 'bytes', bytes: fastPages * 4096 },
      instructionsPerS: 1e6,
      truthWindowUs: 10_000,
      push: { kind: 'period', accesses: 1 },
      seed: 1,
    });

  test('counts exactly: first-touch placement, accesses per tier, modelled seconds', async () => {
    const machine = await open(2);
    while (!machine.isDone()) machine.advance(5000);
    expect(machine.footprintBytes).toBe(3 * 4096);
    expect(machine.truth.totals()).toEqual({ accesses: 100, fastAccesses: 40 });
    expect(machine.truth.baseline().staticFastTierShare).toBeCloseTo(0.4, 12);
    // 0.1 s of instructions; accesses of 110 and 265 ns, each standing for 1,000 at 1 M instructions/s.
    expect(machine.truth.completionSeconds()).toBeCloseTo(0.1 + (40 * 110 + 60 * 265) * 1e-6, 9);
    expect(machine.truth.baseline().allFastSeconds).toBeCloseTo(0.1 + 100 * 110 * 1e-6, 9);
  });

  test('sees the Accessed bit of pages that the trace used since it was cleared', async () => {
    const machine = await open(2);
    machine.preparePull(Float64Array.of(0, 4096, 8192, 5 * 4096), 4);
    machine.advance(1500);
    const hits = new Uint8Array(4);
    machine.readPull(hits);
    expect([...hits]).toEqual([1, 0, 0, 0]);
    machine.preparePull(Float64Array.of(0, 4096), 2);
    machine.advance(2000);
    machine.readPull(hits);
    expect([...hits.subarray(0, 2)]).toEqual([1, 1]);
  });

  test('a promoted page is fast from then on', async () => {
    const machine = await open(3);
    for (let i = 0; i < 9; i++) machine.advance(5000);
    // Page 5 found room in the fast tier; put it down and up again.
    machine.submit({ action: 'migrate_hot', start: 5 * 4096, end: 6 * 4096, targetNid: 1, tag: 0 });
    machine.advance(5000);
    const { fastAccesses } = machine.truth.totals();
    machine.advance(5000);
    expect(machine.truth.totals().fastAccesses).toBe(fastAccesses);
    machine.submit({ action: 'migrate_hot', start: 5 * 4096, end: 6 * 4096, targetNid: 0, tag: 0 });
    machine.advance(5000);
    const back = machine.truth.totals().fastAccesses;
    machine.advance(5000);
    expect(machine.truth.totals().fastAccesses).toBe(back + 5);
  });

  test('true rates are those of the last window', async () => {
    const machine = await open(3);
    machine.advance(10_000);
    const hot: number[][] = [];
    // Ten accesses in 10 ms on two pages: 500/s each.
    machine.truth.forEachHot(500, (start, end) => hot.push([start, end]));
    expect(hot).toEqual([[0, 8192]]);
  });

  test('a fast tier without a page is refused', async () => {
    await expect(open(0.5)).rejects.toThrow(/holds no page/);
  });

  test('warns of lines that it left out', async () => {
    const machine = await open(2, `${trace}\nrubbish\n`);
    expect(machine.warnings().join()).toMatch(/1 of 101 lines .* line 101/);
  });

  test('reads gzip', async () => {
    const machine = await open(2, gzipSync(trace));
    expect(machine.footprintBytes).toBe(3 * 4096);
  });

  propTest.prop([
    fc.uniqueArray(fc.oneof(fc.nat({ max: 200 }), fc.integer({ min: 0, max: 2 ** 36 })), {
      minLength: 1,
      maxLength: 200,
    }),
  ])('watches at most ten ranges that cover every page', (pages) => {
    const sorted = Float64Array.from(pages).sort();
    const ranges = footprintRanges(sorted);
    expect(ranges.length).toBeLessThanOrEqual(10);
    let last = -1;
    for (const { start, end } of ranges) {
      expect(start).toBeGreaterThan(last);
      last = end;
    }
    for (const page of sorted) {
      expect(ranges.some(({ start, end }) => page * PAGE_SIZE >= start && page * PAGE_SIZE < end)).toBe(true);
    }
  });
});
