/**
 * What is legal in schemes and yet unwise: each warning says where, what, why and what to do.
 *
 * Warnings are about schemes on a machine, before anything runs; they never stop a run.
 */
import type { TextPosition, WarningCode } from '../memory/error.ts';
import { type MemoryNode, tierOf } from '../memory/tier.ts';
import { formatBytes, formatTimeExact } from '../memory/units.ts';
import { hitShare } from '../monitor/rate.ts';
import { findContradictions } from './contradictions.ts';
import type { MachineFacts, ResolvedScheme } from './resolve.ts';
import type { SchemeGoal } from './scheme.ts';
import { type Intervals, samplesOf } from './scheme-reader.ts';
import { ACTIONS } from './vocabulary.ts';

export interface SchemeWarning {
  readonly code: WarningCode;
  readonly where: TextPosition;
  readonly message: string;
  readonly why: string;
  readonly hint: string;
}

export interface WarningFacts {
  readonly machine: MachineFacts;
  /** That hold when the schemes run. */
  readonly attrs: Intervals & { readonly minRegionSz: number };
  /** Free bytes by node, where known; elsewhere the capacities have to do. */
  readonly freeBytes?: ReadonlyMap<number, number>;
  /** True: the machine demotes by itself when a fast node fills up; undefined: not known. */
  readonly reclaims?: boolean | undefined;
}

type Report = (code: WarningCode, where: TextPosition, message: string, why: string, hint: string) => void;

/** Every warning, in the order of the schemes. */
export function findWarnings(schemes: readonly ResolvedScheme[], facts: WarningFacts): SchemeWarning[] {
  const warnings: SchemeWarning[] = [];
  const report: Report = (code, where, message, why, hint) => {
    warnings.push({ code, where, message, why, hint });
  };
  for (const resolved of schemes) {
    checkQuota(resolved, facts, report);
    checkInterval(resolved, facts, report);
    checkPattern(resolved, facts, report);
    checkDirection(resolved, facts, report);
    checkGoals(resolved, facts, report);
    checkRoom(resolved, schemes, facts, report);
  }
  for (const { first, second } of findContradictions(schemes, facts.machine.nodes)) {
    report(
      'THERMO_WARN_SCHEMES_UNDO',
      second.scheme.where.scheme,
      `${second.scheme.name} moves back what ${first.scheme.name} moves`,
      'both patterns match the same rates and ages, so the same memory goes to and fro',
      'part the patterns (hot>N against cold>T), or give both goals that leave a gap',
    );
  }
  return warnings;
}

function checkQuota(
  { scheme, dests }: ResolvedScheme,
  { machine, attrs }: WarningFacts,
  report: Report,
): void {
  const { szBytes, resetIntervalUs } = scheme.quota;
  const window = `${formatBytes(szBytes)} in ${formatTimeExact(resetIntervalUs)}`;
  if (szBytes < attrs.minRegionSz) {
    report(
      'THERMO_WARN_QUOTA_BELOW_REGION',
      scheme.where.quota,
      `a quota of ${window} is less than the smallest region, ${formatBytes(attrs.minRegionSz)}`,
      'a region is cut at the quota, but not below the smallest size: the scheme would do nothing',
      `give at least ${formatBytes(attrs.minRegionSz)} per window, or lower min_region_sz`,
    );
  }
  const nids = new Set(dests.flatMap((dest) => dest.nids));
  const capacity = bytesOf(machine.nodes, [...nids]);
  if (nids.size === 0 || !Number.isFinite(szBytes) || szBytes <= capacity) return;
  report(
    'THERMO_WARN_QUOTA_ABOVE_TARGET',
    scheme.where.quota,
    `a quota of ${window} is more than all of ${placesOf(scheme.dests)}, ${formatBytes(capacity)}`,
    'it limits nothing: the target is full before the quota is used',
    'give what the machine can move in that time, some GiB per second at most',
  );
}

function checkInterval({ scheme }: ResolvedScheme, { attrs }: WarningFacts, report: Report): void {
  const { applyIntervalUs } = scheme;
  if (applyIntervalUs === 0 || applyIntervalUs >= attrs.aggrUs) return;
  report(
    'THERMO_WARN_INTERVAL_BELOW_AGGREGATION',
    scheme.where.applyInterval,
    `a round each ${formatTimeExact(applyIntervalUs)} is more often than the regions change`,
    `rates and ages are new once per aggregation interval, ${formatTimeExact(attrs.aggrUs)}`,
    'leave the interval out: then a round follows each aggregation',
  );
}

function checkPattern({ scheme }: ResolvedScheme, { attrs }: WarningFacts, report: Report): void {
  const { minRatePerS, maxRatePerS, minAgeUs } = scheme.pattern;
  const samples = samplesOf(attrs);
  const share = hitShare(minRatePerS.value, attrs.sampleUs / 1e6);
  // Rounding of a share that was given as a whole number of samples must not matter.
  if (samples > 1 && share >= (samples - 1) / samples - 1e-9) {
    report(
      'THERMO_WARN_RATE_SATURATED',
      scheme.where.rate,
      `only memory seen accessed in all ${samples} samples of an aggregation interval is that hot`,
      `Accessed bits hardly tell ${Number(minRatePerS.value.toPrecision(3))}/s from any higher rate`,
      'ask for less, shorten the sampling interval, or make sure of push samples',
    );
  }
  if (ACTIONS[scheme.action].effect !== 'evicts' || minAgeUs.value > 0) return;
  const isAnyRate =
    minRatePerS.value === 0 && !minRatePerS.isOpen && maxRatePerS.value === Number.POSITIVE_INFINITY;
  report(
    'THERMO_WARN_MATCHES_ALL',
    scheme.where.action,
    isAnyRate
      ? `${scheme.action} without a pattern takes all memory, in use or not`
      : `${scheme.action} without an age takes memory that was idle for a single aggregation interval`,
    'what is paged out while in use comes back with a fault for each page',
    'say how long it must have been idle: cold>120s',
  );
}

/** Hot memory is to go up and cold memory down. */
function checkDirection(resolved: ResolvedScheme, { machine }: WarningFacts, report: Report): void {
  const { scheme, dests } = resolved;
  const isHot = scheme.action === 'migrate_hot';
  // Several places share by weight, to use the bandwidth of all.
  if (dests.length !== 1 || dests[0].isAccessing) return;
  const tiersOf = (nids: readonly number[]): number[] =>
    machine.nodes.filter(({ nid }) => nids.includes(nid)).map(tierOf);
  const targets = tiersOf(dests[0].nids);
  const sources = tiersOf(sourcesOf(resolved, machine.nodes));
  if (targets.length === 0 || sources.length === 0) return;
  const isWrong = isHot
    ? sources.every((source) => source < Math.min(...targets))
    : sources.every((source) => source > Math.max(...targets));
  if (!isWrong) return;
  report(
    'THERMO_WARN_WRONG_DIRECTION',
    scheme.where.target,
    isHot
      ? `the hottest memory moves to ${placesOf(scheme.dests)}, which is slower than where it comes from`
      : `the coldest memory moves to ${placesOf(scheme.dests)}, which is faster than where it comes from`,
    'each access to it would take longer, or fast memory would hold what nobody needs',
    isHot ? 'promote to a faster tier, or say demote' : 'demote to a slower tier, or say promote',
  );
}

function checkGoals({ scheme }: ResolvedScheme, { machine }: WarningFacts, report: Report): void {
  const { quota } = scheme;
  for (const goal of quota.goals) {
    const why = whyUnreachable(goal, (quota.szBytes * 1e6) / quota.resetIntervalUs, machine);
    if (why === undefined) continue;
    report(
      'THERMO_WARN_GOAL_UNREACHABLE',
      goal.where,
      'this goal can never be reached',
      `${why}; the scheme would use its whole quota for ever`,
      'aim lower, so that the scheme comes to rest',
    );
  }
}

function whyUnreachable(
  { metric, targetValue, place }: SchemeGoal,
  quotaPerS: number,
  machine: MachineFacts,
): string | undefined {
  const isAll = targetValue >= 10000;
  switch (metric) {
    case 'node_mem_used_bp':
      return isAll ? `some of ${place} is always free` : undefined;
    case 'node_mem_free_bp':
      return isAll ? `some of ${place} is always used` : undefined;
    case 'node_memcg_used_bp':
      return isAll ? `a cgroup never has all of ${place}` : undefined;
    case 'active_mem_bp':
    case 'inactive_mem_bp':
      return isAll ? 'some pages are always on the other lists' : undefined;
    case 'fast_access_bp':
      return isAll && machine.nodes.length > 1 ? 'some accesses always hit slower memory' : undefined;
    case 'migration_bytes_per_s':
      return targetValue > quotaPerS
        ? `the quota allows ${formatBytes(quotaPerS)} per second, less than the ${formatBytes(targetValue)} aimed at`
        : undefined;
    default:
      return undefined;
  }
}

/** A promotion fills its target; something must make room there. */
function checkRoom(
  resolved: ResolvedScheme,
  schemes: readonly ResolvedScheme[],
  { machine, freeBytes, reclaims }: WarningFacts,
  report: Report,
): void {
  const { scheme, dests } = resolved;
  if (scheme.action !== 'migrate_hot' || dests.length !== 1 || dests[0].isAccessing || reclaims === true)
    return;
  const { nids } = dests[0];
  const makesRoom = schemes.some((other) => {
    const { effect } = ACTIONS[other.scheme.action];
    if (other === resolved || (effect !== 'migrates' && effect !== 'evicts')) return false;
    return sourcesOf(other, machine.nodes).some((nid) => nids.includes(nid));
  });
  const free = freeBytes && nids.reduce((sum, nid) => sum + (freeBytes.get(nid) ?? 0), 0);
  const elsewhere = bytesOf(
    machine.nodes,
    sourcesOf(resolved, machine.nodes).filter((nid) => !nids.includes(nid)),
  );
  // What could be promoted fits: nothing has to make room.
  if (makesRoom || elsewhere <= (free ?? 0)) return;
  const place = placesOf(scheme.dests);
  report(
    'THERMO_WARN_NO_DEMOTION',
    scheme.where.scheme,
    `no scheme makes room in ${place}`,
    free === undefined
      ? `once ${place} is full, promotions fail, unless the machine's own reclaim demotes (kswapd, with numa/demotion_enabled)`
      : `${formatBytes(free)} of ${place} is free, and up to ${formatBytes(elsewhere)} may want to get in; then promotions fail, unless the machine's own reclaim demotes`,
    `add for example: demote cold>30s from ${place} to slow quota 512M/s`,
  );
}

/** Nodes from which a scheme takes memory: those it names, or all where it does not put it. */
export function sourcesOf(
  { fromNids, dests }: ResolvedScheme,
  nodes: readonly MemoryNode[],
): readonly number[] {
  if (fromNids !== undefined) return fromNids;
  const targets = dests.length === 1 && !dests[0].isAccessing ? dests[0].nids : [];
  return nodes.map((node) => node.nid).filter((nid) => !targets.includes(nid));
}

function bytesOf(nodes: readonly MemoryNode[], nids: readonly number[]): number {
  return nodes.reduce((sum, node) => sum + (nids.includes(node.nid) ? node.capacityBytes : 0), 0);
}

function placesOf(dests: readonly { readonly place: string }[]): string {
  return dests.map(({ place }) => place).join(' and ');
}
