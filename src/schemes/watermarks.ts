/**
 * When a scheme rests (damos_wmark_wait_us, reference section 4.9): it works while little memory is
 * free, but not so little that it would be in the way, and starts only below the middle mark.
 */
import type { SchemeWatermarks } from './scheme.ts';

/**
 * Whether a scheme is active, by the share of memory that is free:
 * above high or below low inactive; from low to mid active; from mid to high as it was.
 */
export function isActive(freeShare: number, marks: SchemeWatermarks, wasActive: boolean): boolean {
  if (freeShare > marks.high || freeShare < marks.low) return false;
  return freeShare < marks.mid || wasActive;
}
