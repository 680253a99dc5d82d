import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { PAGE_SIZE } from '../../src/memory/range.ts';
import { BINS, binCount, binPages, binSpan, binStart, shiftFor } from '../../src/monitor/bins.ts';
import { mergeDown } from '../../src/monitor/merge.ts';
import { HITS, PUSHES, type RegionTable, TRIALS } from '../../src/monitor/region-table.ts';
import { splitByEvidence } from '../../src/monitor/split.ts';
import { rangesArbitrary, regionTableArbitrary } from '../../src/testing/index.ts';

interface Totals {
  readonly hits: number;
  readonly trials: number;
  readonly pushes: number;
  readonly bytes: number;
}

function binTotals(table: RegionTable): Totals {
  const sum = { hits: 0, trials: 0, pushes: 0, bytes: 0 };
  for (let i = 0; i < table.count; i++) {
    const slot = table.order[i];
    for (let b = slot * BINS; b < (slot + 1) * BINS; b++) {
      sum.hits += table.binHits[b];
      sum.trials += table.binTrials[b];
      sum.pushes += table.binPushes[b];
    }
    sum.bytes += table.sz(slot);
  }
  return sum;
}

function sumTotals(table: RegionTable): number[] {
  const sums = [HITS, TRIALS, PUSHES].map(() => 0);
  for (let i = 0; i < table.count; i++) {
    const at = table.order[i] * 4;
    [HITS, TRIALS, PUSHES].forEach((key, k) => {
      sums[k] += table.past[at + key] + table.recent[at + key];
    });
  }
  return sums;
}

/** What holds of every record at any time. */
function expectSound(table: RegionTable): void {
  expect(table.count).toBeLessThanOrEqual(table.capacity);
  for (let i = 0; i < table.count; i++) {
    const slot = table.order[i];
    expect(table.positionOf(slot)).toBe(i);
    const used = binCount(table, slot);
    expect(used).toBeLessThanOrEqual(BINS);
    let pages = 0;
    for (let b = 0; b < BINS; b++) {
      const at = slot * BINS + b;
      expect(table.binHits[at]).toBeLessThanOrEqual(table.binTrials[at]);
      if (b < used) pages += binPages(table, slot, b);
      else expect(table.binHits[at] + table.binTrials[at] + table.binPushes[at]).toBe(0);
    }
    expect(pages * PAGE_SIZE).toBe(table.sz(slot));
  }
}

describe('bins', () => {
  test.prop([fc.nat({ max: 1 << 20 }), fc.integer({ min: 1, max: 1 << 20 })])(
    'are the finest that fit, at aligned addresses',
    (startPage, pages) => {
      const [start, end] = [startPage * PAGE_SIZE, (startPage + pages) * PAGE_SIZE];
      const shift = shiftFor(start, end);
      expect(binSpan(start, end, shift)).toBeLessThanOrEqual(BINS);
      if (shift > 12) expect(binSpan(start, end, shift - 1)).toBeGreaterThan(BINS);
    },
  );
});

describe('evidence is conserved', () => {
  test.prop([regionTableArbitrary(), fc.nat(), fc.double({ min: 0, max: 1, noNaN: true })], { numRuns: 500 })(
    'by a split anywhere: at the edge of a bin all of it, inside one all but one event of each kind',
    (table, pick, at) => {
      const i = pick % table.count;
      const slot = table.order[i];
      const units = table.sz(slot) / PAGE_SIZE;
      fc.pre(units >= 2 && table.count < table.capacity);
      const before = binTotals(table);
      const [age, rate] = [table.age[slot], table.rate[slot]];
      const cut = table.start[slot] + (1 + Math.floor(at * (units - 2))) * PAGE_SIZE;
      const isEdge = cut % 2 ** table.binShift[slot] === 0;
      table.split(i, cut, false);
      const after = binTotals(table);
      expect(after.bytes).toBe(before.bytes);
      for (const key of ['hits', 'trials', 'pushes'] as const) {
        expect(after[key]).toBeLessThanOrEqual(before[key]);
        expect(after[key]).toBeGreaterThanOrEqual(before[key] - (isEdge ? 0 : 1));
      }
      for (const part of [table.order[i], table.order[i + 1]]) {
        expect(table.age[part]).toBe(age);
        expect(table.rate[part]).toBe(rate);
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
      const before = binTotals(table);
      const sums = sumTotals(table);
      const age = Math.floor(
        (table.age[a] * table.sz(a) + table.age[b] * table.sz(b)) / (table.sz(a) + table.sz(b)),
      );
      const now = table.nowTrials[a] + table.nowTrials[b];
      table.merge(i);
      sumTotals(table).forEach((sum, k) => {
        expect(sum).toBeCloseTo(sums[k], 3);
      });
      expect(table.nowTrials[table.order[i]]).toBe(now);
      expect(table.age[table.order[i]]).toBe(age);
      // Bytes of counters: where a sum passes 255 all are halved.
      const after = binTotals(table);
      const isHalved = table.binExposureS[table.order[i]] < 1;
      if (!isHalved) expect(after).toEqual(before);
      expectSound(table);
    },
  );

  test.prop([regionTableArbitrary(), fc.integer({ min: 1, max: 24 })], { numRuns: 300 })(
    'by merging down and splitting by evidence, within the bounds',
    (table, target) => {
      const { bytes } = binTotals(table);
      mergeDown(table, target, Number.POSITIVE_INFINITY);
      expectSound(table);
      const look = Uint16Array.from({ length: table.capacity }, (_, i) =>
        i < table.count ? table.order[i] : 0,
      );
      const parts = splitByEvidence(table, look, table.count, Number.POSITIVE_INFINITY);
      expect(binTotals(table).bytes).toBe(bytes);
      expectSound(table);
      const slots = Array.from(look.subarray(0, parts));
      expect(new Set(slots).size).toBe(parts);
      const living = new Set(table.order.subarray(0, table.count));
      for (const slot of slots) expect(living.has(slot)).toBe(true);
    },
  );

  test.prop([regionTableArbitrary()], { numRuns: 200 })('merge undoes split on coverage', (table) => {
    const layout = () =>
      Array.from({ length: table.count }, (_, i) => [table.start[table.order[i]], table.end[table.order[i]]]);
    const before = layout();
    const i = before.findIndex(([start, end]) => end - start >= 2 * PAGE_SIZE);
    fc.pre(i >= 0 && table.count < table.capacity);
    table.split(i, table.start[table.order[i]] + PAGE_SIZE, true);
    table.merge(i);
    expect(layout()).toEqual(before);
  });
});

describe('setRanges', () => {
  test.prop([regionTableArbitrary(64), rangesArbitrary({ maxRanges: 3, maxUnits: 64 })], { numRuns: 300 })(
    'keeps the evidence of memory that stays, and makes none',
    (table, ranges) => {
      mergeDown(table, 10, Number.POSITIVE_INFINITY);
      const before = binTotals(table);
      const kept = new Map<number, number>();
      const trialsOf = (slot: number): number =>
        table.binTrials.subarray(slot * BINS, (slot + 1) * BINS).reduce((sum, value) => sum + value, 0);
      for (let i = 0; i < table.count; i++) {
        const slot = table.order[i];
        const isInside = ranges.some(
          (range) => range.start <= table.start[slot] && table.end[slot] <= range.end,
        );
        if (isInside) kept.set(table.start[slot], trialsOf(slot));
      }
      table.setRanges(ranges, 20);
      expect(binTotals(table).trials).toBeLessThanOrEqual(before.trials);
      for (let i = 0; i < table.count; i++) {
        const slot = table.order[i];
        const trials = kept.get(table.start[slot]);
        if (trials !== undefined) expect(trialsOf(slot)).toBe(trials);
      }
      expectSound(table);
    },
  );

  test.prop([regionTableArbitrary()])('leaves bins inside their regions', (table) => {
    for (let i = 0; i < table.count; i++) {
      const slot = table.order[i];
      expect(binStart(table, slot, 0)).toBe(table.start[slot]);
      expect(binStart(table, slot, binCount(table, slot) - 1)).toBeLessThan(table.end[slot]);
    }
  });
});
