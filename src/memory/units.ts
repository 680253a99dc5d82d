/**
 * Sizes, times, rates, percentages and counts: one strict reader and one exact writer for each.
 *
 * Internally sizes are bytes, times microseconds, byte rates bytes per second and access rates
 * accesses per page per second. `K M G T P` and `KiB ..` are powers of 1024, as in damo; `kB MB GB ..`
 * are powers of 1000. `parse(format(x)) = x` holds for every value (a property test).
 */
import { ThermoError } from './error.ts';

const BYTE_UNITS: ReadonlyMap<string, number> = new Map([
  ['', 1],
  ['b', 1],
  ['k', 2 ** 10],
  ['m', 2 ** 20],
  ['g', 2 ** 30],
  ['t', 2 ** 40],
  ['p', 2 ** 50],
  ['kib', 2 ** 10],
  ['mib', 2 ** 20],
  ['gib', 2 ** 30],
  ['tib', 2 ** 40],
  ['pib', 2 ** 50],
  ['kb', 1e3],
  ['mb', 1e6],
  ['gb', 1e9],
  ['tb', 1e12],
  ['pb', 1e15],
]);

const TIME_UNITS_US: ReadonlyMap<string, number> = new Map([
  ['ns', 1e-3],
  ['us', 1],
  ['µs', 1],
  ['ms', 1e3],
  ['s', 1e6],
  ['m', 60e6],
  ['min', 60e6],
  ['h', 3600e6],
  ['d', 86400e6],
]);

const NUMBER = String.raw`(?:\d[\d_,]*(?:\.\d+)?|\.\d+)(?:e[+-]?\d+)?`;

function bad(kind: string, text: string, accepted: string): ThermoError {
  const shown = text.length > 40 ? `${text.slice(0, 40)}…` : text;
  return new ThermoError('THERMO_UNITS_BAD_VALUE', `"${shown}" is not a ${kind}`, {
    hint: `accepted: ${accepted}`,
  });
}

function toNumber(digits: string): number {
  return Number(digits.replace(/[_,]/g, ''));
}

const BYTE_PATTERN = new RegExp(`^(${NUMBER})\\s*([a-z]*)$`, 'i');
const BYTES_ACCEPTED = '4096, 4K, 4 KiB, 1.5G, 2 TiB (powers of 1024), 4 kB, 1 GB (powers of 1000), max';

/** Bytes of `4K`, `1.5 GiB`, `4096` ...; `max` is Infinity. A fraction of a byte is refused. */
export function parseBytes(text: string): number {
  const trimmed = text.trim();
  if (trimmed.toLowerCase() === 'max') return Number.POSITIVE_INFINITY;
  const match = BYTE_PATTERN.exec(trimmed);
  const unit = match && BYTE_UNITS.get(match[2].toLowerCase());
  if (!match || unit === undefined || unit === null) throw bad('size', text, BYTES_ACCEPTED);
  const exact = toNumber(match[1]) * unit;
  // 0.1 GiB is no whole number of bytes: take the nearest, but refuse "0.3 B".
  const value = Math.round(exact);
  if (!Number.isSafeInteger(value) || (exact > 0 && value === 0) || (unit === 1 && value !== exact)) {
    throw bad('size', text, `${BYTES_ACCEPTED}; whole bytes below 8 PiB`);
  }
  return value;
}

const TIME_PART = new RegExp(`(${NUMBER})\\s*([a-zµ]+)\\s*`, 'giy');
const TIME_ACCEPTED = '5ms, 100 us, 1.5s, 1h30m, 2d, 0, max (a bare number is ambiguous)';

/** Microseconds of `5ms`, `1h30m`, `1m 30s` ...; `max` is Infinity; `0` needs no unit. */
export function parseTimeUs(text: string): number {
  const trimmed = text.trim();
  if (trimmed.toLowerCase() === 'max') return Number.POSITIVE_INFINITY;
  if (trimmed === '0') return 0;
  let sum = 0;
  TIME_PART.lastIndex = 0;
  let position = 0;
  while (position < trimmed.length) {
    const match = TIME_PART.exec(trimmed);
    const unit = match && TIME_UNITS_US.get(match[2].toLowerCase());
    if (!match || !unit) throw bad('time', text, TIME_ACCEPTED);
    sum += toNumber(match[1]) * unit;
    position = TIME_PART.lastIndex;
  }
  if (position === 0 || !Number.isFinite(sum)) throw bad('time', text, TIME_ACCEPTED);
  return Math.round(sum * 1000) / 1000;
}

/** `X/T`, with T a time of one unit ("s") or a whole one ("2s"): the value of X and T in seconds. */
function splitRate(text: string): { amount: string; perS: number } | undefined {
  const match = /^(.*?)\s*(?:\/|\bper\b)\s*(\d[\d.]*)?\s*([a-zµ]+)$/i.exec(text.trim());
  if (!match) return undefined;
  const unit = TIME_UNITS_US.get(match[3].toLowerCase());
  const perS =
    unit === undefined ? Number.NaN : ((match[2] === undefined ? 1 : Number(match[2])) * unit) / 1e6;
  return perS > 0 && Number.isFinite(perS) ? { amount: match[1], perS } : undefined;
}

const BYTE_RATE_ACCEPTED = '1G/s, 512 MiB/s, 100M/20s, max';

/** A byte budget with its window: `1G/s` is 2^30 bytes per 10^6 us, `100M/20s` per 20 s. */
export function parseByteBudget(text: string): { szBytes: number; windowUs: number } {
  const rate = splitRate(text);
  if (!rate) throw bad('byte rate', text, BYTE_RATE_ACCEPTED);
  return { szBytes: parseBytes(rate.amount), windowUs: rate.perS * 1e6 };
}

/** Bytes per second. */
export function parseByteRate(text: string): number {
  if (text.trim().toLowerCase() === 'max') return Number.POSITIVE_INFINITY;
  const { szBytes, windowUs } = parseByteBudget(text);
  return (szBytes * 1e6) / windowUs;
}

const EVENT_RATE_ACCEPTED = '30/s, 15000/s, 15k/s, 2M/s, 1/10ms, off';

/** Events per second of `15000/s`, `15k/s` (1000-based), `1/10ms`; `off` is 0. */
export function parseEventRate(text: string): number {
  const trimmed = text.trim();
  if (trimmed.toLowerCase() === 'off') return 0;
  const rate = splitRate(trimmed);
  const match = rate && new RegExp(`^(${NUMBER})\\s*([kmg]?)$`, 'i').exec(rate.amount.trim());
  if (!rate || !match) throw bad('rate', text, EVENT_RATE_ACCEPTED);
  const scale = { '': 1, k: 1e3, m: 1e6, g: 1e9 }[match[2].toLowerCase()] ?? Number.NaN;
  return (toNumber(match[1]) * scale) / rate.perS;
}

/** Share of `25%`, `99.7 %`, in 0..1 unless `most` allows more. */
export function parseShare(text: string, most = 1): number {
  const match = new RegExp(`^(${NUMBER})\\s*%$`).exec(text.trim());
  const value = match ? toNumber(match[1]) / 100 : Number.NaN;
  if (!(value >= 0 && value <= most)) {
    throw bad('percentage', text, `0% to ${most * 100}%, such as 25% or 99.7%`);
  }
  return value;
}

/** Exact text of a share that was read from a percentage of at most 15 digits. */
export function formatShareExact(share: number): string {
  const percent = share * 100;
  for (let digits = 1; digits < 15; digits++) {
    const rounded = Number(percent.toPrecision(digits));
    if (rounded / 100 === share) return `${rounded} %`;
  }
  return `${Number(percent.toPrecision(15))} %`;
}

/** A whole number such as `1000`, `1,000`, `10k`. */
export function parseCount(text: string): number {
  const match = new RegExp(`^(${NUMBER})([kmg]?)$`, 'i').exec(text.trim());
  const scale = match
    ? ({ '': 1, k: 1e3, m: 1e6, g: 1e9 }[match[2].toLowerCase()] ?? Number.NaN)
    : Number.NaN;
  const value = match ? toNumber(match[1]) * scale : Number.NaN;
  if (!Number.isSafeInteger(value)) throw bad('whole number', text, '1000, 1,000, 10k');
  return value;
}

function trimZeros(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

const BYTE_STEPS: readonly (readonly [number, string])[] = [
  [2 ** 50, 'PiB'],
  [2 ** 40, 'TiB'],
  [2 ** 30, 'GiB'],
  [2 ** 20, 'MiB'],
  [2 ** 10, 'KiB'],
];

/** Exact text of a size: the largest unit in which it has at most 3 decimals, else bytes. */
export function formatBytesExact(bytes: number): string {
  if (bytes === Number.POSITIVE_INFINITY) return 'max';
  for (const [step, unit] of BYTE_STEPS) {
    if (bytes < step) continue;
    const text = trimZeros((bytes / step).toFixed(3));
    if (Number(text) * step === bytes) return `${text} ${unit}`;
  }
  return `${bytes} B`;
}

/** Short text of a size for people: three significant digits or so. */
export function formatBytes(bytes: number): string {
  if (!Number.isFinite(bytes)) return bytes > 0 ? 'max' : '-';
  for (const [step, unit] of BYTE_STEPS) {
    if (Math.abs(bytes) >= step) {
      const value = bytes / step;
      return `${value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)} ${unit}`;
    }
  }
  return `${Math.round(bytes)} B`;
}

const TIME_STEPS: readonly (readonly [number, string])[] = [
  [86400e6, 'd'],
  [3600e6, 'h'],
  [60e6, 'm'],
  [1e6, 's'],
  [1e3, 'ms'],
  [1, 'us'],
];

/** Exact text of a time (to 1 ns): the largest unit in which it has at most 3 decimals. */
export function formatTimeExact(us: number): string {
  if (us === Number.POSITIVE_INFINITY) return 'max';
  if (us === 0) return '0';
  for (const [step, unit] of TIME_STEPS) {
    if (us < step) continue;
    const text = trimZeros((us / step).toFixed(3));
    if (Math.round(Number(text) * step * 1000) === Math.round(us * 1000)) return `${text}${unit}`;
  }
  return `${trimZeros((us * 1000).toFixed(0))}ns`;
}

/** Seconds for people: `0.012 s`, `12.3 s`, `438 s`, `1h 03m`. */
export function formatSeconds(seconds: number): string {
  if (!Number.isFinite(seconds)) return '-';
  if (seconds >= 3600) {
    const minutes = Math.floor(seconds / 60);
    return `${Math.floor(minutes / 60)}h ${String(minutes % 60).padStart(2, '0')}m`;
  }
  if (seconds >= 100) return `${seconds.toFixed(1)} s`;
  if (seconds >= 1) return `${seconds.toFixed(2)} s`;
  return `${(seconds * 1000).toPrecision(3)} ms`;
}

/** Exact text of a rate of events; the shortest decimal that reads back to the same number. */
export function formatEventRate(perS: number): string {
  if (perS === Number.POSITIVE_INFINITY) return 'max';
  return `${perS}/s`;
}

export function formatPercent(share: number, decimals = 1): string {
  return Number.isFinite(share) ? `${(share * 100).toFixed(decimals)} %` : '-';
}

/** A whole number with thin grouping: 25,769,803,776. */
export function formatCount(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}
