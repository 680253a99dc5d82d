/**
 * A scheme as the executor runs it: units resolved, open ends as 0 and Infinity.
 *
 * Access frequency is a rate (accesses per page per second) and age a time, so that a change of the
 * monitoring intervals never changes what a scheme means.
 */
import type { Action } from '../memory/action.ts';
import type { TextPosition } from '../memory/error.ts';
import type { LongScheme } from './schema.ts';
import type { FilterType, GoalMetric, GoalTuner } from './vocabulary.ts';

export interface Bound {
  readonly value: number;
  /** True: the value itself is outside. */
  readonly isOpen: boolean;
}

export interface SchemePattern {
  readonly minSzBytes: Bound;
  readonly maxSzBytes: Bound;
  readonly minRatePerS: Bound;
  readonly maxRatePerS: Bound;
  /** "0 samples" as the maximum: only regions in which no access was seen at all. */
  readonly mustBeIdle: boolean;
  readonly minAgeUs: Bound;
  readonly maxAgeUs: Bound;
}

/** What a quota's size is tuned towards (damos_quota_goal). */
export interface SchemeGoal {
  readonly metric: GoalMetric;
  /** In the metric's unit, above 0. */
  readonly targetValue: number;
  /** Of `user_input`, until the user feeds another. */
  readonly currentValue: number;
  /** Node or tier, where the metric is of one. */
  readonly place: string | undefined;
  readonly memcgPath: string | undefined;
  readonly where: TextPosition;
}

export interface SchemeQuota {
  /** Bytes tried per window; Infinity for no limit. */
  readonly szBytes: number;
  /** CPU time of acting per window, us; Infinity for no limit. */
  readonly timeUs: number;
  readonly resetIntervalUs: number;
  /** Regions per round; Infinity for no limit. */
  readonly top: number;
  /** exact: by falling priority; damon: the kernel's histogram, then by address. */
  readonly prioritize: 'exact' | 'damon';
  readonly weights: { readonly sz: number; readonly nrAccesses: number; readonly age: number };
  /** Share of bytes tried in vain that is charged, 0..1; 1 as before Linux 7.2. */
  readonly failCharge: number;
  readonly goals: readonly SchemeGoal[];
  readonly tuner: GoalTuner;
}

/** What is worth driving colder memory out of a full target. */
export interface SchemeExchange {
  /** Least quotient of the rates, from 1 on. */
  readonly ratio: number;
  /** Time within which the gain must pay for both moves, us. */
  readonly paybackUs: number;
}

/** First match decides (reference section 4.8); `allow` says what becomes of a match. */
export interface SchemeFilter {
  readonly type: FilterType;
  /** False: matches what is not of the type. */
  readonly matching: boolean;
  readonly allow: boolean;
  /** memcg. */
  readonly path: string | undefined;
  /** addr: addresses; hugepage_size: bytes, both ends in; store_share: 0..1, both ends in. */
  readonly range: { readonly min: number; readonly max: number } | undefined;
  /** target. */
  readonly targetIndex: number | undefined;
  /** node, tier, accessing_node. */
  readonly place: string | undefined;
  readonly where: TextPosition;
}

/** Shares of all memory that is free, 0..1; high >= mid >= low. */
export interface SchemeWatermarks {
  readonly intervalUs: number;
  readonly high: number;
  readonly mid: number;
  readonly low: number;
}

export interface SchemeDest {
  /** Node or tier; "accessing" for the node whose CPUs access the memory. */
  readonly place: string;
  readonly weight: number;
}

export interface Scheme {
  readonly name: string;
  readonly action: Action;
  readonly pattern: SchemePattern;
  /**
   * Where migrations go: one place, or several that share the pages by weight; empty for other
   * actions.
   */
  readonly dests: readonly SchemeDest[];
  readonly from: string | undefined;
  /** 0: each aggregation interval. */
  readonly applyIntervalUs: number;
  readonly quota: SchemeQuota;
  /** undefined: promotions into a full target are asked for all the same, and reclaim makes room. */
  readonly exchange: SchemeExchange | undefined;
  /** In the order of the file. */
  readonly filters: readonly SchemeFilter[];
  /** undefined: always active. */
  readonly watermarks: SchemeWatermarks | undefined;
  /** Rounds after which the scheme does nothing more; Infinity for no limit. */
  readonly maxNrSnapshots: number;
  /** For errors that only a machine can find, and for warnings. */
  readonly where: {
    readonly scheme: TextPosition;
    readonly action: TextPosition;
    readonly target: TextPosition;
    readonly rate: TextPosition;
    readonly from: TextPosition;
    readonly quota: TextPosition;
    readonly applyInterval: TextPosition;
  };
  /** The long form it came from, for `explain`. */
  readonly longForm: LongScheme;
}

/** True if `value` lies within both bounds. */
export function isWithin(value: number, min: Bound, max: Bound): boolean {
  const aboveMin = min.isOpen ? value > min.value : value >= min.value;
  const belowMax = max.isOpen ? value < max.value : value <= max.value;
  return aboveMin && belowMax;
}
