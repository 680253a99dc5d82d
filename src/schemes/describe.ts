/** A scheme in plain words: what memory, what is done to it, how much, in what order, when. */
import {
  formatBytes,
  formatBytesExact,
  formatCount,
  formatShareExact,
  formatTimeExact,
} from '../memory/units.ts';
import { foldLine } from '../view/fold.ts';
import { ACCESSING } from './resolve.ts';
import type { Bound, Scheme, SchemeFilter, SchemeGoal } from './scheme.ts';
import { ACTIONS, FILTERS } from './vocabulary.ts';

/** Several sentences, in the order in which somebody would ask. */
export function describeScheme(scheme: Scheme): string {
  return [
    describeAction(scheme),
    describeLimits(scheme),
    describeGoals(scheme),
    describeExchange(scheme),
    describeFilters(scheme.filters),
    describeWatermarks(scheme),
    describeRounds(scheme),
  ]
    .filter((sentence) => sentence !== '')
    .map((sentence) => `${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}.`)
    .join(' ');
}

/** The description in lines of at most `width`, numbers together with their units. */
export function describeInLines(scheme: Scheme, width: number, lead = ''): string[] {
  const text = `${lead}${describeScheme(scheme)}`.replace(/(\d) (?=%|[KMGTP]iB)/g, '$1\u00a0');
  return foldLine(text, width).map((line) => line.replaceAll('\u00a0', ' '));
}

function describeAction(scheme: Scheme): string {
  const { action, from, pattern } = scheme;
  const conditions = [
    pattern.mustBeIdle ? 'without any access seen' : describeRates(pattern.minRatePerS, pattern.maxRatePerS),
    describeRange(pattern.minAgeUs, pattern.maxAgeUs, formatTimeExact, 'for'),
    describeRange(pattern.minSzBytes, pattern.maxSzBytes, formatBytesExact, 'of'),
  ].filter((text) => text !== '');
  const regions = conditions.length === 0 ? 'all regions' : `the regions ${conditions.join(', ')}`;
  const { verb, effect } = ACTIONS[action];
  if (effect !== 'migrates')
    return `${verb} ${regions}${from === undefined ? '' : `, as far as they lie on ${placeName(from)}`}`;
  return `${verb}${from === undefined ? '' : ` from ${placeName(from)}`} to ${describeDests(scheme)} ${regions}`;
}

function describeDests({ dests }: Scheme): string {
  if (dests[0]?.place === ACCESSING) return 'the node that accesses them';
  const places = dests.map(({ place }) => placeName(place)).join(' and ');
  return dests.length === 1
    ? places
    : `${places}, pages spread ${dests.map(({ weight }) => weight).join(':')},`;
}

function describeLimits({ action, quota }: Scheme): string {
  const perWindow = [
    Number.isFinite(quota.szBytes) ? formatBytesExact(quota.szBytes) : '',
    Number.isFinite(quota.timeUs) ? `${formatTimeExact(quota.timeUs)} of CPU time` : '',
  ].filter((text) => text !== '');
  const { goals, failCharge } = quota;
  const limits = [
    perWindow.length > 0 ? `${perWindow.join(' and ')} per ${formatTimeExact(quota.resetIntervalUs)}` : '',
    Number.isFinite(quota.top) ? `${formatCount(quota.top)} regions per round` : '',
  ].filter((text) => text !== '');
  if (limits.length === 0 && goals.length === 0) return '';
  const limit = limits.length > 0 ? `at most ${limits.join(' and ')}` : 'as much as its goals ask for';
  const inVain = failCharge < 1 ? `; of what is tried in vain ${percent(failCharge)} counts` : '';
  return `${limit}${describeOrder(action, quota)}${inVain}`;
}

function describeExchange({ exchange }: Scheme): string {
  if (exchange === undefined) return '';
  const { ratio, paybackUs } = exchange;
  const payback = Number.isFinite(paybackUs)
    ? `leaves where it is what would not pay for two moves within ${formatTimeExact(paybackUs)}; `
    : '';
  return `${payback}where the target is full, the coldest of what is hot there makes way for what is ${ratio} times as hot`;
}

function describeOrder(action: Scheme['action'], { weights, prioritize }: Scheme['quota']): string {
  const { order } = ACTIONS[action];
  if (order === 'none') return ', in the order of addresses';
  const byWeight: readonly (readonly [number, string])[] = [
    [weights.nrAccesses, order === 'hot' ? 'hottest' : 'coldest'],
    [weights.age, 'longest so'],
    [weights.sz, 'largest'],
  ];
  const given = byWeight.filter(([weight]) => weight > 0);
  const words = given.map(([weight, word]) =>
    given.length === 1 ? word : `${word} (weight ${percent(weight)})`,
  );
  const histogram = prioritize === 'damon' ? " by DAMON's histogram, then in the order of addresses" : '';
  return `, ${words.join(', ')} first${histogram}`;
}

function describeGoals({ quota: { goals, tuner } }: Scheme): string {
  if (goals.length === 0) return '';
  const best = goals.length > 1 ? ', whichever is nearest' : '';
  return `the quota is tuned (${tuner}) until ${goals.map(describeGoal).join(', or ')}${best}`;
}

function describeGoal({ metric, targetValue, place: name, memcgPath }: SchemeGoal): string {
  const place = placeName(name);
  const share = percent(targetValue / 10000);
  switch (metric) {
    case 'user_input':
      return `the number that the user feeds is ${targetValue}`;
    case 'some_mem_psi_us':
      return `threads wait ${formatTimeExact(targetValue)} for memory per window`;
    case 'node_mem_used_bp':
      return `${share} of ${place} is used`;
    case 'node_mem_free_bp':
      return `${share} of ${place} is free`;
    case 'node_memcg_used_bp':
      return `${memcgPath} uses ${share} of ${place}`;
    case 'node_memcg_free_bp':
      return `${share} of ${place} is not used by ${memcgPath}`;
    case 'active_mem_bp':
      return `${share} of the memory on LRU lists is active`;
    case 'inactive_mem_bp':
      return `${share} of the memory on LRU lists is inactive`;
    case 'node_eligible_mem_bp':
      return `${share} of the memory that matches lies on ${place}`;
    case 'fast_access_bp':
      return `${share} of the accesses hit the fast tier`;
    case 'slowdown_bp':
      return `accesses take only ${share} longer than if all were fast`;
    case 'fast_latency_bp':
      return `an access to the fast tier takes ${share} of the time of one to the slower tier`;
    case 'slow_latency_bp':
      return `an access to the slower tier takes ${share} of the time of one to the fast tier`;
    case 'migration_bytes_per_s':
      return `schemes migrate ${formatBytes(targetValue)} per second`;
    case 'cpu_bp':
      return `monitoring and schemes take ${share} of a CPU`;
  }
}

function describeFilters(filters: readonly SchemeFilter[]): string {
  const [last] = [...filters].reverse();
  if (last === undefined) return '';
  const hasAllow = filters.some((filter) => filter.allow);
  if (!hasAllow) return `leaves out ${filters.map(describeFilter).join('; ')}`;
  const parts = filters.map((filter) => `${filter.allow ? 'takes' : 'leaves out'} ${describeFilter(filter)}`);
  return `of these, as the first that matches decides: ${parts.join('; ')}; all else is ${last.allow ? 'left out' : 'taken'}`;
}

function describeFilter(filter: SchemeFilter): string {
  return `${filter.matching ? '' : 'all but '}${describeMatch(filter)}`;
}

function describeMatch({ type, path, range, targetIndex, place: name }: SchemeFilter): string {
  const place = placeName(name);
  const ends = (format: (value: number) => string): string =>
    range === undefined
      ? ''
      : range.max === Number.POSITIVE_INFINITY
        ? `${format(range.min)} or more`
        : `${format(range.min)} to ${format(range.max)}`;
  switch (type) {
    case 'addr':
      return `memory at addresses ${ends(formatBytesExact)}`;
    case 'target':
      return `memory of target ${targetIndex}`;
    case 'accessing_node':
      return `memory that the CPUs of ${place} access most`;
    case 'store_share':
      return `memory of whose accesses ${ends(percent)} are stores`;
    case 'memcg':
      return `pages of the cgroup ${path}`;
    case 'hugepage_size':
      return `huge pages of ${ends(formatBytesExact)}`;
    case 'node':
    case 'tier':
      return `pages on ${place}`;
    case 'young':
      return 'pages accessed since the last look';
    default:
      return FILTERS[type].description;
  }
}

function describeWatermarks({ watermarks }: Scheme): string {
  if (watermarks === undefined) return '';
  const { high, mid, low, intervalUs } = watermarks;
  const above = mid < high ? ` until that falls below ${percent(mid)}` : '';
  const below = low > 0 ? `, and while less than ${percent(low)} is` : '';
  return `rests while more than ${percent(high)} of all memory is free${above}${below}; looks each ${formatTimeExact(intervalUs)}`;
}

function describeRounds({ applyIntervalUs, maxNrSnapshots }: Scheme): string {
  const when =
    applyIntervalUs > 0
      ? `a round every ${formatTimeExact(applyIntervalUs)}`
      : 'a round after each aggregation interval';
  if (!Number.isFinite(maxNrSnapshots)) return when;
  return `${when}, ${formatCount(maxNrSnapshots)} in all`;
}

function describeRange(min: Bound, max: Bound, format: (value: number) => string, lead: string): string {
  const low =
    min.value > 0 || min.isOpen ? `${min.isOpen ? 'more than' : 'at least'} ${format(min.value)}` : '';
  const high = Number.isFinite(max.value)
    ? `${max.isOpen ? 'less than' : 'at most'} ${format(max.value)}`
    : '';
  const bounds = [low, high].filter((text) => text !== '').join(' and ');
  return bounds === '' ? '' : `${lead} ${bounds}`;
}

function describeRates(min: Bound, max: Bound): string {
  const isAny = min.value === 0 && min.isOpen && !Number.isFinite(max.value);
  return isAny ? 'accessed at all' : describeRange(min, max, formatRate, 'accessed');
}

/** As a part of a sentence; a node or a kind of node by its name. */
function placeName(place: string | undefined): string {
  if (place === 'fast') return 'the fast tier';
  return place === 'slow' ? 'the slower tiers' : (place ?? '');
}

function formatRate(perS: number): string {
  return `${Number(perS.toPrecision(4))}/s per page`;
}

function percent(share: number): string {
  return formatShareExact(Number(share.toPrecision(6)));
}
