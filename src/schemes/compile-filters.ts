/** `filters` and `watermarks` of the long form. */
import { ThermoError } from '../memory/error.ts';
import { parseShare } from '../memory/units.ts';
import { checkMemcgPath } from './compile-quota.ts';
import type { Filter, LongScheme } from './schema.ts';
import type { Bound, SchemeFilter, SchemeWatermarks } from './scheme.ts';
import {
  boundOf,
  finiteTimeOf,
  permilOf,
  type Quantity,
  type SchemeReader,
  sizeOf,
} from './scheme-reader.ts';
import { FILTERS, type FilterType } from './vocabulary.ts';

/** Of the watermarks, as the kernel's modules have it. */
const DEFAULT_WATERMARK_INTERVAL_US = 5e6;

/** The keys that bring the parameter of a filter; of `place` any one of them. */
const PARAMETER_KEYS: Readonly<Record<(typeof FILTERS)[FilterType]['parameter'], readonly (keyof Filter)[]>> =
  {
    none: [],
    path: ['memcg_path'],
    sizes: ['hugepage_size'],
    addresses: ['address_range'],
    target: ['damon_target_idx'],
    place: ['nid', 'target'],
    share: ['share'],
  };
const ALL_KEYS = Object.values(PARAMETER_KEYS).flat();

export function compileFilters(long: LongScheme, reader: SchemeReader): SchemeFilter[] {
  return (long.filters ?? []).map((filter, i) => compileFilter(filter, `filters/${i}`, reader));
}

function compileFilter(filter: Filter, path: string, reader: SchemeReader): SchemeFilter {
  const type = filter.filter_type;
  const { parameter } = FILTERS[type];
  const keys = PARAMETER_KEYS[parameter];
  for (const key of ALL_KEYS) {
    if (filter[key] === undefined || keys.includes(key)) continue;
    reader.fail(
      `${path}/${key}`,
      `a filter of ${type} has no ${key}`,
      keys.length > 0 ? `it has: ${keys.join(' or ')}` : `leave ${key} out`,
    );
  }
  if (keys.length > 0 && keys.every((key) => filter[key] === undefined)) {
    reader.fail(
      path,
      `a filter of ${type} lacks its ${keys.join(' or ')}`,
      `give it, for example ${EXAMPLES[parameter]}`,
    );
  }
  checkMemcgPath(filter.memcg_path, `${path}/memcg_path`, reader);
  return {
    type,
    matching: filter.matching ?? true,
    allow: filter.allow ?? false,
    path: filter.memcg_path,
    range: compileRange(filter, path, reader),
    targetIndex: filter.damon_target_idx,
    place: parameter === 'place' ? compilePlace(filter, path, reader) : undefined,
    where: reader.locate(path),
  };
}

const EXAMPLES: Readonly<Record<keyof typeof PARAMETER_KEYS, string>> = {
  none: '',
  path: 'memcg_path: /app',
  sizes: 'hugepage_size: [2 MiB, 1 GiB]',
  addresses: 'address_range: [4G, 8G]',
  target: 'damon_target_idx: 0',
  place: 'target: CXL',
  share: 'share: [50 %, 100 %]',
};

function compilePlace(filter: Filter, path: string, reader: SchemeReader): string | undefined {
  const { nid, target, filter_type: type } = filter;
  if (type === 'tier' && nid !== undefined) {
    reader.fail(`${path}/nid`, 'a filter of tier has no nid', 'say filter_type: node, or give target: CXL');
  }
  return reader.placeOf(path, { nid, target });
}

type Pair = NonNullable<Filter['hugepage_size'] | Filter['address_range'] | Filter['share']>;

function compileRange(filter: Filter, path: string, reader: SchemeReader): SchemeFilter['range'] {
  const { address_range: addresses, hugepage_size: sizes, share } = filter;
  if (addresses !== undefined) {
    const range = readPair(`${path}/address_range`, addresses, ['start', 'end'], reader, sizeOf);
    if (range?.start.isOpen) {
      reader.fail(
        `${path}/address_range`,
        'the start of an address range is inside it',
        'expected for example 4G..8G',
      );
    }
    if (range === undefined) return undefined;
    if (range.start.value >= range.end.value) {
      reader.fail(`${path}/address_range`, 'the address range is empty', 'expected start < end');
    }
    return { min: range.start.value, max: range.end.value };
  }
  if (sizes !== undefined) {
    const range = readPair(`${path}/hugepage_size`, sizes, ['min', 'max'], reader, sizeOf);
    return (
      range && closed(`${path}/hugepage_size`, range, reader, (bound) => bound.value + (bound.isOpen ? 1 : 0))
    );
  }
  if (share === undefined) return undefined;
  const range = readPair(`${path}/share`, share, ['min', 'max'], reader, shareOf);
  return range && closed(`${path}/share`, range, reader, nextUp);
}

interface Pairs {
  readonly start: Bound;
  readonly end: Bound;
}

function readPair(
  path: string,
  pair: Pair,
  names: readonly [string, string],
  reader: SchemeReader,
  parse: (value: Quantity) => number,
): Pairs | undefined {
  const isList = Array.isArray(pair);
  const ends = names.map((name, i) => {
    // The schema allows a list of two, or a map with these names.
    const value = isList
      ? (pair[i] as Quantity)
      : (pair as Readonly<Record<string, Quantity | undefined>>)[name];
    const at = `${path}/${isList ? i : name}`;
    const open: Bound = { value: i === 0 ? 0 : Number.POSITIVE_INFINITY, isOpen: false };
    return reader.read<Quantity, Bound | undefined>(
      at,
      value ?? undefined,
      value === undefined ? open : undefined,
      (given) => boundOf(given, i === 0 ? '>' : '<', parse),
    );
  });
  const [start, end] = ends;
  return start === undefined || end === undefined ? undefined : { start, end };
}

/** Both ends as inclusive ones; `up` gives the least value at or above an open or closed bound. */
function closed(
  path: string,
  { start, end }: Pairs,
  reader: SchemeReader,
  up: (bound: Bound) => number,
): { min: number; max: number } {
  const min = up(start);
  const max = end.isOpen ? -up({ value: -end.value, isOpen: true }) : end.value;
  if (min > max) reader.fail(path, 'no value lies between these ends', 'expected min <= max');
  return { min, max };
}

function shareOf(value: Quantity): number {
  if (typeof value === 'string') return value.trim().toLowerCase() === 'max' ? 1 : parseShare(value);
  throw new ThermoError('THERMO_UNITS_BAD_VALUE', `${value} is not a percentage`, {
    hint: 'accepted: 0 % to 100 %',
  });
}

/** Of an open bound the next larger number (a step of at most two units in the last place). */
function nextUp({ value, isOpen }: Bound): number {
  if (!isOpen) return value;
  return value === 0 ? Number.MIN_VALUE : value + Math.abs(value) * Number.EPSILON;
}

export function compileWatermarks(long: LongScheme, reader: SchemeReader): SchemeWatermarks | undefined {
  const given = long.watermarks;
  if (given === undefined || given.metric === 'none') return undefined;
  const permil = (key: 'high_permil' | 'mid_permil' | 'low_permil', fallback: number): number =>
    reader.read(`watermarks/${key}`, given[key], fallback, permilOf);
  const intervalUs = reader.read(
    'watermarks/interval_us',
    given.interval_us,
    DEFAULT_WATERMARK_INTERVAL_US,
    (value) => finiteTimeOf(value, 1),
  );
  if (intervalUs === 0) {
    reader.fail(
      'watermarks/interval_us',
      'free memory cannot be looked at all the time',
      'expected for example 5s',
    );
  }
  const high = permil('high_permil', 1);
  const mid = permil('mid_permil', high);
  const low = permil('low_permil', 0);
  const show = (share: number): string => `${Number((share * 1000).toPrecision(12))} permil`;
  if (mid > high) {
    reader.fail(
      'watermarks/mid_permil',
      `mid (${show(mid)}) is above high (${show(high)})`,
      'expected high >= mid >= low',
    );
  }
  if (low > mid) {
    reader.fail(
      'watermarks/low_permil',
      `low (${show(low)}) is above mid (${show(mid)})`,
      'expected high >= mid >= low',
    );
  }
  if (high === low) {
    reader.fail(
      'watermarks/high_permil',
      'the scheme would hardly ever be active: high and low are the same',
      'expected high > low',
    );
  }
  return { intervalUs, high, mid, low };
}
