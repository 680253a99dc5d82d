import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { ThermoError } from '../../src/memory/error.ts';
import { NO_VALUE, PageRuns } from '../../src/memory/page-runs.ts';
import { PageTable } from '../../src/memory/page-table.ts';
import {
  formatBytesExact,
  formatEventRate,
  formatShareExact,
  formatTimeExact,
  parseByteRate,
  parseBytes,
  parseEventRate,
  parseShare,
  parseTimeUs,
} from '../../src/memory/units.ts';

describe('what is printed exactly reads back to the same number', () => {
  test.prop([fc.oneof(fc.nat(), fc.maxSafeNat())])('sizes', (bytes) => {
    expect(parseBytes(formatBytesExact(bytes))).toBe(bytes);
  });
  test.prop([fc.oneof(fc.nat(), fc.integer({ min: 0, max: 2 ** 43 }))])('times', (us) => {
    expect(parseTimeUs(formatTimeExact(us))).toBe(us);
  });
  test.prop([fc.double({ min: 1e-9, max: 1e9, noNaN: true })])('rates', (rate) => {
    expect(parseEventRate(formatEventRate(rate))).toBe(rate);
  });
  test.prop([fc.integer({ min: 0, max: 10 ** 9 })])('shares', (digits) => {
    const share = parseShare(`${digits / 10 ** 7} %`);
    expect(parseShare(formatShareExact(share))).toBe(share);
  });
  test.prop([fc.string()])(
    'and any other text gives a value or an error with a hint, never a crash',
    (text) => {
      for (const parse of [parseBytes, parseTimeUs, parseEventRate, parseByteRate]) {
        try {
          expect(parse(text)).toBeGreaterThanOrEqual(0);
        } catch (error) {
          expect(error).toBeInstanceOf(ThermoError);
          expect((error as ThermoError).hint).toBeTruthy();
        }
      }
    },
  );
});

describe('PageRuns equals a plain array', () => {
  const writes = fc.array(
    fc.tuple(fc.nat({ max: 199 }), fc.integer({ min: 1, max: 60 }), fc.nat({ max: 3 })),
    {
      maxLength: 80,
    },
  );
  test.prop([writes], { numRuns: 300 })('after any sequence of writes', (sequence) => {
    const runs = new PageRuns(1);
    const plain = new Uint16Array(300).fill(NO_VALUE);
    for (const [start, length, value] of sequence) {
      runs.set(start, start + length, value);
      plain.fill(value, start, start + length);
    }
    const seen: number[] = [];
    let last = -1;
    runs.forEach(0, 300, (start, end, value) => {
      expect(value).not.toBe(last);
      last = value;
      for (let i = start; i < end; i++) seen.push(value);
    });
    expect(seen).toEqual([...plain]);
    for (let i = 0; i < 300; i += 7) expect(runs.get(i)).toBe(plain[i]);
  });

  /** Long and short writes over more pages than a leaf has values for, so that leaves are cut, filled and dropped. */
  const manyWrites = fc.array(
    fc.tuple(
      fc.nat({ max: 19_999 }),
      fc.oneof(
        { weight: 9, arbitrary: fc.constant(1) },
        { weight: 1, arbitrary: fc.integer({ min: 1, max: 9_000 }) },
      ),
      fc.nat({ max: 3 }),
    ),
    { minLength: 1500, maxLength: 4000, size: 'max' },
  );
  test.prop([manyWrites], { numRuns: 30 })('also with more runs than a leaf holds', (sequence) => {
    const runs = new PageRuns(4096);
    const plain = new Uint16Array(30_000).fill(NO_VALUE);
    for (const [start, length, value] of sequence) {
      runs.set(start * 4096, (start + length) * 4096, value);
      plain.fill(value, start, start + length);
    }
    const seen = new Uint16Array(30_000);
    let [last, at] = [-1, 0];
    runs.forEach(0, 30_000 * 4096, (start, end, value) => {
      expect(start).toBe(at);
      expect(value).not.toBe(last);
      [last, at] = [value, end];
      seen.fill(value, start / 4096, end / 4096);
    });
    expect(at).toBe(30_000 * 4096);
    expect(seen).toEqual(plain);
    for (let i = 0; i < 30_000; i += 97) expect(runs.get(i * 4096 + 5)).toBe(plain[i]);
    let part = 0;
    runs.forEach(7 * 4096 + 5, 20_000 * 4096 - 9, (start, end, value) => {
      expect(plain[Math.floor(start / 4096)]).toBe(value);
      part += end - start;
    });
    expect(part).toBe((20_000 - 7) * 4096 - 14);
  });

  test('and one write over everything leaves one run', () => {
    const runs = new PageRuns(1);
    for (let i = 0; i < 50_000; i++)
      runs.set(((i * 2503) % 50_000) * 2, ((i * 2503) % 50_000) * 2 + 1, i % 7);
    let count = 0;
    const counted = (): void => {
      count++;
    };
    runs.forEach(0, 100_000, counted);
    expect(count).toBe(100_000);
    runs.set(0, 100_000, 3);
    count = 0;
    runs.forEach(0, Number.MAX_SAFE_INTEGER, counted);
    expect(count).toBe(2);
  });
});

describe('PageTable', () => {
  test.prop([
    fc.array(fc.oneof(fc.nat({ max: 500 }), fc.integer({ min: 0, max: 2 ** 41 })), { maxLength: 3000 }),
  ])('numbers pages in the order of their first appearance', (pages) => {
    const table = new PageTable();
    const plain = new Map<number, number>();
    for (const page of pages) {
      if (!plain.has(page)) plain.set(page, plain.size);
      expect(table.add(page)).toBe(plain.get(page));
    }
    for (const [page, id] of plain) {
      expect(table.find(page)).toBe(id);
      expect(table.pageAt(id)).toBe(page);
    }
    expect(table.find(2 ** 42)).toBe(-1);
  });
});
