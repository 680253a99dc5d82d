/**
 * Kdamonds as damo reads them (reference userspace-tools section 1.6): a block that is there must be complete, so
 * all blocks are, and what damo 3.3.0 would take for another unit carries its own.
 */
import type { DamonFilter, DamonGoal, DamonScheme, Kdamond } from './model.ts';

type Json = Readonly<Record<string, unknown>>;

/** The document `{kdamonds: [...]}`; numbers are plain where damo takes them in the unit of the key. */
export function toDamoJson(kdamonds: readonly Kdamond[]): Json {
  return { kdamonds: kdamonds.map((kdamond) => ({ contexts: [contextOf(kdamond)] })) };
}

function contextOf({ ops, targets, intervals, nrRegions, schemes }: Kdamond): Json {
  const { sampleUs, aggrUs, opsUpdateUs, goal } = intervals;
  return {
    ops,
    targets: targets.map(({ pid, regions }) => ({ pid: pid ?? null, regions })),
    intervals: {
      sample_us: sampleUs,
      aggr_us: aggrUs,
      ops_update_us: opsUpdateUs,
      intervals_goal: {
        access_bp: goal.accessBp,
        aggrs: goal.aggrs,
        min_sample_us: goal.minSampleUs,
        max_sample_us: goal.maxSampleUs,
      },
    },
    nr_regions: nrRegions,
    schemes: schemes.map(schemeOf),
  };
}

function schemeOf(scheme: DamonScheme): Json {
  const { quota, watermarks } = scheme;
  return {
    action: scheme.action,
    ...(scheme.targetNid >= 0 ? { target_nid: scheme.targetNid } : {}),
    ...(scheme.dests.length > 0 ? { dests: scheme.dests } : {}),
    access_pattern: {
      sz_bytes: { min: scheme.szBytes.min, max: orMax(scheme.szBytes.max) },
      nr_accesses: {
        min: `${scheme.nrAccesses.min} samples`,
        max: `${orUintMax(scheme.nrAccesses.max)} samples`,
      },
      age: {
        min: `${scheme.age.min} aggr_intervals`,
        max: `${orUintMax(scheme.age.max)} aggr_intervals`,
      },
    },
    apply_interval_us: scheme.applyIntervalUs,
    quotas: {
      time_ms: quota.timeMs,
      sz_bytes: quota.szBytes,
      reset_interval_ms: orMax(quota.resetIntervalMs),
      weights: {
        sz_permil: quota.weights.szPermil,
        nr_accesses_permil: quota.weights.nrAccessesPermil,
        age_permil: quota.weights.agePermil,
      },
      fail_charge_num: quota.failChargeNum,
      fail_charge_denom: quota.failChargeDenom,
      goals: quota.goals.map(goalOf),
      goal_tuner: quota.goalTuner,
    },
    watermarks: {
      metric: watermarks.metric,
      interval_us: watermarks.intervalUs,
      high_permil: watermarks.highPermil,
      mid_permil: watermarks.midPermil,
      low_permil: watermarks.lowPermil,
    },
    filters: scheme.filters.map(filterOf),
    ...(scheme.maxNrSnapshots > 0 ? { max_nr_snapshots: scheme.maxNrSnapshots } : {}),
  };
}

function goalOf({ metric, targetValue, currentValue, nid, memcgPath }: DamonGoal): Json {
  return {
    metric,
    target_value: targetValue,
    current_value: currentValue,
    ...(nid >= 0 ? { nid } : {}),
    ...(memcgPath === '' ? {} : { memcg_path: memcgPath }),
  };
}

function filterOf({ type, matching, allow, memcgPath, address, targetIndex, size }: DamonFilter): Json {
  return {
    filter_type: type,
    matching,
    allow,
    ...(type === 'memcg' ? { memcg_path: memcgPath } : {}),
    ...(type === 'addr' ? { address_range: { start: address.start, end: orMax(address.end) } } : {}),
    ...(type === 'target' ? { damon_target_idx: targetIndex } : {}),
    ...(type === 'hugepage_size' ? { hugepage_size: [size.min, orMax(size.max)] } : {}),
  };
}

/** damo's word for no bound. */
export function orMax(value: number): number | 'max' {
  return Number.isFinite(value) ? value : 'max';
}

/** Largest number of samples and intervals that the kernel holds. */
const UINT_MAX = 2 ** 32 - 1;

function orUintMax(value: number): number {
  return Math.min(value, UINT_MAX);
}
