/** Formulas against numbers stated by their sources, not against our own output. */
import { describe, expect, test } from 'vitest';
import { watermarksOf } from '../../src/machines/watermarks.ts';
import { editDistance, nearestWord } from '../../src/memory/nearest-word.ts';
import { RandomStream } from '../../src/memory/random.ts';
import { ADISTANCE_CHUNK, abstractDistance } from '../../src/memory/tier.ts';
import { combinedRate, hitShare, rateOfShare } from '../../src/monitor/rate.ts';

describe('abstract distance (mm/memory-tiers.c)', () => {
  const dram = { latency: 100, bandwidth: 100 };
  test('latency x 2.3 and a quarter of the bandwidth is tier 41', () => {
    const distance = abstractDistance({ latency: 230, bandwidth: 25 }, dram);
    expect(distance).toBe(Math.floor(576 * 2.3) * 4);
    expect(Math.floor(distance / ADISTANCE_CHUNK)).toBe(41);
  });
  test('HBM of latency x 1.1 and four times the bandwidth is tier 1, above DRAM', () => {
    expect(Math.floor(abstractDistance({ latency: 110, bandwidth: 400 }, dram) / ADISTANCE_CHUNK)).toBe(1);
  });
});

describe('watermarks (mm/page_alloc.c)', () => {
  test('a node of 128 GiB has steps of about 131 MiB', () => {
    const marks = watermarksOf(128 * 2 ** 30);
    const step = (marks.lowBytes - marks.minBytes) / 2 ** 20;
    expect(step).toBeGreaterThan(131);
    expect(step).toBeLessThan(131.2);
    expect(marks.highBytes - marks.lowBytes).toBe(marks.lowBytes - marks.minBytes);
    expect(marks.promoBytes - marks.highBytes).toBe(marks.lowBytes - marks.minBytes);
  });
  test('even a node of 16 pages has four different marks in whole pages', () => {
    const marks = watermarksOf(16 * 4096);
    const values = [marks.minBytes, marks.lowBytes, marks.highBytes, marks.promoBytes];
    expect(new Set(values).size).toBe(4);
    for (const value of values) expect(value % 4096).toBe(0);
  });
});

describe('rates', () => {
  test('a page of 94 accesses/s is seen accessed within 5 ms with P = 0.375, of 300/s with 0.777', () => {
    expect(hitShare(94, 0.005)).toBeCloseTo(0.375, 3);
    expect(hitShare(300, 0.005)).toBeCloseTo(0.777, 3);
  });
  test('more than 5 of 20 samples at 5 ms is 57.5 accesses/s', () => {
    expect(rateOfShare(5 / 20, 0.005)).toBeCloseTo(57.536, 3);
  });
  test('share and rate are inverse to each other', () => {
    for (const rate of [0.01, 1, 57.5, 900])
      expect(rateOfShare(hitShare(rate, 0.005), 0.005)).toBeCloseTo(rate, 6);
  });
  test('one kind of evidence alone gives its own estimate', () => {
    expect(combinedRate(5, 20, 0.005, 0, 0)).toBeCloseTo(57.536, 3);
    expect(combinedRate(0, 0, 0.005, 30, 2)).toBe(15);
    expect(combinedRate(0, 100, 0.005, 0, 0)).toBe(0);
  });
  test('both together lie between, nearer to the stronger', () => {
    // Pull says 57.5 from 20 checks; push says 100 from 1,000 samples.
    const rate = combinedRate(5, 20, 0.005, 1000, 10);
    expect(rate).toBeGreaterThan(90);
    expect(rate).toBeLessThan(100);
  });
  test('the combined estimate has the largest likelihood (grid search)', () => {
    const [hits, trials, d, samples, exposure] = [7, 40, 0.005, 12, 0.2];
    const likelihood = (r: number): number =>
      samples * Math.log(r) - r * exposure + hits * Math.log(-Math.expm1(-r * d)) - (trials - hits) * r * d;
    let best = 1;
    for (let r = 1; r < 200; r += 0.01) if (likelihood(r) > likelihood(best)) best = r;
    expect(Math.abs(combinedRate(hits, trials, d, samples, exposure) / best - 1)).toBeLessThan(2e-3);
  });
});

describe('random streams', () => {
  test('the same seed and name give the same numbers, another name other ones', () => {
    const draw = (seed: number, name: string): number[] => {
      const stream = new RandomStream(seed, name);
      return Array.from({ length: 5 }, () => stream.uint32());
    };
    expect(draw(1, 'a')).toEqual(draw(1, 'a'));
    expect(draw(1, 'a')).not.toEqual(draw(1, 'b'));
    expect(draw(1, 'a')).not.toEqual(draw(2, 'a'));
  });
  test.each([0.1, 3, 9.9, 10.1, 50, 1000])('Poisson of mean %d has that mean and variance', (mean) => {
    const stream = new RandomStream(7, 'poisson');
    const n = 40_000;
    let [sum, squares] = [0, 0];
    for (let i = 0; i < n; i++) {
      const k = stream.poisson(mean);
      expect(Number.isInteger(k) && k >= 0).toBe(true);
      sum += k;
      squares += k * k;
    }
    const got = sum / n;
    const variance = squares / n - got * got;
    // Five standard errors.
    expect(Math.abs(got - mean)).toBeLessThan(5 * Math.sqrt(mean / n));
    expect(Math.abs(variance / mean - 1)).toBeLessThan(5 * Math.sqrt((2 + 1 / mean) / n));
  });
  test('uniform draws fill ten bins evenly', () => {
    const stream = new RandomStream(3, 'uniform');
    const bins = new Array<number>(10).fill(0);
    for (let i = 0; i < 100_000; i++) bins[stream.below(10)]++;
    const chi2 = bins.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0);
    expect(chi2).toBeLessThan(30);
  });
});

describe('nearest word', () => {
  test('one swap, insertion, deletion or substitution is one edit', () => {
    expect([
      editDistance('aeg', 'age'),
      editDistance('ag', 'age'),
      editDistance('aage', 'age'),
      editDistance('ace', 'age'),
    ]).toEqual([1, 1, 1, 1]);
  });
  test('far words are not suggested', () => {
    expect(nearestWord('promot', ['promote', 'demote'])).toBe('promote');
    expect(nearestWord('zebra', ['promote', 'demote'])).toBeUndefined();
  });
});
