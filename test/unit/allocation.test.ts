import { fc, test as propTest } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { openThread, wholeOf } from '../../src/machines/simulated/presets/preset.ts';
import type { Phase, WorkloadRange, WorkThread } from '../../src/machines/simulated/workload.ts';
import { PAGE_SIZE } from '../../src/memory/range.ts';
import { ADISTANCE_DRAM, abstractDistance, tierOf } from '../../src/memory/tier.ts';
import { bytesOn, MIB, machineOf, nodesOf } from './machine-fakes.ts';

const GIB = 2 ** 30;
/** Of a node of 1 GiB, whose low watermark is at 8 MiB free. */
const FULL = 1000 * MIB;

/** A thread that goes through the phases given. */
function threadOf(phases: readonly Phase[], more: Partial<WorkThread> = {}): WorkThread {
  return {
    name: 'worker',
    nid: 0,
    loadShare: 0.5,
    pace: { kind: 'closed' },
    phaseCount: phases.length,
    phase: (index) => phases[index],
    ...more,
  };
}

const wait = (forUs: number): Phase => ({ areas: [], accesses: Number.POSITIVE_INFINITY, forUs });
const touch = (start: number, end: number, bytesPerS: number, nid?: number): Phase => ({
  areas: [],
  accesses: Number.POSITIVE_INFINITY,
  allocates: { start, end, bytesPerS, ...(nid === undefined ? {} : { nid }) },
});

/** 1 GiB of each, of which `usedBytes` are populated and `lateBytes` wait to be allocated. */
function machine(usedBytes: number, lateBytes: number, phases: readonly Phase[], kswapd = 0) {
  const ranges: WorkloadRange[] = [
    { start: 0, end: usedBytes, nid: 0 },
    { start: usedBytes, end: usedBytes + lateBytes, isLate: true },
  ];
  return machineOf(
    [GIB, GIB],
    { ranges, threads: [threadOf(phases)], durationUs: Number.POSITIVE_INFINITY },
    { kswapdBytesPerS: kswapd },
  );
}

describe('memory that is allocated while the machine runs', () => {
  const late = 64 * MIB;

  test('is nowhere before its time, and comes at the rate given from then on', () => {
    const m = machine(0.5 * GIB, late, [wait(1e6), touch(0.5 * GIB, 0.5 * GIB + late, late)]);
    m.advance(1e6);
    expect(m.moves.allocatedBytes).toBe(0);
    m.advance(0.5e6);
    expect(m.moves.allocatedBytes / late).toBeCloseTo(0.5, 2);
    m.advance(10e6);
    expect(m.isDone()).toBe(true);
    expect(m.truth.completionSeconds()).toBeCloseTo(2, 2);
    expect(bytesOn(m, 0.5 * GIB, 0.5 * GIB + late)).toEqual(new Map([[0, late]]));
  });

  test('is seen accessed by no check before it is there', () => {
    const start = 0.5 * GIB;
    const m = machineOf([GIB, GIB], {
      ranges: [
        { start: 0, end: start },
        { start, end: start + late, isLate: true },
      ],
      threads: [openThread('eager', wholeOf(start, start + late), 1e9)],
    });
    m.preparePull(Float64Array.of(start, start + PAGE_SIZE), 2);
    m.advance(1e6);
    const hits = new Uint8Array(2);
    m.readPull(hits);
    expect([...hits]).toEqual([0, 0]);
  });

  test('comes from the next node where the nearest is at its low watermark, and nobody demotes', () => {
    const m = machine(FULL, late, [touch(FULL, FULL + late, GIB)], GIB);
    m.advance(1e6);
    expect(m.moves.allocatedBytes).toBe(late);
    expect(m.moves.reclaimDemotedBytes).toBe(0);
    expect(m.gauge(0).freeBytes).toBeGreaterThanOrEqual(m.watermarks(0).lowBytes);
    expect(bytesOn(m, FULL, FULL + late).get(1)).toBeGreaterThan(0);
  });

  test('that may lie on one node only wakes kswapd, and below min demotes at the expense of its thread', () => {
    const fast = machine(FULL, late, [touch(FULL, FULL + late, 16 * GIB, 0)], 16 * MIB);
    fast.advance(10e6);
    expect(fast.moves.directDemotedBytes).toBeGreaterThan(late / 2);
    expect(fast.moves.allocationStallUs).toBeCloseTo((fast.moves.directDemotedBytes / PAGE_SIZE) * 8, 3);
    expect(fast.truth.completionSeconds()).toBeGreaterThan(late / (16 * GIB));
    expect(bytesOn(fast, FULL, FULL + late)).toEqual(new Map([[0, late]]));
    // One that kswapd can keep up with pays nothing.
    const slow = machine(FULL, late, [touch(FULL, FULL + late, 16 * MIB, 0)], GIB);
    slow.advance(10e6);
    expect(slow.moves.directDemotedBytes).toBe(0);
    expect(slow.moves.reclaimDemotedBytes).toBeGreaterThan(0);
    expect(slow.moves.allocatedBytes).toBe(late);
  });

  test('ends the thread where nothing can be demoted, and says so', () => {
    const m = machine(FULL, late, [touch(FULL, FULL + late, GIB, 0)]);
    m.advance(10e6);
    expect(m.isDone()).toBe(true);
    expect(m.warnings().join()).toMatch(/out of memory: worker was ended/);
  });

  const steps = fc.array(fc.record({ kib: fc.integer({ min: 4, max: 65_536 }), isBound: fc.boolean() }), {
    minLength: 1,
    maxLength: 12,
  });
  propTest.prop([steps, fc.integer({ min: 1, max: 1000 }), fc.constantFrom(0, 64 * MIB, GIB)], {
    numRuns: 100,
  })('loses no byte, and puts no node above its capacity', (parts, usedMib, kswapd) => {
    const used = usedMib * MIB;
    let end = used;
    const phases = parts.map(({ kib, isBound }) => {
      const start = end;
      end += Math.ceil(kib / 4) * PAGE_SIZE;
      return touch(start, end, GIB, isBound ? 0 : undefined);
    });
    const m = machine(used, end - used, phases, kswapd);
    while (!m.isDone()) {
      m.advance(20_000);
      let placed = 0;
      for (const [nid, bytes] of bytesOn(m, 0, end)) {
        if (nid > 1) continue;
        placed += bytes;
        const { totalBytes, freeBytes } = m.gauge(nid);
        expect(freeBytes).toBeGreaterThanOrEqual(0);
        expect(bytes).toBe(totalBytes - freeBytes);
      }
      expect(placed).toBe(used + m.moves.allocatedBytes);
    }
    if (m.warnings().length === 0) expect(m.moves.allocatedBytes).toBe(end - used);
  });
});

describe('threads', () => {
  const area = { areas: wholeOf(0, MIB), accesses: 1e8 };
  const run = (more: Partial<WorkThread>, phases: readonly Phase[] = [area]) =>
    machineOf([GIB, GIB], {
      ranges: [{ start: 0, end: MIB }],
      threads: [threadOf(phases, more)],
      durationUs: Number.POSITIVE_INFINITY,
    });

  // An access takes 10 ns, so 1e8 of them take 1 s.
  test.each([
    [{}, 1],
    [{ count: 8 }, 1 / 8],
    [{ inFlight: 4 }, 1 / 4],
    [{ computeNs: 30 }, 4],
    [{ count: 2, inFlight: 5, computeNs: 8 }, 0.5],
  ])('with %j end after %d s, as predicted', (more, seconds) => {
    const m = run(more);
    while (!m.isDone()) m.advance(5000);
    expect(m.truth.completionSeconds()).toBeCloseTo(seconds, 6);
    expect(m.truth.baseline().staticSeconds).toBeCloseTo(seconds, 6);
    expect(m.truth.baseline().allFastSeconds).toBeCloseTo(seconds, 6);
  });

  test('end a phase by time, if its accesses take longer', () => {
    const m = run({}, [{ ...area, forUs: 0.25e6 }, wait(0.5e6), area]);
    while (!m.isDone()) m.advance(5000);
    expect(m.truth.completionSeconds()).toBeCloseTo(1.75, 6);
    expect(m.truth.totals().accesses).toBeCloseTo(1.25e8, 0);
    expect(m.truth.baseline().staticSeconds).toBeCloseTo(1.75, 6);
  });

  test('that are told as one share what one CPU loses', () => {
    const m = run({ count: 4 });
    m.lab.charge(100_000);
    while (!m.isDone()) m.advance(5000);
    expect(m.truth.completionSeconds()).toBeCloseTo(0.25 + 0.025, 6);
  });
});

test('memory is taken from the node of the CPUs before faster memory, and from that before slower', () => {
  const [dram, cxl] = nodesOf([64 * MIB, 64 * MIB]);
  const distance = abstractDistance({ latency: 121, bandwidth: 1000 }, { latency: 110, bandwidth: 250 });
  expect(distance).toBe(158);
  const hbm = { ...cxl, nid: 2, kind: 'HBM' as const, adistance: distance };
  expect(tierOf(hbm)).toBe(1);
  expect(dram.adistance).toBe(ADISTANCE_DRAM);
  const m = machineOf(
    [],
    { ranges: [{ start: 0, end: 150 * MIB }], threads: [] },
    {},
    { nodes: [dram, cxl, hbm] },
  );
  const order: number[] = [];
  m.placement(0, 150 * MIB, (_start, _end, nid) => order.push(nid));
  expect(order).toEqual([0, 2, 1]);
});
