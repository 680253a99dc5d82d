/**
 * From the long form to a {@link Scheme}: reads every unit, checks what is impossible, reports every
 * problem with its path.
 */
import { type TextPosition, ThermoError } from '../memory/error.ts';
import { parseBytes, parseEventRate, parseShare, parseTimeUs } from '../memory/units.ts';
import { rateOfShare } from '../monitor/rate.ts';
import type { LongScheme } from './schema.ts';
import type { Bound, Scheme, SchemePattern, SchemeQuota } from './scheme.ts';

/** The intervals that "samples" and "aggr_intervals" refer to. */
export interface Intervals {
  readonly sampleUs: number;
  readonly aggrUs: number;
}

/** Finds the position of a part of the scheme by its path, such as `quotas/sz_bytes`. */
export type Locate = (path: string) => TextPosition;

const DEFAULT_WINDOW_US = 1e6;
const OPEN_END: Bound = { value: Number.POSITIVE_INFINITY, isOpen: false };
const ZERO: Bound = { value: 0, isOpen: false };

type Quantity = string | number;
interface RangeInput {
  readonly min?: Quantity;
  readonly max?: Quantity;
}

/** Compiles one scheme; problems go to `problems` and the result is undefined if there are any. */
export function compileScheme(
  long: LongScheme,
  defaultName: string,
  intervals: Intervals,
  locate: Locate,
  problems: ThermoError[],
): Scheme | undefined {
  const before = problems.length;
  const reader = new Reader(locate, problems);
  const pattern = compilePattern(long, intervals, reader);
  const quota = compileQuota(long, reader);
  const applyIntervalUs = reader.read('apply_interval_us', long.apply_interval_us, 0, (value) =>
    timeOf(value, 1),
  );
  const target = compileTarget(long, reader);
  if (problems.length > before) return undefined;
  return {
    name: long.name ?? defaultName,
    action: long.action,
    pattern,
    target,
    from: long.from,
    applyIntervalUs,
    quota,
    where: {
      scheme: locate(''),
      action: locate('action'),
      target: locate(long.target_nid === undefined ? 'target' : 'target_nid'),
      from: locate('from'),
    },
    longForm: long,
  };
}

/** Collects problems while reading values, so that all are reported. */
class Reader {
  readonly #locate: Locate;
  readonly #problems: ThermoError[];

  constructor(locate: Locate, problems: ThermoError[]) {
    this.#locate = locate;
    this.#problems = problems;
  }

  read<T>(path: string, value: Quantity | undefined, fallback: T, parse: (value: Quantity) => T): T {
    if (value === undefined) return fallback;
    try {
      return parse(value);
    } catch (error) {
      if (!(error instanceof ThermoError)) throw error;
      this.#problems.push(
        new ThermoError(
          'THERMO_SCHEME_BAD_VALUE',
          `${path.split('/').slice(-2).join('.')}: ${error.message}`,
          {
            where: this.#locate(path),
            hint: error.hint,
          },
        ),
      );
      return fallback;
    }
  }

  fail(path: string, message: string, hint: string): void {
    this.#problems.push(
      new ThermoError('THERMO_SCHEME_BAD_VALUE', message, { where: this.#locate(path), hint }),
    );
  }
}

function compilePattern(long: LongScheme, intervals: Intervals, reader: Reader): SchemePattern {
  const pattern = long.access_pattern ?? {};
  const [minSzBytes, maxSzBytes] = readRange('access_pattern/sz_bytes', pattern.sz_bytes, reader, sizeOf);
  const [minRatePerS, maxRatePerS] = readRange(
    'access_pattern/nr_accesses',
    pattern.nr_accesses,
    reader,
    (value) => rateOf(value, intervals),
  );
  const [minAgeUs, maxAgeUs] = readRange('access_pattern/age', pattern.age, reader, (value) =>
    ageOf(value, intervals),
  );
  if (minRatePerS.value === Number.POSITIVE_INFINITY) {
    reader.fail(
      'access_pattern/nr_accesses/min',
      `no region can be accessed in more than all ${samplesOf(intervals)} samples of an aggregation interval`,
      `expected less than ${samplesOf(intervals)} samples, or a rate such as 30/s`,
    );
  }
  return {
    minSzBytes,
    maxSzBytes,
    minRatePerS,
    maxRatePerS,
    mustBeIdle: maxRatePerS.value === 0,
    minAgeUs,
    maxAgeUs,
  };
}

function readRange(
  path: string,
  input: RangeInput | undefined,
  reader: Reader,
  parse: (value: Quantity) => number,
): readonly [Bound, Bound] {
  const bound = (value: Quantity, sign: string): Bound => {
    if (typeof value !== 'string' || !value.trim().startsWith(sign))
      return { value: parse(value), isOpen: false };
    return { value: parse(value.trim().slice(1).trim()), isOpen: true };
  };
  const min = reader.read(`${path}/min`, input?.min, ZERO, (value) => bound(value, '>'));
  const max = reader.read(`${path}/max`, input?.max, OPEN_END, (value) => bound(value, '<'));
  const isEmpty = min.value > max.value || (min.value === max.value && (min.isOpen || max.isOpen));
  if (isEmpty && max.value !== Number.POSITIVE_INFINITY) {
    const key = path.split('/').at(-1);
    reader.fail(
      `${path}/min`,
      `${key}: min (${input?.min}) is above max (${input?.max})`,
      'expected min <= max',
    );
  }
  return [min, max];
}

function compileQuota(long: LongScheme, reader: Reader): SchemeQuota {
  const quotas = long.quotas ?? {};
  const szBytes = reader.read('quotas/sz_bytes', quotas.sz_bytes, Number.POSITIVE_INFINITY, sizeOf);
  if (szBytes === 0) {
    reader.fail(
      'quotas/sz_bytes',
      'a quota of 0 bytes lets the scheme do nothing',
      'leave the quota out for no limit, or give it at least 4 KiB',
    );
  } else if (szBytes < 4096) {
    reader.fail(
      'quotas/sz_bytes',
      `a quota of ${szBytes} bytes is less than a page`,
      'expected at least 4 KiB',
    );
  }
  const resetIntervalUs = reader.read(
    'quotas/reset_interval_ms',
    quotas.reset_interval_ms,
    DEFAULT_WINDOW_US,
    (value) => timeOf(value, 1000),
  );
  if (!(resetIntervalUs > 0)) {
    reader.fail('quotas/reset_interval_ms', 'a quota window cannot be 0 long', 'expected for example 1s');
  }
  const weight = (key: 'sz_permil' | 'nr_accesses_permil' | 'age_permil', fallback: number): number =>
    reader.read(`quotas/weights/${key}`, quotas.weights?.[key], fallback, permilOf);
  const hasWeights = quotas.weights !== undefined;
  if (quotas.top !== undefined && !(Number.isSafeInteger(quotas.top) && quotas.top >= 1)) {
    reader.fail(
      'quotas/top',
      'top needs a whole number of regions, at least 1',
      'expected for example top 1000',
    );
  }
  return {
    szBytes,
    resetIntervalUs,
    top: quotas.top ?? Number.POSITIVE_INFINITY,
    weights: {
      sz: weight('sz_permil', 0),
      nrAccesses: weight('nr_accesses_permil', hasWeights ? 0 : 1),
      age: weight('age_permil', 0),
    },
  };
}

function compileTarget(long: LongScheme, reader: Reader): string | undefined {
  if (long.target !== undefined && long.target_nid !== undefined) {
    reader.fail('target_nid', 'target and target_nid are both given', 'keep one of them');
  }
  if (long.action === 'stat') {
    if (long.target !== undefined || long.target_nid !== undefined) {
      reader.fail(
        long.target === undefined ? 'target_nid' : 'target',
        'stat moves nothing, so it has no target',
        'leave the target out',
      );
    }
    return undefined;
  }
  if (long.target_nid !== undefined) return `node${long.target_nid}`;
  return long.target ?? (long.action === 'migrate_hot' ? 'fast' : 'slow');
}

function samplesOf({ sampleUs, aggrUs }: Intervals): number {
  return Math.max(1, Math.floor(aggrUs / sampleUs));
}

function sizeOf(value: Quantity): number {
  return typeof value === 'number' ? parseBytes(String(value)) : parseBytes(value);
}

/** A time; a bare number counts in `unitUs`. */
function timeOf(value: Quantity, unitUs: number): number {
  return typeof value === 'number' ? parseTimeUs(`${value}us`) * unitUs : parseTimeUs(value);
}

function permilOf(value: Quantity): number {
  if (typeof value === 'string') return parseShare(value);
  if (value >= 0 && value <= 1000) return value / 1000;
  throw new ThermoError('THERMO_UNITS_BAD_VALUE', `${value} is not a weight`, {
    hint: 'accepted: 0 to 1000 (permil), or 0 % to 100 %',
  });
}

/** Accesses per page per second of "5 samples", "25 %", "30/s", "max"; 0 needs no unit. */
function rateOf(value: Quantity, intervals: Intervals): number {
  const text = String(value).trim();
  const intervalS = intervals.sampleUs / 1e6;
  if (text === '0') return 0;
  if (text.toLowerCase() === 'max') return Number.POSITIVE_INFINITY;
  const samples = /^([\d.,_]+)\s*samples?$/i.exec(text);
  if (samples) {
    const share = Number(samples[1].replace(/[,_]/g, '')) / samplesOf(intervals);
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

function ageOf(value: Quantity, { aggrUs }: Intervals): number {
  const text = String(value).trim();
  const intervals = /^([\d.,_]+)\s*aggr_intervals?$/i.exec(text);
  if (intervals) return Number(intervals[1].replace(/[,_]/g, '')) * aggrUs;
  return timeOf(value, 1);
}
