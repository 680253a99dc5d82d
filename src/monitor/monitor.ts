/**
 * The monitor: keeps an estimate of the access rate of every byte it watches in a bounded number of
 * region records. It knows no machine; checks and samples are handed in.
 *
 * The engine's order of calls, as in DAMON's worker: `planChecks` .. `recordPull`, `recordPush` once
 * per sampling interval; `aggregate` (decay, merge, age) at the end of an aggregation interval, then
 * schemes read {@link Regions}, then `resetAndSplit`.
 */
import type { AccessBatch } from '../memory/access-batch.ts';
import type { AreaChecks } from '../memory/area-checks.ts';
import type { AddressRange } from '../memory/range.ts';
import type { EvidenceQuality } from './quality.ts';

/** Monitoring attributes; intervals in microseconds, as DAMON's damon_attrs. */
export interface MonitorAttrs {
  readonly sampleUs: number;
  readonly aggrUs: number;
  readonly minNrRegions: number;
  readonly maxNrRegions: number;
  /** Smallest region, a power of two, at least one page. */
  readonly minRegionSz: number;
  /** Pull checks per second over all regions; 0 for none. */
  readonly pullPerS: number;
  /** DAMON's interval auto-tuning; left out: the intervals stay as they are. */
  readonly intervalsGoal?: IntervalsGoal;
  /** How much one source's evidence counts beside the other's, 0 to 1; 1 each by default. */
  readonly weights?: SourceWeights;
}

export interface SourceWeights {
  readonly pull: number;
  readonly push: number;
}

/** damon_intervals_goal: stretch or shrink both intervals until this share of accesses is observed. */
export interface IntervalsGoal {
  /** Access events to observe, in 1/10000 of the most that could be. */
  readonly accessBp: number;
  /** Aggregation intervals between two adjustments. */
  readonly aggrs: number;
  readonly minSampleUs: number;
  readonly maxSampleUs: number;
}

/** DAMON's defaults (5 ms, 100 ms, 10..1000 regions), and the pull rate it spends on one hot area. */
export const DEFAULT_ATTRS: MonitorAttrs = {
  sampleUs: 5_000,
  aggrUs: 100_000,
  minNrRegions: 10,
  maxNrRegions: 1000,
  minRegionSz: 4096,
  pullPerS: 15_000,
};

export const DEFAULT_WEIGHTS: SourceWeights = { pull: 1, push: 1 };

/**
 * Read-only view of the regions in address order, valid until the monitor changes. `i` counts from 0.
 */
export interface Regions {
  readonly count: number;
  start(i: number): number;
  end(i: number): number;
  /** Estimated accesses per page per second. */
  rate(i: number): number;
  /** Aggregation intervals for which the rate stayed similar. */
  age(i: number): number;
  /** True when neither source saw an access in the last aggregation interval. */
  isIdle(i: number): boolean;
  /**
   * Sampling intervals of the last aggregation in which a page of the region was seen accessed: DAMON
   * counts them, others tell how many they expect.
   */
  nrAccesses(i: number): number;
  /** Node whose CPUs access the region most, as far as samples tell; -1 where they do not. */
  accessingNid(i: number): number;
  /** Share of its accesses that are stores, 0..1; NaN where no sample tells. */
  storeShare(i: number): number;
}

/** Pull checks for one sampling interval; owned by the monitor, valid until the next plan. */
export interface CheckPlan {
  count: number;
  /** Page addresses, ascending. */
  addresses: Float64Array;
}

export interface Monitor {
  readonly name: string;
  readonly attrs: MonitorAttrs;
  readonly regions: Regions;
  /**
   * Small ranges inside regions whose rate differs from their region's: exceptions to it. Sorted,
   * disjoint, at most a bounded number; empty for monitors that keep none.
   */
  readonly spots: Regions;
  /** Most records that it keeps, where that is not `attrs.maxNrRegions`. */
  readonly maxRecords?: number;
  /** Most regions at any time so far. */
  readonly peakRegions: number;
  /** Bytes of all records and tables, at capacity. */
  readonly metadataBytes: number;
  /** Samples that fell outside every region. */
  readonly samplesOutside: number;

  /** Sets the ranges to watch; evidence of what remains survives. Sorted, disjoint, page-aligned. */
  setRanges(ranges: readonly AddressRange[]): void;
  /**
   * Changes attributes while running; what was measured is brought to the new intervals.
   * `isMidAggregation`: between two aggregations, so that the present counts are incomplete.
   * @throws ThermoError THERMO_MONITOR_CONFIG if they do not fit together; nothing is changed then
   */
  setAttrs(attrs: MonitorAttrs, isMidAggregation: boolean): void;
  planChecks(): CheckPlan;
  /** Results of the last plan: 1 = accessed within the sampling interval. */
  recordPull(hits: Uint8Array): void;
  /**
   * Results of checks that somebody else planned, each of one sampling interval; left out by monitors that
   * can only use checks of their own.
   */
  recordAreas?(areas: AreaChecks): void;
  recordPush(batch: AccessBatch): void;
  aggregate(): void;
  resetAndSplit(): void;
  /** How good the evidence is; undefined for monitors that do not know. */
  quality?(): EvidenceQuality;
}

/** No regions at all. */
export const NO_REGIONS: Regions = {
  count: 0,
  start: () => Number.NaN,
  end: () => Number.NaN,
  rate: () => Number.NaN,
  age: () => Number.NaN,
  isIdle: () => true,
  nrAccesses: () => 0,
  accessingNid: () => -1,
  storeShare: () => Number.NaN,
};
