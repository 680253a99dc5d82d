import { test as propTest } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { recordedWorkload } from '../../src/machines/replayed/recorded-workload.ts';
import { cxlNode, dramNode } from '../../src/machines/simulated/presets/preset.ts';
import { SimulatedMachine } from '../../src/machines/simulated/simulated-machine.ts';
import type { Workload } from '../../src/machines/simulated/workload.ts';
import { type RegionRecord, UNKNOWN_HEAD } from '../../src/memory/region-record.ts';
import { arbitraryRecord } from './region-record-arbitraries.ts';

type Row = readonly [pages: number, nrAccesses: number];

/** Snapshots of a tenth of a second, 20 samples in it; regions follow each other from 0 on. */
function recordOf(snapshots: readonly (readonly Row[])[]): RegionRecord {
  return {
    head: UNKNOWN_HEAD,
    snapshots: snapshots.map((rows, i) => {
      const ends = rows.map((_, row) =>
        rows.slice(0, row + 1).reduce((sum, [pages]) => sum + pages * 4096, 0),
      );
      return {
        startNs: BigInt(i) * 100_000_000n,
        endNs: BigInt(i + 1) * 100_000_000n,
        count: rows.length,
        start: Float64Array.from(rows, ([pages], row) => ends[row] - pages * 4096),
        end: Float64Array.from(ends),
        nrAccesses: Float64Array.from(rows, ([, nrAccesses]) => nrAccesses),
        age: new Float64Array(rows.length),
        szFilterPassed: new Float64Array(rows.length).fill(Number.NaN),
        sampleUs: 5_000,
        aggrUs: 100_000,
        ageUnitUs: 100_000,
        maxNrAccesses: 20,
        totalBytes: null,
        damosStats: null,
      };
    }),
  };
}

/** Accesses of all threads to the page at `address`, over all their phases. */
function accessesTo(workload: Workload, address: number): number {
  let sum = 0;
  for (const { pace, phaseCount, phase } of workload.threads) {
    for (let i = 0; i < phaseCount; i++) {
      const { areas, forUs = 0 } = phase(i);
      for (const { start, end, share } of areas) {
        if (address < start || address >= end || pace.kind !== 'open') continue;
        sum += (pace.accessesPerS * (forUs / 1e6) * share * 4096) / (end - start);
      }
    }
  }
  return sum;
}

describe('a record as a workload', () => {
  test('gives each page the rate at which it would be seen accessed so often', () => {
    const workload = recordedWorkload(
      recordOf([
        [
          [10, 5],
          [30, 0],
          [20, 10],
        ],
        [[60, 1]],
      ]),
      'x',
    );
    const rate = (hits: number): number => -Math.log(1 - hits / 20) / 0.005;
    expect(accessesTo(workload, 0)).toBeCloseTo((rate(5) + rate(1)) / 10, 6);
    expect(accessesTo(workload, 20 * 4096)).toBeCloseTo(rate(1) / 10, 6);
    expect(accessesTo(workload, 45 * 4096)).toBeCloseTo((rate(10) + rate(1)) / 10, 6);
    expect(workload.durationUs).toBe(200_000);
    expect(workload.ranges).toEqual([{ start: 0, end: 60 * 4096 }]);
  });

  test('takes where all samples hit the least that they can tell', () => {
    const workload = recordedWorkload(recordOf([[[10, 20]], [[10, 0]]]), 'x');
    expect(accessesTo(workload, 0)).toBeCloseTo(Math.log(42) / 0.005 / 10, 6);
  });

  test('goes on for a minute where there is one snapshot', () => {
    expect(recordedWorkload(recordOf([[[10, 1]]]), 'x').durationUs).toBe(60e6);
  });

  test('ends on a machine, though rounding leaves a rest of the last phase', () => {
    const rows = Array.from({ length: 97 }, (_, i): Row[] => [
      [100 + i, 1 + (i % 19)],
      [50, i % 3],
    ]);
    const machine = new SimulatedMachine({
      name: 'small',
      nodes: [dramNode(0, 2 ** 24), cxlNode(1, 2 ** 26)],
      mover: {
        migrationBytesPerS: 2 ** 30,
        kswapdBytesPerS: 2 ** 30,
        systemBytes: [0, 0],
        useWatermarks: true,
      },
      workload: recordedWorkload(recordOf(rows), 'x'),
      push: { kind: 'off' },
      sampledShare: 1,
      seed: 1,
    });
    for (let i = 0; i < 3000 && !machine.isDone(); i++) machine.advance(5_000);
    expect(machine.isDone()).toBe(true);
    expect(machine.nowUs()).toBeCloseTo(9.7e6, 3);
  });

  propTest.prop([arbitraryRecord], { numRuns: 100 })(
    'has phases whose shares add up, inside its ranges',
    (record) => {
      const workload = recordedWorkload(record, 'x');
      for (const { phaseCount, phase } of workload.threads) {
        let us = 0;
        for (let i = 0; i < phaseCount; i++) {
          const { areas, forUs = Number.NaN } = phase(i);
          us += forUs;
          expect(forUs).toBeGreaterThan(0);
          if (areas.length === 0) continue;
          expect(areas.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 9);
          for (const { start, end } of areas) {
            expect(workload.ranges.some((range) => start >= range.start && end <= range.end)).toBe(true);
          }
        }
        expect(us / workload.durationUs).toBeCloseTo(1, 9);
      }
    },
  );
});
