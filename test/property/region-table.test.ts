import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { PAGE_SIZE } from '../../src/memory/range.ts';
import { mergeDown } from '../../src/monitor/merge.ts';
import { BINS, type RegionTable } from '../../src/monitor/region-table.ts';
import { splitByEvidence } from '../../src/monitor/split.ts';
import { rangesArbitrary, regionTableArbitrary } from '../../src/testing/index.ts';

interface Totals {
  readonly hits: number;
  readonly trials: number;
  readonly pushes: number;
  readonly nowTrials: number;
  readonly bytes: number;
}

function totals(table: RegionTable): Totals {
  const sum = { hits: 0, trials: 0, pushes: 0, nowTrials: 0, bytes: 0 };
  for (let i = 0; i < table.count; i++) {
    const slot = table.order[i];
    sum.hits += table.sumBins(table.binHits, slot);
    sum.trials += table.sumBins(table.binTrials, slot);
    sum.pushes += table.sumBins(table.binPushes, slot);
    sum.nowTrials += table.nowTrials[slot];
    sum.bytes += table.end[slot] - table.start[slot];
  }
  return sum;
}

function expectSame(after: Totals, before: Totals): void {
  expect(after.bytes).toBe(before.bytes);
  for (const key of ['hits', 'trials', 'pushes', 'nowTrials'] as const) {
    // Sums of 32-bit floats.
    expect(Math.abs(after[key] - before[key])).toBeLessThanOrEqual(1e-4 * (1 + before[key]));
  }
}

describe('evidence is conserved', () => {
  test.prop([regionTableArbitrary(), fc.nat(), fc.double({ min: 0, max: 1, noNaN: true })], { numRuns: 500 })(
    'by a split anywhere, which copies age and rate',
    (table, pick, at) => {
      const i = pick % table.count;
      const slot = table.order[i];
      const units = (table.end[slot] - table.start[slot]) / PAGE_SIZE;
      fc.pre(units >= 2 && table.count < table.capacity);
      const before = totals(table);
      const age = table.age[slot];
      const exposure = table.exposureS[slot];
      table.split(i, table.start[slot] + (1 + Math.floor(at * (units - 2))) * PAGE_SIZE);
      expectSame(totals(table), before);
      for (const part of [table.order[i], table.order[i + 1]]) {
        expect(table.age[part]).toBe(age);
        expect(table.exposureS[part]).toBe(exposure);
      }
    },
  );

  test.prop([regionTableArbitrary(), fc.nat()], { numRuns: 500 })(
    'by a merge, whose age is the size-weighted mean of both',
    (table, pick) => {
      fc.pre(table.count >= 2);
      const i = pick % (table.count - 1);
      const [a, b] = [table.order[i], table.order[i + 1]];
      fc.pre(table.end[a] === table.start[b]);
      const before = totals(table);
      const [aSz, bSz] = [table.end[a] - table.start[a], table.end[b] - table.start[b]];
      const age = Math.floor((table.age[a] * aSz + table.age[b] * bSz) / (aSz + bSz));
      table.merge(i);
      expectSame(totals(table), before);
      expect(table.age[table.order[i]]).toBe(age);
    },
  );

  test.prop([regionTableArbitrary(), fc.integer({ min: 1, max: 24 })], { numRuns: 300 })(
    'by merging down and splitting by evidence, within the bounds',
    (table, target) => {
      const before = totals(table);
      mergeDown(table, target, Number.POSITIVE_INFINITY);
      expectSame(totals(table), before);
      splitByEvidence(table);
      expectSame(totals(table), before);
      for (let i = 0; i < table.count; i++) {
        for (let b = table.order[i] * BINS; b < (table.order[i] + 1) * BINS; b++) {
          expect(table.binHits[b]).toBeGreaterThanOrEqual(0);
          expect(table.binPushes[b]).toBeGreaterThanOrEqual(0);
          expect(table.binHits[b]).toBeLessThanOrEqual(table.binTrials[b] * (1 + 1e-4) + 1e-3);
        }
      }
      expect(table.count).toBeLessThanOrEqual(table.capacity);
    },
  );

  test.prop([regionTableArbitrary()], { numRuns: 200 })('merge undoes split on coverage', (table) => {
    const layout = () =>
      Array.from({ length: table.count }, (_, i) => [table.start[table.order[i]], table.end[table.order[i]]]);
    const before = layout();
    const i = before.findIndex(([start, end]) => end - start >= 2 * PAGE_SIZE);
    fc.pre(i >= 0 && table.count < table.capacity);
    table.split(i, table.start[table.order[i]] + PAGE_SIZE);
    table.merge(i);
    expect(layout()).toEqual(before);
  });
});

describe('setRanges', () => {
  test.prop([regionTableArbitrary(64), rangesArbitrary({ maxRanges: 3, maxUnits: 64 })], { numRuns: 300 })(
    'keeps the evidence of memory that stays, and makes none',
    (table, ranges) => {
      mergeDown(table, 10, Number.POSITIVE_INFINITY);
      const before = totals(table);
      const kept = new Map<number, number>();
      for (let i = 0; i < table.count; i++) {
        const slot = table.order[i];
        const isInside = ranges.some(
          (range) => range.start <= table.start[slot] && table.end[slot] <= range.end,
        );
        if (isInside) kept.set(table.start[slot], table.sumBins(table.binTrials, slot));
      }
      table.setRanges(ranges, 20);
      const after = totals(table);
      expect(after.trials).toBeLessThanOrEqual(before.trials * (1 + 1e-4) + 1e-3);
      for (let i = 0; i < table.count; i++) {
        const slot = table.order[i];
        const trials = kept.get(table.start[slot]);
        if (trials !== undefined) expect(table.sumBins(table.binTrials, slot)).toBeCloseTo(trials, 2);
      }
    },
  );
});
