/**
 * DAMON's formulas on counters and intervals (mm/damon/core.c, Linux 7.3-rc1). All in integers that
 * round down; "samples" are sampling intervals, "aggrs" aggregation intervals.
 */
import type { DamonVersion } from './region.ts';

export const UINT_MAX = 2 ** 32 - 1;

/** x n / d without overflow, as the kernel's mult_frac: (x div d) n + (x mod d) n div d. */
export function multFrac(x: number, n: number, d: number): number {
  return Math.floor(x / d) * n + Math.floor(((x % d) * n) / d);
}

/** damon_max_nr_accesses: samples per aggregation, at least 1. */
export function samplesPerAggr(sampleUs: number, aggrUs: number): number {
  return Math.max(1, Math.min(Math.floor(aggrUs / Math.max(sampleUs, 1)), UINT_MAX));
}

/** damon_mvsum (7.3): the present count plus the share of the last one that the window still covers. */
export function movingSum(current: number, last: number, leftBp: number): number {
  return current + multFrac(last, leftBp, 10000);
}

/**
 * damon_nr_accesses_mvsum (7.3): nr_accesses as of now, `passed` of the samples until `next` being done.
 * Right after an aggregation the whole window is the last one's.
 */
export function nrAccessesMvsum(
  region: { readonly nrAccesses: number; readonly lastNrAccesses: number },
  clock: { readonly passedSis: number; readonly nextAggregationSis: number; readonly windowSis: number },
): number {
  const left = Math.max(0, clock.nextAggregationSis - clock.passedSis);
  const leftBp = multFrac(left, 10000, clock.windowSis);
  if (leftBp === 10000) return region.lastNrAccesses;
  return movingSum(region.nrAccesses, region.lastNrAccesses, leftBp);
}

/** damon_moving_sum (up to 7.2): updated once per sample; drifts. In units of 1/10000. */
export function incrementalMovingSum(
  mvsum: number,
  nomvsum: number,
  window: number,
  newValue: number,
): number {
  return mvsum - Math.floor(nomvsum / window) + newValue;
}

/** damon_feed_loop_next_input: the controller's step towards a score of 10000. */
export function feedLoopNext(lastInput: number, score: number): number {
  const GOAL = 10000;
  const MIN_INPUT = 10000;
  if (score === GOAL) return lastInput;
  if (score >= 2 * GOAL) return MIN_INPUT;
  const difference = Math.abs(score - GOAL);
  const compensation = Math.floor((lastInput * difference) / GOAL);
  return score > GOAL ? Math.max(lastInput - compensation, MIN_INPUT) : lastInput + compensation;
}

/** damon_get_intervals_adaptation_bp: by how much (in bp) to stretch the intervals, given the score. */
export function intervalsAdaptationBp(score: number): { readonly raw: number; readonly adapt: number } {
  const raw = Math.floor(feedLoopNext(100_000_000, score) / 10000);
  return { raw, adapt: raw > 10000 ? raw : 5000 + Math.floor(raw / 2) };
}

/** Score of the observed access events against the goal of `accessBp` of all that could be seen. */
export function intervalsScore(
  regions: readonly { readonly start: number; readonly end: number; readonly nrAccesses: number }[],
  accessBp: number,
  samples: number,
): number {
  let [maxEvents, events] = [0, 0];
  for (const region of regions) {
    maxEvents += (region.end - region.start) * samples;
    events += (region.end - region.start) * region.nrAccesses;
  }
  return multFrac(events, 10000, Math.max(1, Math.floor((maxEvents * accessBp) / 10000)));
}

/** kdamond_tune_intervals: the new sampling interval; the aggregation keeps its number of samples. */
export function tunedSampleUs(
  sampleUs: number,
  adaptBp: number,
  minSampleUs: number,
  maxSampleUs: number,
): number {
  if (adaptBp === 10000) return sampleUs;
  return Math.max(Math.min(Math.floor((sampleUs * adaptBp) / 10000), maxSampleUs), minSampleUs);
}

interface Counters {
  nrAccesses: number;
  lastNrAccesses: number;
  age: number;
}

/**
 * damon_update_monitoring_result: brings the counters of a region to new intervals. Age keeps its time,
 * nr_accesses its share of the samples. Nothing happens where an interval is 0.
 */
export function rescaleCounters(
  region: Counters,
  old: { readonly sampleUs: number; readonly aggrUs: number },
  now: { readonly sampleUs: number; readonly aggrUs: number },
  isMidAggregation: boolean,
  version: DamonVersion = '7.3',
): void {
  if (old.sampleUs === 0 || old.aggrUs === 0 || now.sampleUs === 0 || now.aggrUs === 0) return;
  const oldSamples = samplesPerAggr(old.sampleUs, old.aggrUs);
  const newSamples = samplesPerAggr(now.sampleUs, now.aggrUs);
  const rescale = (count: number): number =>
    Math.floor((Math.floor((count * 10000) / oldSamples) * newSamples) / 10000);
  region.age = Math.floor((region.age * old.aggrUs) / now.aggrUs);
  if (isMidAggregation || version === '7.3') region.lastNrAccesses = rescale(region.lastNrAccesses);
  region.nrAccesses = isMidAggregation ? 0 : rescale(region.nrAccesses);
}
