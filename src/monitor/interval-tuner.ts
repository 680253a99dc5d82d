/**
 * DAMON's auto-tuning of the monitoring intervals (Linux 6.15, kdamond_tune_intervals): intervals as
 * long as it takes to observe a wanted share of the access events that could be observed. Too few seen:
 * longer intervals, so that more pages are found accessed; too many: shorter ones.
 *
 * It reads `nrAccesses` only, so it serves every monitor. Integers that round down, as the kernel's.
 */
import { feedLoopNext, multFrac, samplesPerAggr } from './damon/formulas.ts';
import type { IntervalsGoal, MonitorAttrs, Regions } from './monitor.ts';

/** Recommended by DAMON's design document: 4 % of the events, every 3 aggregations, 5 ms to 10 s. */
export const DEFAULT_INTERVALS_GOAL: IntervalsGoal = {
  accessBp: 400,
  aggrs: 3,
  minSampleUs: 5_000,
  maxSampleUs: 10_000_000,
};

/**
 * The attributes with both intervals tuned, or `attrs` itself if nothing changes. The aggregation
 * interval keeps its number of samples.
 * @param regions as at the end of an aggregation interval, before the reset
 */
export function tuneIntervals(attrs: MonitorAttrs, regions: Regions): MonitorAttrs {
  const { intervalsGoal: goal } = attrs;
  if (goal === undefined || goal.aggrs === 0) return attrs;
  const samples = samplesPerAggr(attrs.sampleUs, attrs.aggrUs);
  const { adapt } = intervalsAdaptationBp(intervalsScore(regions, goal.accessBp, samples));
  if (adapt === 10000) return attrs;
  const sampleUs = tunedSampleUs(attrs.sampleUs, adapt, goal.minSampleUs, goal.maxSampleUs);
  const aggrUs = sampleUs * samples;
  return sampleUs === attrs.sampleUs && aggrUs === attrs.aggrUs ? attrs : { ...attrs, sampleUs, aggrUs };
}

/** damon_get_intervals_score: 10000 when exactly `accessBp` of all possible events were observed. */
export function intervalsScore(
  regions: Pick<Regions, 'count' | 'start' | 'end' | 'nrAccesses'>,
  accessBp: number,
  samples: number,
): number {
  let [maxEvents, events] = [0, 0];
  for (let i = 0; i < regions.count; i++) {
    const bytes = regions.end(i) - regions.start(i);
    maxEvents += bytes * samples;
    events += bytes * regions.nrAccesses(i);
  }
  return multFrac(events, 10000, Math.max(1, multFrac(maxEvents, accessBp, 10000)));
}

/** damon_get_intervals_adaptation_bp: by how much (in bp) to stretch the intervals, given the score. */
export function intervalsAdaptationBp(score: number): { readonly raw: number; readonly adapt: number } {
  const raw = Math.floor(feedLoopNext(100_000_000, score) / 10000);
  return { raw, adapt: raw > 10000 ? raw : 5000 + Math.floor(raw / 2) };
}

/** The new sampling interval: at most the largest, then at least the smallest. */
export function tunedSampleUs(
  sampleUs: number,
  adaptBp: number,
  minSampleUs: number,
  maxSampleUs: number,
): number {
  if (adaptBp === 10000) return sampleUs;
  return Math.max(Math.min(Math.floor((sampleUs * adaptBp) / 10000), maxSampleUs), minSampleUs);
}
