/**
 * DAMON's formulas on counters and intervals (mm/damon/core.c, Linux 7.3-rc1). All in integers that
 * round down; "samples" are sampling intervals, "aggrs" aggregation intervals.
 */

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
