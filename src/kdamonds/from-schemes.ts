/**
 * Schemes as kdamonds of a kernel: the same meaning where the kernel has it, the nearest where it has not, and a
 * note wherever they differ.
 *
 * DAMON acts on the memory that a context watches and has no source node, so physical memory gets one kdamond for
 * each source that schemes name. Rates and times become samples and aggregation intervals (they cannot follow
 * intervals that the kernel tunes: said in a note).
 */
import type { MonitorAttrs } from '../monitor/monitor.ts';
import type { ResolvedScheme } from '../schemes/resolve.ts';
import { FilterExporter } from './filters.ts';
import { exportGoals } from './goals.ts';
import { formatKernelVersion, hasFeature, type KernelVersion, sinceVersion } from './kernel.ts';
import type { DamonScheme, DamonTarget, Kdamond, Region } from './model.ts';
import { type ExportNote, Notes, type SchemeNotes } from './notes.ts';
import { ageRange, byteRange, samplesRange } from './pattern.ts';

export interface ExportOptions {
  readonly kernel: KernelVersion;
  /** A process, or physical memory. */
  readonly pid: number | undefined;
  /** Physical address ranges by node; empty where they are not known. */
  readonly nodeRanges: ReadonlyMap<number, readonly Region[]>;
  /** Physical addresses to watch where those of nodes are not known. */
  readonly regions?: readonly Region[] | undefined;
  readonly attrs: MonitorAttrs;
  /** All nodes of the machine. */
  readonly nids: readonly number[];
}

export interface Exported {
  readonly kdamonds: readonly Kdamond[];
  /** Of the schemes of each kdamond. */
  readonly names: readonly (readonly string[])[];
  readonly notes: readonly ExportNote[];
}

/** Schemes that share a kdamond. */
interface Group {
  readonly nids: readonly number[] | undefined;
  readonly names: string[];
  readonly schemes: DamonScheme[];
}

const OPS_UPDATE_US = 1e6;
/** The first window of these kernels has no quota: what is this old is not all memory that was just filled. */
const SAFE_AGE = 3;

export function exportSchemes(schemes: readonly ResolvedScheme[], options: ExportOptions): Exported {
  const notes = new Notes();
  const groups = new Map<string, Group>();
  for (const resolved of schemes) {
    const schemeNotes = notes.of(resolved.scheme.name, resolved.scheme.where.scheme);
    const nids = sourceOf(resolved, options, schemeNotes);
    const damon = exportScheme(resolved, options, schemeNotes);
    if (schemeNotes.isRefused) continue;
    const key = nids?.join(',') ?? '';
    const group = groups.get(key) ?? { nids, names: [], schemes: [] };
    group.names.push(resolved.scheme.name);
    group.schemes.push(damon);
    groups.set(key, group);
  }
  const intervals = exportIntervals(options, notes);
  const kdamonds = [...groups.values()].map(({ nids, schemes: ofGroup }) => ({
    ops: options.pid === undefined ? ('paddr' as const) : ('vaddr' as const),
    targets: [targetOf(options, nids)],
    intervals,
    nrRegions: { min: options.attrs.minNrRegions, max: options.attrs.maxNrRegions },
    schemes: ofGroup,
  }));
  if (options.pid === undefined && kdamonds.some(({ targets }) => targets[0].regions.length === 0)) {
    notes.add({
      kind: 'lost',
      scheme: undefined,
      message: 'which physical addresses are memory is not known, so the list of regions is empty',
      hint: 'say --regions START-END or --node-regions NODE=START-END, or export on the machine itself with --machine linux',
    });
  }
  return { kdamonds, names: [...groups.values()].map(({ names }) => names), notes: notes.list };
}

/** The nodes whose memory alone is to be watched; undefined: all. */
function sourceOf(
  { scheme, dests, fromNids }: ResolvedScheme,
  { nids, pid, nodeRanges }: ExportOptions,
  notes: SchemeNotes,
): readonly number[] | undefined {
  if (fromNids === undefined) return undefined;
  const targets = dests.flatMap((dest) => dest.nids);
  // Memory that is at the target already is not moved, so two nodes need no source.
  const others = nids.filter((nid) => !targets.includes(nid) && !fromNids.includes(nid));
  const isNeeded = others.length > 0 || targets.length === 0;
  if (pid === undefined && fromNids.every((nid) => nodeRanges.has(nid))) return fromNids;
  if (!isNeeded) return undefined;
  notes.refused(
    pid === undefined
      ? `memory from ${scheme.from} cannot be told apart without the addresses of node ${fromNids.join(', ')}`
      : `DAMON cannot tell where memory of a process lies, so "from ${scheme.from}" has no counterpart`,
    pid === undefined
      ? 'say --node-regions NODE=START-END, or export on the machine itself'
      : 'export for physical memory, or leave from out',
    scheme.where.from,
  );
  return undefined;
}

function targetOf(
  { pid, nodeRanges, regions = [] }: ExportOptions,
  nids: readonly number[] | undefined,
): DamonTarget {
  if (pid !== undefined) return { pid, regions: [] };
  const of = nids ?? [...nodeRanges.keys()];
  const ofNodes = of.flatMap((nid) => nodeRanges.get(nid) ?? []).sort((a, b) => a.start - b.start);
  return { pid, regions: ofNodes.length > 0 ? ofNodes : regions };
}

function exportIntervals({ attrs, kernel }: ExportOptions, notes: Notes): Kdamond['intervals'] {
  const { sampleUs, aggrUs, intervalsGoal } = attrs;
  let goal = { accessBp: 0, aggrs: 0, minSampleUs: 0, maxSampleUs: 0 };
  if (intervalsGoal !== undefined && intervalsGoal.aggrs > 0) {
    if (hasFeature(kernel, 'intervals_goal')) {
      goal = { ...intervalsGoal };
      notes.add({
        kind: 'changed',
        scheme: undefined,
        message:
          'the kernel tunes the intervals, but rates and ages of schemes stay the numbers of samples that they are now',
        hint: 'without intervals_goal they keep their meaning',
      });
    } else {
      notes.add({
        kind: 'lost',
        scheme: undefined,
        message: `Linux ${formatKernelVersion(kernel)} does not tune intervals (since ${sinceVersion('intervals_goal')}): they stay as they are`,
      });
    }
  }
  return { sampleUs, aggrUs, opsUpdateUs: OPS_UPDATE_US, goal };
}

function exportScheme(resolved: ResolvedScheme, options: ExportOptions, notes: SchemeNotes): DamonScheme {
  const { scheme } = resolved;
  const { kernel, attrs, pid } = options;
  const { pattern, quota, where } = scheme;
  const lacks = (feature: Parameters<typeof hasFeature>[1]): boolean => !hasFeature(kernel, feature);
  const name = `Linux ${formatKernelVersion(kernel)}`;
  const isMigration = scheme.action === 'migrate_hot' || scheme.action === 'migrate_cold';
  if (isMigration && lacks('migration')) {
    notes.refused(
      `${name} does not migrate (since ${sinceVersion('migration')})`,
      'choose a newer kernel, or pageout',
    );
  } else if (isMigration && pid !== undefined && lacks('virtual_migration')) {
    notes.refused(
      `${name} takes migrations of a process and does nothing (since ${sinceVersion('virtual_migration')})`,
      'export for physical memory',
    );
  }
  if (scheme.action === 'collapse' && lacks('collapse'))
    notes.refused(`${name} cannot collapse (since ${sinceVersion('collapse')})`);
  if (scheme.exchange !== undefined) {
    notes.lost(
      'an exchange has no counterpart: a full target takes what comes as far as reclaim makes room',
      'give it a goal such as DRAM used 99.7%, and let another scheme demote',
    );
  }
  if (Number.isFinite(quota.top)) {
    notes.lost(`top ${quota.top}: the kernel bounds bytes and time alone`, undefined, where.quota);
  }
  let age = ageRange(pattern, attrs.aggrUs, notes);
  const isLimited = Number.isFinite(quota.szBytes) || Number.isFinite(quota.timeUs) || quota.goals.length > 0;
  if (isLimited && lacks('quota_of_first_window') && age.min < SAFE_AGE) {
    age = { ...age, min: Math.min(SAFE_AGE, age.max) };
    notes.changed(
      `${name} ignores a quota in its first window; an age of ${SAFE_AGE} aggregation intervals keeps most of what that would move`,
    );
  }
  if (isLimited && quota.prioritize === 'exact' && scheme.action !== 'stat') {
    notes.changed(
      'the kernel orders by a histogram of 100 scores, and by address within one',
      undefined,
      where.quota,
    );
  }
  return {
    action: scheme.action,
    ...exportDests(resolved, kernel, notes),
    szBytes: byteRange(pattern),
    nrAccesses: samplesRange(pattern, attrs, notes, where.rate),
    age,
    applyIntervalUs: orLost(scheme.applyIntervalUs, 0, lacks('apply_interval'), () =>
      notes.lost(
        `${name} applies schemes each aggregation interval (since ${sinceVersion('apply_interval')} as said)`,
        undefined,
        where.applyInterval,
      ),
    ),
    quota: {
      timeMs: Number.isFinite(quota.timeUs) ? Math.max(1, Math.round(quota.timeUs / 1000)) : 0,
      szBytes: Number.isFinite(quota.szBytes) ? quota.szBytes : 0,
      resetIntervalMs: isLimited
        ? Math.max(1, Math.round(quota.resetIntervalUs / 1000))
        : Number.POSITIVE_INFINITY,
      weights: isLimited ? weightsOf(quota) : { szPermil: 0, nrAccessesPermil: 0, agePermil: 0 },
      ...exportFailCharge(isLimited ? quota.failCharge : 1, kernel, notes),
      ...exportGoals(resolved, kernel, notes),
    },
    watermarks: exportWatermarks(resolved),
    filters: new FilterExporter(resolved, options, notes).export(),
    maxNrSnapshots: orLost(
      Number.isFinite(scheme.maxNrSnapshots) ? scheme.maxNrSnapshots : 0,
      0,
      lacks('max_nr_snapshots'),
      () =>
        notes.lost(
          `${name} does not count rounds (since ${sinceVersion('max_nr_snapshots')}): it goes on for ever`,
        ),
    ),
  };
}

function exportDests(
  { scheme, dests }: ResolvedScheme,
  kernel: KernelVersion,
  notes: SchemeNotes,
): Pick<DamonScheme, 'targetNid' | 'dests'> {
  const none = { targetNid: -1, dests: [] };
  const { target } = scheme.where;
  if (dests.length === 0) return none;
  if (dests.some(({ isAccessing }) => isAccessing)) {
    notes.refused('the kernel does not know which node accesses memory', 'name the target', target);
    return none;
  }
  if (dests.length === 1) {
    const [{ nids }] = dests;
    if (nids.length > 1)
      notes.changed(`of ${scheme.dests[0].place} only node ${nids[0]} is the target`, undefined, target);
    return { targetNid: nids[0], dests: [] };
  }
  if (!hasFeature(kernel, 'dests')) {
    notes.refused(
      `Linux ${formatKernelVersion(kernel)} has no weighted targets (since ${sinceVersion('dests')})`,
      'write one scheme for each, with its part of the quota',
      target,
    );
  }
  return { targetNid: -1, dests: dests.map(({ nids: [id], weight }) => ({ id, weight })) };
}

function weightsOf({ weights }: ResolvedScheme['scheme']['quota']): DamonScheme['quota']['weights'] {
  const { sz, nrAccesses, age } = weights;
  return {
    szPermil: Math.round(sz * 1000),
    nrAccessesPermil: Math.round(nrAccesses * 1000),
    agePermil: Math.round(age * 1000),
  };
}

function orLost(value: number, absent: number, isLacking: boolean, tell: () => void): number {
  if (value === absent || !isLacking) return value;
  tell();
  return absent;
}

const FAIL_CHARGE_DENOM = 1000;

function exportFailCharge(
  share: number,
  kernel: KernelVersion,
  notes: SchemeNotes,
): Pick<DamonScheme['quota'], 'failChargeNum' | 'failChargeDenom'> {
  if (share === 1) return { failChargeNum: 0, failChargeDenom: 0 };
  if (!hasFeature(kernel, 'fail_charge')) {
    notes.lost(
      `Linux ${formatKernelVersion(kernel)} charges what fails in full (since ${sinceVersion('fail_charge')} a part of it)`,
    );
    return { failChargeNum: 0, failChargeDenom: 0 };
  }
  return { failChargeNum: Math.round(share * FAIL_CHARGE_DENOM), failChargeDenom: FAIL_CHARGE_DENOM };
}

function exportWatermarks({ scheme: { watermarks } }: ResolvedScheme): DamonScheme['watermarks'] {
  if (watermarks === undefined)
    return { metric: 'none', intervalUs: 0, highPermil: 0, midPermil: 0, lowPermil: 0 };
  const { intervalUs, high, mid, low } = watermarks;
  return {
    metric: 'free_mem_rate',
    intervalUs,
    highPermil: Math.round(high * 1000),
    midPermil: Math.round(mid * 1000),
    lowPermil: Math.round(low * 1000),
  };
}
