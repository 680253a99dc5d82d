/**
 * A kdamond as the kernel takes it: raw numbers in the units of its sysfs files. An open upper end is Infinity
 * here, and the largest number of its type there.
 *
 * Source: reference damon-kernel sections 4 and 5.1.
 */
import type { Action } from '../memory/action.ts';
import type { FilterType, GoalMetric } from '../schemes/vocabulary.ts';

export type OperationsSet = 'paddr' | 'vaddr' | 'fvaddr';

/** Both ends belong to it. */
export interface ClosedRange {
  readonly min: number;
  readonly max: number;
}

/** The end is outside. */
export interface Region {
  readonly start: number;
  readonly end: number;
}

export interface Kdamond {
  readonly ops: OperationsSet;
  readonly targets: readonly DamonTarget[];
  readonly intervals: {
    readonly sampleUs: number;
    readonly aggrUs: number;
    readonly opsUpdateUs: number;
    /** aggrs 0: off. */
    readonly goal: {
      readonly accessBp: number;
      readonly aggrs: number;
      readonly minSampleUs: number;
      readonly maxSampleUs: number;
    };
  };
  readonly nrRegions: ClosedRange;
  readonly schemes: readonly DamonScheme[];
}

export interface DamonTarget {
  /** undefined: physical memory. */
  readonly pid: number | undefined;
  readonly regions: readonly Region[];
}

export type KernelMetric = Extract<
  GoalMetric,
  | 'user_input'
  | 'some_mem_psi_us'
  | `node_mem_${string}`
  | `node_memcg_${string}`
  | `${'active' | 'inactive'}_mem_bp`
  | 'node_eligible_mem_bp'
>;

export interface DamonGoal {
  readonly metric: KernelMetric;
  readonly targetValue: number;
  readonly currentValue: number;
  /** -1: of no node. */
  readonly nid: number;
  readonly memcgPath: string;
  /** user_input that stands for a metric which the kernel does not measure: of this node. */
  readonly feed: { readonly metric: FedMetric; readonly nid: number } | undefined;
}

/** Metrics that user space can measure for a kernel that cannot. */
export type FedMetric = 'node_mem_used_bp' | 'node_mem_free_bp';

export type KernelFilter = Exclude<FilterType, 'accessing_node' | 'store_share' | 'node' | 'tier'>;

export interface DamonFilter {
  readonly type: KernelFilter;
  readonly matching: boolean;
  readonly allow: boolean;
  readonly memcgPath: string;
  /** addr. */
  readonly address: Region;
  readonly targetIndex: number;
  /** hugepage_size, bytes. */
  readonly size: ClosedRange;
}

export interface DamonScheme {
  readonly action: Action;
  /** -1: none. */
  readonly targetNid: number;
  readonly dests: readonly { readonly id: number; readonly weight: number }[];
  readonly szBytes: ClosedRange;
  /** Samples of an aggregation interval. */
  readonly nrAccesses: ClosedRange;
  /** Aggregation intervals. */
  readonly age: ClosedRange;
  readonly applyIntervalUs: number;
  readonly quota: {
    /** 0: no limit; so are the bytes. */
    readonly timeMs: number;
    readonly szBytes: number;
    /** Infinity: the window never ends. */
    readonly resetIntervalMs: number;
    readonly weights: {
      readonly szPermil: number;
      readonly nrAccessesPermil: number;
      readonly agePermil: number;
    };
    /** 0 of 0: as a whole. */
    readonly failChargeNum: number;
    readonly failChargeDenom: number;
    readonly goals: readonly DamonGoal[];
    readonly goalTuner: 'consist' | 'temporal';
  };
  readonly watermarks: {
    readonly metric: 'none' | 'free_mem_rate';
    readonly intervalUs: number;
    readonly highPermil: number;
    readonly midPermil: number;
    readonly lowPermil: number;
  };
  readonly filters: readonly DamonFilter[];
  /** 0: no limit. */
  readonly maxNrSnapshots: number;
}
