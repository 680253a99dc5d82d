/** DAMON's age rule (damon_merge_regions_of), on scores in units of nr_accesses. */

/**
 * True if a region's age starts again: its score moved by more than `threshold` (DAMON: a tenth of the
 * highest), or exactly one of both scores is 0.
 */
export function hasScoreChanged(score: number, last: number, threshold: number): boolean {
  return Math.abs(score - last) > threshold || (score === 0) !== (last === 0);
}
