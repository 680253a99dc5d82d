import { fc, test as propTest } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { nodeOf } from '../../src/machines/simulated/hardware.ts';
import { createMachine, simulatedConfig } from '../../src/machines/simulated/machine-spec.ts';
import { PRESET_NAMES } from '../../src/machines/simulated/presets/index.ts';
import { cxl, dram } from '../../src/machines/simulated/presets/preset.ts';
import type { SimulatedMachine } from '../../src/machines/simulated/simulated-machine.ts';
import type { Workload } from '../../src/machines/simulated/workload.ts';
import { WORKLOAD_NAMES } from '../../src/machines/simulated/workloads/index.ts';
import { hashedShares, zipfMass } from '../../src/machines/simulated/workloads/skew.ts';
import { ThermoError } from '../../src/memory/error.ts';
import { RandomStream } from '../../src/memory/random.ts';
import { PAGE_SIZE } from '../../src/memory/range.ts';
import { resolveTier, tierOf } from '../../src/memory/tier.ts';

const GIB = 2 ** 30;

/** Every phase of every thread, or some of them where there are many. */
function phasesOf({ threads }: Workload) {
  return threads.flatMap((thread) => {
    const step = Math.max(1, Math.floor(thread.phaseCount / 50));
    return Array.from({ length: Math.ceil(thread.phaseCount / step) }, (_, i) => thread.phase(i * step));
  });
}

function runToEnd(machine: SimulatedMachine): number {
  while (!machine.isDone()) machine.advance(1e6);
  return machine.truth.completionSeconds();
}

describe('named workloads', () => {
  const on = (workload: string, seed = 1, sizeBytes?: number) =>
    simulatedConfig(
      { machine: 'cxl-typical', workload },
      { seed, ...(sizeBytes === undefined ? {} : { sizeBytes }) },
    );

  test.each(WORKLOAD_NAMES)('%s: areas are whole pages inside its memory, and shares sum to 1', (name) => {
    const { workload } = on(name);
    const end = workload.ranges.at(-1)?.end ?? 0;
    for (const { areas } of phasesOf(workload)) {
      expect(areas.length).toBeLessThanOrEqual(200);
      for (const area of areas) {
        expect(area.start % PAGE_SIZE).toBe(0);
        expect(area.end % PAGE_SIZE).toBe(0);
        expect(area.start).toBeGreaterThanOrEqual(0);
        expect(area.end).toBeGreaterThan(area.start);
        expect(area.end).toBeLessThanOrEqual(end);
      }
      if (areas.length > 0) expect(areas.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 9);
    }
  });

  test.each(WORKLOAD_NAMES)(
    '%s: holds more than the fast tier, and lasts some 300 s if all is fast',
    (name) => {
      const { workload } = on(name);
      const bytes = workload.ranges.reduce((sum, { start, end }) => sum + end - start, 0);
      expect(bytes).toBeGreaterThan(62 * GIB);
      const machine = createMachine({ machine: 'cxl-typical', workload: name }, { seed: 1 });
      const { allFastSeconds, staticSeconds } = machine.truth.baseline();
      expect(allFastSeconds).toBeCloseTo(300, 0);
      expect(staticSeconds).toBeGreaterThan(allFastSeconds);
      expect(staticSeconds).toBeLessThan((allFastSeconds * 265) / 110);
    },
  );

  test.each(WORKLOAD_NAMES.filter((name) => name !== 'antagonist' && name !== 'batch'))(
    '%s: ends after the predicted time where nobody migrates',
    (name) => {
      const machine = createMachine(
        { machine: 'cxl-typical', workload: name },
        { seed: 1, push: { kind: 'off' } },
      );
      expect(runToEnd(machine)).toBeCloseTo(machine.truth.baseline().staticSeconds, 1);
    },
  );

  test.each(WORKLOAD_NAMES)('%s: the same seed gives the same accesses', (name) => {
    expect(phasesOf(on(name, 3).workload)).toEqual(phasesOf(on(name, 3).workload));
  });

  test('gups-moving: a quarter of the hot set moves, three quarters stay', () => {
    const hot = [0, 1].map((index) => {
      const { areas } = on('gups-moving').workload.threads[0].phase(index);
      return [...areas].sort((a, b) => b.share - a.share)[0];
    });
    const bytes = hot[0].end - hot[0].start;
    expect(hot[1].start - hot[0].start).toBe(bytes / 4);
    expect(hot[1].end - hot[1].start).toBe(bytes);
    expect(hot[0].share).toBeCloseTo(0.9, 9);
  });

  test('taobench on damon-post: 13 % are hot, and each minute 10 of 270 GiB of them are others', () => {
    const { workload } = simulatedConfig({ machine: 'damon-post' }, { seed: 1 });
    const [thread] = workload.threads;
    expect(workload.ranges[0].end).toBe(270 * GIB);
    expect(thread.phaseCount).toBe(5);
    const hotOf = (index: number) =>
      thread
        .phase(index)
        .areas.filter(
          (area) => area.share / (area.end - area.start) > 0.1 / (270 * GIB) + 1e-15 && area.share > 0.03,
        );
    const before = hotOf(0);
    const bytes = before.reduce((sum, { start, end }) => sum + end - start, 0);
    expect(bytes / (270 * GIB)).toBeCloseTo(0.13, 2);
    const stays = hotOf(1).filter((area) => before.some(({ start }) => start === area.start));
    const left = before.length - stays.length;
    expect((left / before.length) * bytes).toBeGreaterThan(9 * GIB);
    expect((left / before.length) * bytes).toBeLessThan(11.5 * GIB);
  });

  test('batch: the job allocates all of its memory on the fast node, and demotes for itself', () => {
    const machine = createMachine({ machine: 'cxl-typical', workload: 'batch' }, { seed: 1 });
    const seconds = runToEnd(machine);
    const late = machine.ranges()[1];
    expect(machine.moves.allocatedBytes).toBe(late.end - late.start);
    expect(machine.moves.directDemotedBytes).toBeGreaterThan(GIB);
    expect(machine.moves.allocationStallUs).toBeGreaterThan(0);
    expect(seconds).toBeGreaterThan(300);
  });

  test('an unknown one gets the nearest name, one that is too small is refused', () => {
    expect(() => on('zipf')).toThrow(/there is no workload "zipf"/);
    try {
      on('zipf-vk');
    } catch (error) {
      expect((error as ThermoError).hint).toMatch(/did you mean "zipf-kv"/);
    }
    expect(() => on('gups', 1, 128 * 2 ** 20)).toThrow(ThermoError);
  });
});

describe('popularity', () => {
  test.each([
    [1, 10, 0.99],
    [5, 1000, 0.8],
    [5, 1000, 1],
  ])('from rank %d to %d at exponent %d is the sum, within 5 %%', (first, last, exponent) => {
    let sum = 0;
    for (let rank = first; rank <= last; rank++) sum += rank ** -exponent;
    expect(zipfMass(first, last, exponent) / sum).toBeGreaterThan(0.95);
    expect(zipfMass(first, last, exponent) / sum).toBeLessThan(1.05);
  });

  propTest.prop([
    fc.integer({ min: 1, max: 100 }),
    fc.integer({ min: 1, max: 1e9 }),
    fc.double({ min: 0, max: 2, noNaN: true }),
  ])('of blocks sums to 1, and no block goes without its part of the tail', (blocks, objects, exponent) => {
    const shares = hashedShares(new RandomStream(1, 'test'), blocks, objects, exponent);
    expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 6);
    for (const share of shares) expect(share).toBeGreaterThanOrEqual(0);
  });
});

describe('machines', () => {
  test.each(PRESET_NAMES)('%s takes every workload that fits', (machine) => {
    for (const workload of WORKLOAD_NAMES) {
      const { nodes } = simulatedConfig({ machine }, { seed: 1 });
      // Without a second tier there is nowhere to demote to, and nothing to place.
      if (nodes.every((node) => tierOf(node) === tierOf(nodes[0]))) continue;
      const made = createMachine({ machine, workload }, { seed: 1 });
      expect(made.name).toBe(machine);
      expect(made.isDone()).toBe(false);
    }
  });

  test.each([
    ['cxl-fast', 190],
    ['cxl-typical', 265],
    ['cxl-slow', 400],
  ])('%s: DRAM of 110 ns, CXL of %d ns', (machine, latencyNs) => {
    const { nodes } = simulatedConfig({ machine }, { seed: 1 });
    expect(nodes.map(({ accessNs }) => accessNs)).toEqual([110, latencyNs]);
    expect(nodes[0].adistance).toBe(576);
    expect(tierOf(nodes[1])).toBeGreaterThan(tierOf(nodes[0]));
  });

  test('hbm: above DRAM at distance 158, yet promotions end in DRAM unless HBM is named', () => {
    const { nodes } = simulatedConfig({ machine: 'hbm' }, { seed: 1 });
    expect(nodes.map(({ adistance }) => adistance).slice(0, 2)).toEqual([576, 158]);
    expect(resolveTier('fast', nodes).map(({ kind }) => kind)).toEqual(['DRAM']);
    expect(resolveTier('hbm', nodes).map(({ nid }) => nid)).toEqual([1]);
  });

  test('sk-hynix: 28.7 of 52 GiB of Redis begin on CXL, and all-slow takes the posted 1.19 times as long', () => {
    const machine = createMachine({ machine: 'sk-hynix' }, { seed: 1 });
    expect(machine.memcgBytes('/redis', 1) / GIB).toBeCloseTo(28.7, 0);
    const { staticSeconds, allFastSeconds } = machine.truth.baseline();
    expect(allFastSeconds).toBeCloseTo(300, 3);
    // Posted for the default policy: 1.11.
    expect(staticSeconds / allFastSeconds).toBeCloseTo(1.11, 1);
    expect((706 + 265) / (706 + 110)).toBeCloseTo(1.19, 2);
  });

  test('--size scales a machine with its workload', () => {
    const full = simulatedConfig({ machine: 'sk-hynix' }, { seed: 1 });
    const tenth = simulatedConfig({ machine: 'sk-hynix' }, { seed: 1, sizeBytes: 55.5 * GIB });
    expect(tenth.nodes[0].capacityBytes / full.nodes[0].capacityBytes).toBeCloseTo(0.1, 2);
  });

  test('nodes have the distances that the kernel gives them', () => {
    expect(nodeOf(1, cxl(GIB), dram(GIB)).adistance).toBe(13870);
  });
});
