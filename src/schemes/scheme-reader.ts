/** Reads the values of a long form: units, bounds, places. What is wrong is noted with its path. */
import { type ErrorCode, type TextPosition, ThermoError } from '../memory/error.ts';
import { parseBytes, parseEventRate, parseShare, parseTimeUs } from '../memory/units.ts';
import { rateOfShare } from '../monitor/rate.ts';
import { parsePlace } from './place.ts';
import { ACCESSING } from './resolve.ts';
import type { Bound } from './scheme.ts';

/** The intervals that "samples" and "aggr_intervals" refer to. */
export interface Intervals {
  readonly sampleUs: number;
  readonly aggrUs: number;
}

/** Finds the position of a part of the scheme by its path, such as `quotas/sz_bytes`. */
export type Locate = (path: string) => TextPosition;

export type Quantity = string | number;

/** Collects problems while reading values, so that all are reported. */
export class SchemeReader {
  readonly locate: Locate;
  readonly #problems: ThermoError[];

  constructor(locate: Locate, problems: ThermoError[]) {
    this.locate = locate;
    this.#problems = problems;
  }

  get nrProblems(): number {
    return this.#problems.length;
  }

  /** The value through `parse`; `fallback` if it is left out or wrong. */
  read<V, T>(path: string, value: V | undefined, fallback: T, parse: (value: V) => T): T {
    if (value === undefined) return fallback;
    try {
      return parse(value);
    } catch (error) {
      if (!(error instanceof ThermoError)) throw error;
      const code = error.code === 'THERMO_UNITS_BAD_VALUE' ? 'THERMO_SCHEME_BAD_VALUE' : error.code;
      this.#push(code, path, `${nameOf(path)}: ${error.message}`, error.hint);
      return fallback;
    }
  }

  fail(path: string, message: string, hint: string): void {
    this.#push('THERMO_SCHEME_BAD_VALUE', path, message, hint);
  }

  /** A node or tier by its name, or undefined. */
  place(path: string, name: string | undefined): string | undefined {
    if (name?.toLowerCase() !== ACCESSING) return this.read(path, name, undefined, parsePlace);
    this.fail(
      path,
      `${nameOf(path)}: "accessing" is only a target`,
      'expected a node or tier, such as node0 or DRAM',
    );
    return undefined;
  }

  /** A node or tier given by its number under one key or by its name under another. */
  placeOf(
    path: string,
    { nid, target }: { readonly nid?: number | undefined; readonly target?: string | undefined },
    nidKey = 'nid',
  ): string | undefined {
    if (nid !== undefined && target !== undefined) {
      this.fail(join(path, nidKey), `target and ${nidKey} are both given`, 'keep one of them');
    }
    return nid === undefined ? this.place(join(path, 'target'), target) : `node${nid}`;
  }

  #push(code: ErrorCode, path: string, message: string, hint: string | undefined): void {
    this.#problems.push(new ThermoError(code, message, { where: this.locate(path), hint }));
  }
}

export function join(path: string, key: string): string {
  return path === '' ? key : `${path}/${key}`;
}

/** The last two keys of a path that are names: `quotas.sz_bytes`. */
function nameOf(path: string): string {
  return path
    .split('/')
    .filter((part) => !/^\d+$/.test(part))
    .slice(-2)
    .join('.');
}

/** `5` or `> 5`: a bound, and whether the value itself is outside; `sign` is that of this end. */
export function boundOf(value: Quantity, sign: '>' | '<', parse: (value: Quantity) => number): Bound {
  if (typeof value !== 'string' || !value.trim().startsWith(sign))
    return { value: parse(value), isOpen: false };
  return { value: parse(value.trim().slice(1).trim()), isOpen: true };
}

export function samplesOf({ sampleUs, aggrUs }: Intervals): number {
  return Math.max(1, Math.floor(aggrUs / sampleUs));
}

export function sizeOf(value: Quantity): number {
  return parseBytes(String(value));
}

/** A time; a number counts in `unitUs`, a text brings its unit. */
export function timeOf(value: Quantity, unitUs: number): number {
  return typeof value === 'number' ? parseTimeUs(`${value}us`) * unitUs : parseTimeUs(value);
}

/** A time that ends. */
export function finiteTimeOf(value: Quantity, unitUs: number): number {
  const us = timeOf(value, unitUs);
  if (Number.isFinite(us)) return us;
  throw new ThermoError('THERMO_UNITS_BAD_VALUE', `"${value}" never ends`, {
    hint: 'expected for example 1s',
  });
}

/** `50 %`, or 500 of 1000. */
export function permilOf(value: Quantity): number {
  if (!isBare(value)) return parseShare(String(value));
  const permil = numberOf(value);
  if (permil >= 0 && permil <= 1000) return permil / 1000;
  throw new ThermoError('THERMO_UNITS_BAD_VALUE', `${value} is more than 1000 permil`, {
    hint: 'accepted: 0 to 1000 (permil), or 0 % to 100 %',
  });
}

/** A number without a unit; damo writes 9970 as "9,970", too. */
export function isBare(value: Quantity): boolean {
  return typeof value === 'number' || /^\s*\d[\d,_]*(\.\d+)?\s*$/.test(value);
}

export function numberOf(value: Quantity): number {
  return Number(String(value).replace(/[,_]/g, ''));
}

/** Accesses per page per second of "5 samples", "25 %", "30/s", "max"; 0 needs no unit. */
export function rateOf(value: Quantity, intervals: Intervals): number {
  const text = String(value).trim();
  const intervalS = intervals.sampleUs / 1e6;
  if (text === '0') return 0;
  if (text.toLowerCase() === 'max') return Number.POSITIVE_INFINITY;
  const samples = /^(\d[\d.,_]*)\s*samples?$/i.exec(text);
  if (samples) {
    const share = numberOf(samples[1]) / samplesOf(intervals);
    if (share <= 1) return rateOfShare(share, intervalS);
    throw new ThermoError(
      'THERMO_UNITS_BAD_VALUE',
      `"${text}" is more than the ${samplesOf(intervals)} samples of an aggregation interval`,
      {
        hint: `accepted: 0 to ${samplesOf(intervals)} samples, 0 % to 100 %, or a rate such as 30/s`,
      },
    );
  }
  if (text.endsWith('%')) return rateOfShare(parseShare(text), intervalS);
  if (text.includes('/')) return parseEventRate(text);
  throw new ThermoError('THERMO_UNITS_BAD_VALUE', `"${text}" is not an access frequency`, {
    hint: 'accepted: 5 samples, 25 %, 30/s, max',
  });
}

export function ageOf(value: Quantity, { aggrUs }: Intervals): number {
  const text = String(value).trim();
  const intervals = /^(\d[\d.,_]*)\s*aggr_intervals?$/i.exec(text);
  const us = intervals ? numberOf(intervals[1]) * aggrUs : timeOf(value, 1);
  if (!Number.isNaN(us)) return us;
  throw new ThermoError('THERMO_UNITS_BAD_VALUE', `"${text}" is not a time`, {
    hint: 'accepted: 2s, 10 aggr_intervals, max',
  });
}
