import { describe, expect, test } from 'vitest';
import { ThermoError } from '../../src/memory/error.ts';
import {
  formatBytes,
  parseByteBudget,
  parseByteRate,
  parseBytes,
  parseCount,
  parseEventRate,
  parseShare,
  parseTimeUs,
} from '../../src/memory/units.ts';

describe('every common spelling is read', () => {
  test.each([
    ['4096', 4096],
    ['4K', 4096],
    ['4KiB', 4096],
    ['4 kib', 4096],
    ['1.5 GiB', 1.5 * 2 ** 30],
    ['1.5G', 1.5 * 2 ** 30],
    ['1,024 B', 1024],
    ['1_024', 1024],
    ['2T', 2 ** 41],
    ['4 kB', 4000],
    ['512 GB', 512e9],
    ['max', Number.POSITIVE_INFINITY],
    ['0', 0],
  ])('the size %s', (text, bytes) => expect(parseBytes(text)).toBe(bytes));

  test.each([
    ['5ms', 5000],
    ['100 us', 100],
    ['1.5s', 1.5e6],
    ['1h30m', 5400e6],
    ['1m 30s', 90e6],
    ['2d', 172800e6],
    ['500ns', 0.5],
    ['0', 0],
    ['max', Number.POSITIVE_INFINITY],
  ])('the time %s', (text, us) => expect(parseTimeUs(text)).toBe(us));

  test.each([
    ['15000/s', 15000],
    ['15k/s', 15000],
    ['5,876/s', 5876],
    ['1/10ms', 100],
    ['30 / s', 30],
    ['30 per s', 30],
    ['off', 0],
  ])('the rate %s', (text, perS) => expect(parseEventRate(text)).toBeCloseTo(perS, 9));

  test('byte rates and budgets', () => {
    expect(parseByteRate('1G/s')).toBe(2 ** 30);
    expect(parseByteRate('max')).toBe(Number.POSITIVE_INFINITY);
    expect(parseByteBudget('100M/20s')).toEqual({ szBytes: 100 * 2 ** 20, windowUs: 20e6 });
  });

  test('percentages and counts', () => {
    expect(parseShare('99.7%')).toBeCloseTo(0.997, 12);
    expect(parseCount('10k')).toBe(10_000);
  });
});

describe('what could be meant otherwise is refused', () => {
  const cases: [string, (text: string) => number, string][] = [
    ['a bare number as a time', parseTimeUs, '5'],
    ['a misspelt unit', parseTimeUs, '5mss'],
    ['a size with rubbish', parseBytes, '4KK'],
    ['a negative size', parseBytes, '-1'],
    ['part of a byte', parseBytes, '0.3'],
    ['a size beyond 2^53', parseBytes, '9P'],
    ['more than all', parseShare, '101%'],
    ['a share without %', parseShare, '25'],
    ['a rate without time', parseEventRate, '15000'],
    ['a rate per 0 s', parseEventRate, '1/0s'],
    ['half a thing', parseCount, '1.5'],
    ['nothing', parseBytes, ''],
    ['nothing', parseTimeUs, ' '],
  ];
  test.each(cases)('%s', (_what, parse, text) => {
    expect(() => parse(text)).toThrow(ThermoError);
  });
});

test('sizes for people have three digits', () => {
  expect([0, 1023, 1024, 1536, 2 ** 30 * 64.7, 2 ** 40 * 123].map(formatBytes)).toEqual([
    '0 B',
    '1023 B',
    '1.00 KiB',
    '1.50 KiB',
    '64.7 GiB',
    '123 TiB',
  ]);
});
