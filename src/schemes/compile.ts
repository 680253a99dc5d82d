/**
 * From the long form to a {@link Scheme}: reads every unit, checks what is impossible, reports every
 * problem with its path.
 */
import type { ThermoError } from '../memory/error.ts';
import { compileFilters, compileWatermarks } from './compile-filters.ts';
import { compileQuota } from './compile-quota.ts';
import { ACCESSING } from './resolve.ts';
import type { LongScheme } from './schema.ts';
import type { Bound, Scheme, SchemeDest, SchemeExchange, SchemePattern } from './scheme.ts';
import {
  ageOf,
  boundOf,
  finiteTimeOf,
  type Intervals,
  type Locate,
  type Quantity,
  rateOf,
  SchemeReader,
  samplesOf,
  sizeOf,
  timeOf,
} from './scheme-reader.ts';
import { ACTIONS } from './vocabulary.ts';

export type { Intervals, Locate } from './scheme-reader.ts';

const OPEN_END: Bound = { value: Number.POSITIVE_INFINITY, isOpen: false };
const ZERO: Bound = { value: 0, isOpen: false };

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
  const reader = new SchemeReader(locate, problems);
  const scheme: Scheme = {
    name: long.name ?? defaultName,
    action: long.action,
    pattern: compilePattern(long, intervals, reader),
    dests: compileDests(long, reader),
    from: reader.place('from', long.from),
    applyIntervalUs: reader.read('apply_interval_us', long.apply_interval_us, 0, (value) =>
      finiteTimeOf(value, 1),
    ),
    quota: compileQuota(long, reader),
    exchange: compileExchange(long, reader),
    filters: compileFilters(long, reader),
    watermarks: compileWatermarks(long, reader),
    // 0 is DAMON's word for no limit.
    maxNrSnapshots: long.max_nr_snapshots || Number.POSITIVE_INFINITY,
    where: {
      scheme: locate(''),
      action: locate('action'),
      target: locate(targetKey(long)),
      from: locate('from'),
      rate: locate('access_pattern/nr_accesses/min'),
      quota: locate(long.quotas?.sz_bytes === undefined ? 'quotas' : 'quotas/sz_bytes'),
      applyInterval: locate('apply_interval_us'),
    },
    longForm: long,
  };
  return problems.length > before ? undefined : scheme;
}

const DEFAULT_RATIO = 2;
/** As long as the hot set of the workloads that we know stays: moves that pay later pay next to nothing. */
const DEFAULT_PAYBACK_US = 60e6;

function compileExchange(long: LongScheme, reader: SchemeReader): SchemeExchange | undefined {
  const { exchange } = long;
  if (exchange === undefined) return undefined;
  const { ratio = DEFAULT_RATIO } = exchange;
  if (long.action !== 'migrate_hot') {
    reader.fail(
      'exchange',
      `${long.action} fills no memory with what is hot, so nothing has to make way`,
      'leave exchange out, or say promote',
    );
  }
  if (ratio < 1) {
    reader.fail(
      'exchange/ratio',
      `a ratio of ${ratio} would drive out what is hotter`,
      'expected 1 or more, for example 2',
    );
  }
  return {
    ratio,
    paybackUs: reader.read('exchange/payback_us', exchange.payback_us, DEFAULT_PAYBACK_US, (value) =>
      timeOf(value, 1),
    ),
  };
}

function compilePattern(long: LongScheme, intervals: Intervals, reader: SchemeReader): SchemePattern {
  const pattern = long.access_pattern ?? {};
  const [minSzBytes, maxSzBytes] = readRange('access_pattern/sz_bytes', pattern.sz_bytes, reader, sizeOf);
  const ratePath = 'access_pattern/nr_accesses';
  const [minRatePerS, maxRatePerS] = readRange(ratePath, pattern.nr_accesses, reader, (value) =>
    rateOf(value, intervals),
  );
  const [minAgeUs, maxAgeUs] = readRange('access_pattern/age', pattern.age, reader, (value) =>
    ageOf(value, intervals),
  );
  if (minRatePerS.value === Number.POSITIVE_INFINITY) {
    const samples = samplesOf(intervals);
    reader.fail(
      `${ratePath}/min`,
      minRatePerS.isOpen
        ? `no region can be accessed in more than all ${samples} samples of an aggregation interval`
        : `an access in each of the ${samples} samples of an aggregation interval tells no rate, only that it is high`,
      `expected less than ${samples} samples, or a rate such as 30/s`,
    );
  }
  if (minSzBytes.value === Number.POSITIVE_INFINITY) {
    reader.fail('access_pattern/sz_bytes/min', 'no region is that large', 'expected for example 2M');
  }
  if (minAgeUs.value === Number.POSITIVE_INFINITY) {
    reader.fail('access_pattern/age/min', 'no region gets that old', 'expected for example 30s');
  }
  if (maxSzBytes.value === 0 || (maxSzBytes.isOpen && maxSzBytes.value <= 1)) {
    reader.fail('access_pattern/sz_bytes/max', 'no region is that small', 'expected at least 4 KiB');
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
  reader: SchemeReader,
  parse: (value: Quantity) => number,
): readonly [Bound, Bound] {
  const min = reader.read(`${path}/min`, input?.min, ZERO, (value) => boundOf(value, '>', parse));
  const max = reader.read(`${path}/max`, input?.max, OPEN_END, (value) => boundOf(value, '<', parse));
  const isEmpty = min.value > max.value || (min.value === max.value && (min.isOpen || max.isOpen));
  if (isEmpty && max.value !== Number.POSITIVE_INFINITY) {
    const key = path.split('/').at(-1);
    reader.fail(
      `${path}/min`,
      `${key}: min (${input?.min ?? 0}) is above max (${input?.max})`,
      'expected min <= max',
    );
  }
  return [min, max];
}

function targetKey(long: LongScheme): string {
  if (long.dests !== undefined) return 'dests';
  return long.target_nid === undefined ? 'target' : 'target_nid';
}

function compileDests(long: LongScheme, reader: SchemeReader): SchemeDest[] {
  const { action, target, target_nid: nid, dests } = long;
  if (ACTIONS[action].effect !== 'migrates') {
    if (target !== undefined || nid !== undefined || dests !== undefined) {
      reader.fail(
        targetKey(long),
        `${action} moves nothing, so it has no target`,
        'leave the target out; to act only on the memory of a node or tier say from',
      );
    }
    return [];
  }
  if (dests === undefined) {
    if (target?.toLowerCase() === ACCESSING && nid === undefined) return [{ place: ACCESSING, weight: 1 }];
    const fallback = action === 'migrate_hot' ? 'fast' : 'slow';
    return [{ place: reader.placeOf('', { nid, target }, 'target_nid') ?? fallback, weight: 1 }];
  }
  if (target !== undefined || nid !== undefined) {
    const key = target === undefined ? 'target_nid' : 'target';
    reader.fail(key, `${key} and dests are both given`, 'keep one of them');
  }
  const places = dests.map(({ target: name, id, weight }, i) => {
    const path = `dests/${i}`;
    if (name === undefined && id === undefined) {
      reader.fail(path, 'a place without its name', 'give it a target (DRAM, node1, ...) or an id');
    }
    return { place: reader.placeOf(path, { nid: id, target: name }, 'id') ?? 'fast', weight };
  });
  const used = places.filter(({ weight }) => weight > 0);
  if (used.length === 0) {
    reader.fail(
      'dests',
      'every weight is 0: no page would go anywhere',
      'give a place a weight of 1 or more',
    );
  }
  return used;
}
