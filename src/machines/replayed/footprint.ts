/** The address ranges worth watching of a trace, from the pages it touches. */
import { type AddressRange, PAGE_SIZE } from '../../memory/range.ts';

/** Most ranges; DAMON's three-regions rule (heap, mmap area, stack) with more room, as its min regions. */
const MAX_RANGES = 10;

/**
 * Ranges that cover all pages and leave out the largest gaps between them (damon_va_three_regions with
 * up to {@link MAX_RANGES} ranges instead of three); gaps below 1/64 of what is covered are kept, since
 * leaving them out would gain nothing.
 *
 * @param sortedPages page numbers, ascending, not empty
 * @param maxRanges fewer ranges, for monitors of few regions
 */
export function footprintRanges(sortedPages: Float64Array, maxRanges = MAX_RANGES): AddressRange[] {
  const gaps: { after: number; pages: number }[] = [];
  for (let i = 1; i < sortedPages.length; i++) {
    const pages = sortedPages[i] - sortedPages[i - 1] - 1;
    if (pages * 64 > sortedPages.length) gaps.push({ after: i - 1, pages });
    if (gaps.length > 4 * MAX_RANGES) keepLargest(gaps, MAX_RANGES);
  }
  keepLargest(gaps, Math.min(maxRanges, MAX_RANGES));
  gaps.sort((a, b) => a.after - b.after);
  const ranges: AddressRange[] = [];
  let first = 0;
  for (const last of [...gaps.map((gap) => gap.after), sortedPages.length - 1]) {
    ranges.push({ start: sortedPages[first] * PAGE_SIZE, end: (sortedPages[last] + 1) * PAGE_SIZE });
    first = last + 1;
  }
  return ranges;
}

function keepLargest(gaps: { after: number; pages: number }[], ranges: number): void {
  gaps.sort((a, b) => b.pages - a.pages || a.after - b.after);
  gaps.length = Math.min(gaps.length, ranges - 1);
}
