/**
 * Which memory comes first: our own exact priority, and the kernel's score of 100 levels
 * (damon_hot_score and damon_cold_score, mm/damon/ops-common.c, Linux 7.3; reference section 4.5).
 */
import { multFrac, samplesPerAggr } from '../monitor/damon/formulas.ts';
import type { SchemeQuota } from './scheme.ts';

type Weights = SchemeQuota['weights'];
export type Order = 'hot' | 'cold' | 'none';

/**
 * Priority of a region or spot, larger first: the weighted mean of how hot (or how cold), how long so and
 * how large it is, each brought to 0..1 by a monotonic function without steps, so that the order is exact.
 */
export function exactPriority(
  order: Order,
  weights: Weights,
  ratePerS: number,
  ageUs: number,
  szBytes: number,
): number {
  if (order === 'none') return 0;
  const ageS = ageUs / 1e6;
  const heat = ratePerS / (ratePerS + 100);
  const long = ageS / (ageS + 60);
  const large = szBytes / (szBytes + 2 ** 30);
  // Age makes a cold region colder; a hot one hotter.
  return weights.nrAccesses * (order === 'cold' ? 1 - heat : heat) + weights.age * long + weights.sz * large;
}

export const MAX_SCORE = 99;
const MAX_SUBSCORE = 100;
const MAX_AGE_LOG = 32;

/** The intervals in which a region counts. */
export interface CountIntervals {
  readonly sampleUs: number;
  readonly aggrUs: number;
}

/**
 * damon_hot_score: 0..99.
 * @param nrAccesses samples of an aggregation interval in which the region was seen accessed
 * @param age aggregation intervals
 */
export function hotScore(
  weights: Weights,
  nrAccesses: number,
  age: number,
  intervals: CountIntervals,
): number {
  const samples = samplesPerAggr(intervals.sampleUs, intervals.aggrUs);
  const frequency = multFrac(nrAccesses, MAX_SUBSCORE, samples);
  const seconds = Math.floor((age * intervals.aggrUs) / 1e6);
  const magnitude = seconds === 0 ? 0 : Math.min(Math.floor(Math.log2(seconds)) + 1, MAX_AGE_LOG);
  const ageLog = frequency === 0 ? -magnitude : magnitude;
  const ageScore = Math.floor(Math.floor(((ageLog + MAX_AGE_LOG) * MAX_SUBSCORE) / MAX_AGE_LOG) / 2);
  // The interface has weights in permil; the size is ignored, as in the kernel.
  const nrWeight = Math.round(weights.nrAccesses * 1000);
  const ageWeight = Math.round(weights.age * 1000);
  let hotness = nrWeight * frequency + ageWeight * ageScore;
  if (nrWeight + ageWeight > 0) hotness = Math.floor(hotness / (nrWeight + ageWeight));
  return Math.min(MAX_SCORE, Math.max(0, Math.floor((hotness * MAX_SCORE) / MAX_SUBSCORE)));
}

/** Score of an action: hot, 99 less that for cold ones, always 99 without an order. */
export function damonScore(
  order: Order,
  weights: Weights,
  nrAccesses: number,
  age: number,
  intervals: CountIntervals,
): number {
  if (order === 'none') return MAX_SCORE;
  const hot = hotScore(weights, nrAccesses, age, intervals);
  return order === 'hot' ? hot : MAX_SCORE - hot;
}

/**
 * The lowest score that may still be acted on (damos_adjust_quota): bytes are added up from the highest
 * score downwards until they fill the quota.
 * @param bytesByScore of all memory that matches, by score 0..99
 */
export function minScore(bytesByScore: ArrayLike<number>, quotaBytes: number): number {
  let sum = 0;
  for (let score = MAX_SCORE; score >= 0; score--) {
    sum += bytesByScore[score];
    if (sum >= quotaBytes || score === 0) return score;
  }
  return 0;
}
