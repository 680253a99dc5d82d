/**
 * Half-open address ranges `[start, end)` in bytes.
 *
 * Addresses are byte offsets below 2^53, held as doubles: exact, and small enough for Float64Array.
 */
import { invariant } from './error.ts';

export const PAGE_SIZE = 4096;

/** The first address that cannot be held exactly. */
export const ADDRESS_LIMIT = Number.MAX_SAFE_INTEGER + 1;

export interface AddressRange {
  /** First byte. */
  readonly start: number;
  /** One past the last byte. */
  readonly end: number;
}

export function totalBytes(ranges: readonly AddressRange[]): number {
  let sum = 0;
  for (const range of ranges) sum += range.end - range.start;
  return sum;
}

/** Throws an invariant error unless the ranges are non-empty, page-aligned, sorted and disjoint. */
export function assertRanges(ranges: readonly AddressRange[], alignment = PAGE_SIZE): void {
  let previousEnd = 0;
  for (const { start, end } of ranges) {
    invariant(
      Number.isSafeInteger(start) && Number.isSafeInteger(end),
      `range [${start}, ${end}) is not exact`,
    );
    invariant(start < end, `range [${start}, ${end}) is empty`);
    invariant(start >= previousEnd, `range [${start}, ${end}) overlaps its predecessor or is unsorted`);
    invariant(
      start % alignment === 0 && end % alignment === 0,
      `range [${start}, ${end}) is not aligned to ${alignment}`,
    );
    previousEnd = end;
  }
}

/** Bytes that two ranges share. */
export function overlapBytes(aStart: number, aEnd: number, bStart: number, bEnd: number): number {
  return Math.max(0, Math.min(aEnd, bEnd) - Math.max(aStart, bStart));
}

export function roundDown(value: number, step: number): number {
  return Math.floor(value / step) * step;
}

export function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}

/** Ranges grown to multiples of `alignment`, joined where that makes them touch or overlap. */
export function alignRanges(ranges: readonly AddressRange[], alignment: number): AddressRange[] {
  const aligned: { start: number; end: number }[] = [];
  for (const range of ranges) {
    const start = roundDown(range.start, alignment);
    const end = roundUp(range.end, alignment);
    const last = aligned.at(-1);
    if (last !== undefined && start <= last.end) last.end = Math.max(last.end, end);
    else aligned.push({ start, end });
  }
  return aligned;
}

export function sameRanges(a: readonly AddressRange[], b: readonly AddressRange[]): boolean {
  return a.length === b.length && a.every((range, i) => range.start === b[i].start && range.end === b[i].end);
}

/** The same memory as disjoint ranges in address order; ranges that touch are one. */
export function joinRanges(ranges: readonly AddressRange[]): AddressRange[] {
  return alignRanges(
    [...ranges].sort((a, b) => a.start - b.start),
    1,
  );
}

/** At most `count` ranges that cover disjoint, sorted ones: the largest gaps above `minGapBytes` are left out. */
export function coverRanges(ranges: readonly AddressRange[], count: number, minGapBytes = 0): AddressRange[] {
  if (ranges.length === 0) return [];
  const gaps = ranges
    .slice(1)
    .map((range, i) => ({ after: i, bytes: range.start - ranges[i].end }))
    .filter(({ bytes }) => bytes > minGapBytes)
    .sort((a, b) => b.bytes - a.bytes || a.after - b.after)
    .slice(0, count - 1)
    .map(({ after }) => after)
    .sort((a, b) => a - b);
  let first = 0;
  return [...gaps, ranges.length - 1].map((last) => {
    const covering = { start: ranges[first].start, end: ranges[last].end };
    first = last + 1;
    return covering;
  });
}
