/**
 * Regions and the spots inside them: what holds where a region has exceptions.
 *
 * Inside a spot the spot's rate holds, in the rest of its region what the spots leave of the region's
 * accesses. A spot across the edge of a region counts in both, each with its part.
 */
import type { Regions } from './monitor.ts';

/**
 * @param restRate accesses per page per second outside the spots; 0 where nothing is outside
 * @param first number of the first spot in the region
 * @param past one past the last; `first` where the region has none
 */
export type RegionVisitor = (region: number, restRate: number, first: number, past: number) => void;

/** @param spot number of the spot that the piece lies in, {@link NO_SPOT} in the rest of the region */
export type PieceVisitor = (start: number, end: number, rate: number, spot: number) => void;

export const NO_SPOT = -1;

/** Visits every region with its spots, in address order. Without spots it asks for rates only. */
export function forEachRegion(regions: Regions, spots: Regions, visit: RegionVisitor): void {
  const spotCount = spots.count;
  const { count } = regions;
  let s = 0;
  for (let r = 0; r < count; r++) {
    if (s === spotCount) {
      visit(r, regions.rate(r), s, s);
      continue;
    }
    const [start, end] = [regions.start(r), regions.end(r)];
    while (s < spotCount && spots.end(s) <= start) s++;
    let past = s;
    while (past < spotCount && spots.start(past) < end) past++;
    visit(r, past === s ? regions.rate(r) : restRate(regions, r, spots, s, past), s, past);
    // A spot that reaches into the next region is looked at again there.
    s = past > s && spots.end(past - 1) > end ? past - 1 : past;
  }
}

/** Visits the pieces of region `r`, of {@link forEachRegion}, in address order and without overlap. */
export function forEachPieceOf(
  regions: Regions,
  r: number,
  restRate: number,
  spots: Regions,
  first: number,
  past: number,
  visit: PieceVisitor,
): void {
  const end = regions.end(r);
  let at = regions.start(r);
  for (let s = first; s < past; s++) {
    const from = Math.max(at, spots.start(s));
    const to = Math.min(end, spots.end(s));
    if (from > at) visit(at, from, restRate, NO_SPOT);
    visit(from, to, spots.rate(s), s);
    at = to;
  }
  if (at < end) visit(at, end, restRate, NO_SPOT);
}

/**
 * Visits what a monitor knows as one sequence of pieces with one rate each, in address order and without
 * overlap. Parts of spots outside all regions are left out, and so are pieces below `minRate`.
 */
export function forEachPiece(regions: Regions, spots: Regions, visit: PieceVisitor, minRate = 0): void {
  const visitHot: PieceVisitor = (start, end, rate, spot) => {
    if (rate >= minRate) visit(start, end, rate, spot);
  };
  forEachRegion(regions, spots, (r, rate, first, past) => {
    if (first < past) forEachPieceOf(regions, r, rate, spots, first, past, visitHot);
    else if (rate >= minRate) visit(regions.start(r), regions.end(r), rate, NO_SPOT);
  });
}

/** Rate of region `r` outside its spots. */
function restRate(regions: Regions, r: number, spots: Regions, first: number, past: number): number {
  const [start, end] = [regions.start(r), regions.end(r)];
  let bytes = end - start;
  let accesses = bytes * regions.rate(r);
  for (let s = first; s < past; s++) {
    const inside = Math.min(end, spots.end(s)) - Math.max(start, spots.start(s));
    bytes -= inside;
    accesses -= inside * spots.rate(s);
  }
  return bytes > 0 ? Math.max(0, accesses / bytes) : 0;
}
