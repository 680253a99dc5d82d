/**
 * Values as damo writes them into records: numbers as text, with thousands commas, sizes rounded
 * ("31.340 MiB", three decimals), percentages and times with units; old files have plain numbers.
 */

const BYTES: Readonly<Record<string, number>> = {
  B: 1,
  K: 2 ** 10,
  M: 2 ** 20,
  G: 2 ** 30,
  T: 2 ** 40,
  P: 2 ** 50,
  E: 2 ** 60,
};
const TIMES_US: Readonly<Record<string, number>> = {
  ns: 1e-3,
  us: 1,
  usec: 1,
  ms: 1e3,
  msec: 1e3,
  s: 1e6,
  m: 60e6,
  h: 3600e6,
  d: 86400e6,
};

/** A number, or NaN for null, nothing and what is none. */
export function damoNumber(value: unknown): number {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string' || value === '') return Number.NaN;
  return Number(value.replaceAll(',', '').trim());
}

/** A whole number of any size; undefined if it is none. */
export function damoBigInt(value: unknown): bigint | undefined {
  const text = typeof value === 'string' ? value.replaceAll(',', '').trim() : String(value);
  return /^-?\d+$/.test(text) ? BigInt(text) : undefined;
}

/** Bytes of "31.340 MiB"; cut to a whole number as damo does, so that sums are the same. */
export function damoBytes(value: unknown): number {
  if (typeof value !== 'string') return damoNumber(value);
  const match = /^\s*([\d.,]+)\s*(?:([BKMGTPE])(?:i?B)?)?\s*$/.exec(value);
  if (match === null) return Number.NaN;
  return Math.trunc(Number(match[1].replaceAll(',', '')) * BYTES[match[2] ?? 'B']);
}

/** Microseconds of "5 ms", "1 m 3.5 s" or a plain number. */
export function damoTimeUs(value: unknown): number {
  const plain = damoNumber(value);
  if (!Number.isNaN(plain) || typeof value !== 'string') return plain;
  let sum = 0;
  for (const part of value.trim().matchAll(/([\d.,]+)\s*([a-z]+)\s*/g)) {
    sum += Number(part[1].replaceAll(',', '')) * (TIMES_US[part[2]] ?? Number.NaN);
  }
  return value.trim() === '' ? Number.NaN : sum;
}

/** 50 of "50 %", "50". */
export function damoPercent(value: unknown): number {
  return typeof value === 'string' ? damoNumber(value.replace('%', '')) : damoNumber(value);
}

/** JSON whose whole numbers beyond 2^53 stay exact: they become text. */
export function parseExactJson(text: string): unknown {
  const quoted = /\d{16}/.test(text)
    ? text.replaceAll(/"(?:[^"\\]|\\.)*"|(?<![\d.eE+-])-?\d{16,}(?![\d.eE])/g, (token) =>
        token.startsWith('"') ? token : `"${token}"`,
      )
    : text;
  return JSON.parse(quoted);
}
