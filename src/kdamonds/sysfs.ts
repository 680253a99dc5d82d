/**
 * Kdamonds as writes below /sys/kernel/mm/damon/admin/kdamonds, in an order in which each file exists when it is
 * written (reference damon-kernel section 5.1): a count of directories comes before what lies in them.
 */
import { featureOfFilter, hasFeature, type KernelVersion } from './kernel.ts';
import type { DamonFilter, DamonScheme, Kdamond } from './model.ts';

/** One file, its path relative to the kdamonds directory. */
export interface SysfsWrite {
  readonly path: string;
  readonly value: string;
}

const ULONG_MAX = '18446744073709551615';
const UINT_MAX = '4294967295';

/**
 * @param first index of the first kdamond
 * @returns writes without the command that starts it
 */
export function toSysfs(kdamonds: readonly Kdamond[], kernel: KernelVersion): SysfsWrite[] {
  const writer = new SysfsWriter(kernel);
  writer.put('nr_kdamonds', kdamonds.length);
  kdamonds.forEach((kdamond, i) => {
    writer.kdamond(`${i}`, kdamond);
  });
  return writer.writes;
}

class SysfsWriter {
  readonly writes: SysfsWrite[] = [];
  readonly #kernel: KernelVersion;

  constructor(kernel: KernelVersion) {
    this.#kernel = kernel;
  }

  put(path: string, value: string | number | boolean): void {
    const text = typeof value === 'boolean' ? (value ? 'Y' : 'N') : String(value);
    this.writes.push({ path, value: text });
  }

  kdamond(at: string, { ops, targets, intervals, nrRegions, schemes }: Kdamond): void {
    this.put(`${at}/contexts/nr_contexts`, 1);
    const context = `${at}/contexts/0`;
    this.put(`${context}/operations`, ops);
    const attrs = `${context}/monitoring_attrs`;
    this.put(`${attrs}/intervals/sample_us`, intervals.sampleUs);
    this.put(`${attrs}/intervals/aggr_us`, intervals.aggrUs);
    this.put(`${attrs}/intervals/update_us`, intervals.opsUpdateUs);
    if (hasFeature(this.#kernel, 'intervals_goal')) {
      const { accessBp, aggrs, minSampleUs, maxSampleUs } = intervals.goal;
      const goal = `${attrs}/intervals/intervals_goal`;
      this.put(`${goal}/access_bp`, accessBp);
      this.put(`${goal}/aggrs`, aggrs);
      this.put(`${goal}/min_sample_us`, minSampleUs);
      this.put(`${goal}/max_sample_us`, maxSampleUs);
    }
    this.put(`${attrs}/nr_regions/min`, nrRegions.min);
    this.put(`${attrs}/nr_regions/max`, nrRegions.max);
    this.put(`${context}/targets/nr_targets`, targets.length);
    targets.forEach(({ pid, regions }, t) => {
      const target = `${context}/targets/${t}`;
      if (pid !== undefined) this.put(`${target}/pid_target`, pid);
      this.put(`${target}/regions/nr_regions`, regions.length);
      regions.forEach(({ start, end }, r) => {
        this.put(`${target}/regions/${r}/start`, start);
        this.put(`${target}/regions/${r}/end`, end);
      });
    });
    this.put(`${context}/schemes/nr_schemes`, schemes.length);
    schemes.forEach((scheme, s) => {
      this.#scheme(`${context}/schemes/${s}`, scheme);
    });
  }

  #scheme(at: string, scheme: DamonScheme): void {
    const { quota, watermarks, dests } = scheme;
    this.put(`${at}/action`, scheme.action);
    if (hasFeature(this.#kernel, 'migration')) this.put(`${at}/target_nid`, scheme.targetNid);
    if (hasFeature(this.#kernel, 'dests')) {
      this.put(`${at}/dests/nr_dests`, dests.length);
      dests.forEach(({ id, weight }, i) => {
        this.put(`${at}/dests/${i}/id`, id);
        this.put(`${at}/dests/${i}/weight`, weight);
      });
    }
    const pattern = `${at}/access_pattern`;
    this.put(`${pattern}/sz/min`, scheme.szBytes.min);
    this.put(`${pattern}/sz/max`, orOpen(scheme.szBytes.max, ULONG_MAX));
    this.put(`${pattern}/nr_accesses/min`, scheme.nrAccesses.min);
    this.put(`${pattern}/nr_accesses/max`, orOpen(scheme.nrAccesses.max, UINT_MAX));
    this.put(`${pattern}/age/min`, scheme.age.min);
    this.put(`${pattern}/age/max`, orOpen(scheme.age.max, UINT_MAX));
    if (hasFeature(this.#kernel, 'apply_interval'))
      this.put(`${at}/apply_interval_us`, scheme.applyIntervalUs);
    this.put(`${at}/quotas/ms`, quota.timeMs);
    this.put(`${at}/quotas/bytes`, quota.szBytes);
    this.put(`${at}/quotas/reset_interval_ms`, orOpen(quota.resetIntervalMs, UINT_MAX));
    this.put(`${at}/quotas/weights/sz_permil`, quota.weights.szPermil);
    this.put(`${at}/quotas/weights/nr_accesses_permil`, quota.weights.nrAccessesPermil);
    this.put(`${at}/quotas/weights/age_permil`, quota.weights.agePermil);
    if (hasFeature(this.#kernel, 'fail_charge')) {
      this.put(`${at}/quotas/fail_charge_num`, quota.failChargeNum);
      this.put(`${at}/quotas/fail_charge_denom`, quota.failChargeDenom);
    }
    this.#goals(`${at}/quotas`, quota);
    this.put(`${at}/watermarks/metric`, watermarks.metric);
    this.put(`${at}/watermarks/interval_us`, watermarks.intervalUs);
    this.put(`${at}/watermarks/high`, watermarks.highPermil);
    this.put(`${at}/watermarks/mid`, watermarks.midPermil);
    this.put(`${at}/watermarks/low`, watermarks.lowPermil);
    this.#filters(at, scheme.filters);
    if (hasFeature(this.#kernel, 'max_nr_snapshots'))
      this.put(`${at}/stats/max_nr_snapshots`, scheme.maxNrSnapshots);
  }

  #goals(at: string, { goals, goalTuner }: DamonScheme['quota']): void {
    if (!hasFeature(this.#kernel, 'goals')) return;
    if (hasFeature(this.#kernel, 'goal_tuner')) this.put(`${at}/goal_tuner`, goalTuner);
    this.put(`${at}/goals/nr_goals`, goals.length);
    goals.forEach(({ metric, targetValue, currentValue, nid, memcgPath }, i) => {
      const goal = `${at}/goals/${i}`;
      if (hasFeature(this.#kernel, 'psi_goal')) this.put(`${goal}/target_metric`, metric);
      if (nid >= 0) this.put(`${goal}/nid`, nid);
      if (memcgPath !== '') this.put(`${goal}/path`, memcgPath);
      this.put(`${goal}/target_value`, targetValue);
      this.put(`${goal}/current_value`, currentValue);
    });
  }

  /** Two lists where the kernel has two: it asks the core list first in any case. */
  #filters(at: string, filters: readonly DamonFilter[]): void {
    if (!hasFeature(this.#kernel, 'filters')) return;
    const isCore = ({ type }: DamonFilter): boolean => featureOfFilter(type) === 'address_filters';
    const core = filters.filter(isCore);
    const ops = filters.filter((filter) => !isCore(filter));
    if (hasFeature(this.#kernel, 'filter_directories')) {
      this.#filterList(`${at}/core_filters`, core);
      this.#filterList(`${at}/ops_filters`, ops);
    } else this.#filterList(`${at}/filters`, [...core, ...ops]);
  }

  #filterList(at: string, filters: readonly DamonFilter[]): void {
    this.put(`${at}/nr_filters`, filters.length);
    filters.forEach((filter, i) => {
      const { type, matching, allow, memcgPath, address, targetIndex, size } = filter;
      this.put(`${at}/${i}/type`, type);
      this.put(`${at}/${i}/matching`, matching);
      if (hasFeature(this.#kernel, 'allow_filters')) this.put(`${at}/${i}/allow`, allow);
      if (type === 'memcg') this.put(`${at}/${i}/memcg_path`, memcgPath);
      if (type === 'target') this.put(`${at}/${i}/damon_target_idx`, targetIndex);
      if (type === 'addr') {
        this.put(`${at}/${i}/addr_start`, address.start);
        this.put(`${at}/${i}/addr_end`, orOpen(address.end, ULONG_MAX));
      }
      if (type === 'hugepage_size') {
        this.put(`${at}/${i}/min`, size.min);
        this.put(`${at}/${i}/max`, orOpen(size.max, ULONG_MAX));
      }
    });
  }
}

function orOpen(value: number, open: string): string {
  return Number.isFinite(value) ? String(value) : open;
}

/** The writes as lines of a shell script, to read or to run as root. */
export function sysfsScript(writes: readonly SysfsWrite[]): string {
  const lines = writes.map(
    ({ path, value }) => `echo '${value.replaceAll("'", "'\\''")}' > "$damon/${path}"`,
  );
  return ['#!/bin/sh', 'set -e', 'damon=/sys/kernel/mm/damon/admin/kdamonds', ...lines, ''].join('\n');
}
