/**
 * MEMTIS's scores, their histogram, and the thresholds that follow from it (linux/mm/htmm_core.c: get_idx,
 * adjust_active_threshold; reference tiering-systems section 7.1). Pure functions.
 */
import { PAGE_SIZE } from '../memory/range.ts';

export const BINS = 16;
/** Added to the score of a base page by each sample. */
export const SAMPLE_SCORE = 512;

const MIB = 2 ** 20;

/** Bin of a score: floor(log2(score + 1)), at most 15. */
export function binOf(score: number): number {
  return Math.min(BINS - 1, 31 - Math.clz32(score + 1));
}

/** The least score of a bin. */
export function leastScore(bin: number): number {
  return 2 ** bin - 1;
}

/** Pages that may be hot: DRAM less 3 % of it, that share within 100 MB and 1.5 GB. */
export function hotCapacityPages(dramBytes: number): number {
  const kept = Math.min(Math.max(dramBytes * 0.03, 100 * MIB), 1_536 * MIB);
  return Math.max(0, Math.floor((dramBytes - kept) / PAGE_SIZE));
}

export interface Thresholds {
  /** Pages in this bin and above are hot. */
  readonly hot: number;
  /** Below this one they are cold, between the two warm. */
  readonly warm: number;
}

/** Where all start. */
export const FIRST_THRESHOLDS: Thresholds = { hot: 1, warm: 1 };

/**
 * The lowest bin from which on all pages fit, at least 1; warm one below where they fill less than 75 %.
 * @param pages pages by bin
 * @param hasCooled since the last time: the threshold then falls by at most 1
 */
export function adaptThresholds(
  pages: Float64Array,
  capacityPages: number,
  old: Thresholds,
  hasCooled: boolean,
): Thresholds {
  let filled = 0;
  let bin = BINS - 1;
  while (bin >= 0 && filled + pages[bin] <= capacityPages) filled += pages[bin--];
  let hot = Math.max(1, Math.min(BINS - 1, bin + 1));
  if (hasCooled) hot = Math.max(hot, old.hot - 1);
  return { hot, warm: filled < capacityPages * 0.75 ? hot - 1 : hot };
}
