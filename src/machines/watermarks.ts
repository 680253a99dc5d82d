/**
 * The kernel's watermarks of free memory on a node (mm/page_alloc.c __setup_per_zone_wmarks):
 * step = max(min/4, managed x scale/10000), low = min + step, high = low + step, promo = high + step.
 */
import { PAGE_SIZE, roundDown, roundUp } from '../memory/range.ts';

export interface Watermarks {
  readonly minBytes: number;
  readonly lowBytes: number;
  readonly highBytes: number;
  readonly promoBytes: number;
}

/** vm.watermark_scale_factor in units of 1/10000 of the node. */
const WATERMARK_SCALE = 10;

/** From 4 GiB on, the kernel's own steps are larger than this. */
const SMALL_STEP = 4 * 2 ** 20;

/**
 * Watermarks of a node. min_free_kbytes = 4 x sqrt(memory in KiB), at least 128 KiB and at most
 * 256 MiB (mm/page_alloc.c, calculate_min_free_kbytes), taken for the node alone.
 */
export function watermarksOf(managedBytes: number): Watermarks {
  const minKib = Math.min(262144, Math.max(128, Math.floor(4 * Math.sqrt(managedBytes / 1024))));
  // A node of a few MiB, as in small replays, keeps at most 1/64 of itself back.
  const min = roundDown(Math.min(minKib * 1024, managedBytes / 64), PAGE_SIZE);
  // On a small node the kernel's step would be less than a page: a 256th of the node instead.
  const step = roundUp(
    Math.max(min / 4, (managedBytes * WATERMARK_SCALE) / 10000, Math.min(managedBytes / 256, SMALL_STEP)),
    PAGE_SIZE,
  );
  return { minBytes: min, lowBytes: min + step, highBytes: min + 2 * step, promoBytes: min + 3 * step };
}
