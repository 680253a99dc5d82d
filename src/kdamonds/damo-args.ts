/** Kdamonds as options of damo's command line (reference userspace-tools section 1.6). */
import { orMax } from './damo-json.ts';
import type { DamonFilter, DamonScheme, Kdamond } from './model.ts';

/** Arguments of `damo start` or `damo tune`; lists are flat, and counters say how to slice them. */
export function toDamoArgs(kdamonds: readonly Kdamond[]): string[] {
  const args: string[] = [];
  const add = (option: string, ...values: readonly (string | number)[]): void => {
    args.push(`--${option}`, ...values.map(String));
  };
  for (const { ops, targets, intervals, nrRegions } of kdamonds) {
    add('ops', ops);
    for (const { pid, regions } of targets) {
      if (pid !== undefined) add('target_pid', pid);
      if (regions.length > 0) add('regions', regions.map(({ start, end }) => `${start}-${end}`).join(' '));
    }
    add('monitoring_intervals', us(intervals.sampleUs), us(intervals.aggrUs), us(intervals.opsUpdateUs));
    const { goal } = intervals;
    if (goal.aggrs > 0) {
      add(
        'monitoring_intervals_goal',
        percentOfBp(goal.accessBp),
        goal.aggrs,
        us(goal.minSampleUs),
        us(goal.maxSampleUs),
      );
    }
    add('monitoring_nr_regions_range', nrRegions.min, nrRegions.max);
  }
  const schemes = kdamonds.flatMap((kdamond) => kdamond.schemes);
  for (const scheme of schemes) addScheme(scheme, add);
  if (kdamonds.length > 1) {
    add('nr_targets', ...kdamonds.map(({ targets }) => targets.length));
    add('nr_schemes', ...kdamonds.map((kdamond) => kdamond.schemes.length));
    add('nr_ctxs', ...kdamonds.map(() => 1));
  }
  const goals = schemes.map(({ quota }) => quota.goals.length);
  if (schemes.length > 1 && goals.some((count) => count > 0)) add('damos_nr_quota_goals', ...goals);
  const filters = schemes.map((scheme) => scheme.filters.length);
  if (schemes.length > 1 && filters.some((count) => count > 0)) add('damos_nr_filters', ...filters);
  return args;
}

type Add = (option: string, ...values: readonly (string | number)[]) => void;

function addScheme(scheme: DamonScheme, add: Add): void {
  const { action, targetNid, dests, szBytes, nrAccesses, age, quota, watermarks } = scheme;
  const where = dests.length > 0 ? dests.flatMap(({ id, weight }) => [id, weight]) : [targetNid];
  add('damos_action', action, ...(targetNid < 0 && dests.length === 0 ? [] : where));
  add('damos_sz_region', szBytes.min, orMax(szBytes.max));
  add('damos_access_rate', `${nrAccesses.min} samples`, upTo(nrAccesses.max, 'samples'));
  add('damos_age', `${age.min} aggr_intervals`, upTo(age.max, 'aggr_intervals'));
  if (scheme.applyIntervalUs > 0) add('damos_apply_interval', us(scheme.applyIntervalUs));
  if (quota.timeMs > 0) add('damos_quota_time', `${quota.timeMs}ms`);
  if (quota.szBytes > 0) add('damos_quota_space', quota.szBytes);
  if (Number.isFinite(quota.resetIntervalMs)) add('damos_quota_interval', `${quota.resetIntervalMs}ms`);
  const { szPermil, nrAccessesPermil, agePermil } = quota.weights;
  add('damos_quota_weights', szPermil, nrAccessesPermil, agePermil);
  for (const { metric, targetValue, nid, memcgPath } of quota.goals) {
    const target = metric.endsWith('_bp') ? percentOfBp(targetValue) : targetValue;
    add('damos_quota_goal', metric, target, ...(nid >= 0 ? [nid] : []), ...(memcgPath ? [memcgPath] : []));
  }
  if (quota.goals.length > 0 && quota.goalTuner !== 'consist') add('damos_quota_goal_tuner', quota.goalTuner);
  if (watermarks.metric !== 'none') {
    const { metric, intervalUs, highPermil, midPermil, lowPermil } = watermarks;
    add('damos_wmarks', metric, us(intervalUs), highPermil, midPermil, lowPermil);
  }
  for (const filter of scheme.filters) add('damos_filter', ...filterWords(filter));
}

function filterWords(filter: DamonFilter): (string | number)[] {
  const { type, matching, allow, memcgPath, address, targetIndex, size } = filter;
  const head = [allow ? 'allow' : 'reject', ...(matching ? [] : ['none']), type];
  switch (type) {
    case 'memcg':
      return [...head, memcgPath];
    case 'addr':
      return [...head, address.start, orMax(address.end)];
    case 'target':
      return [...head, targetIndex];
    case 'hugepage_size':
      return [...head, size.min, orMax(size.max)];
    default:
      return head;
  }
}

/** As a line for a POSIX shell. */
export function shellLine(args: readonly string[]): string {
  return args
    .map((arg) => (/^[\w./:%,=-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", "'\\''")}'`))
    .join(' ');
}

function us(value: number): string {
  return `${value}us`;
}

function percentOfBp(bp: number): string {
  return `${bp / 100}%`;
}

function upTo(value: number, unit: string): string {
  return Number.isFinite(value) ? `${value} ${unit}` : 'max';
}
