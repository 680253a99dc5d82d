/**
 * Layouts of areas drawn from a generator of numbers in [0, 1). What is drawn and in which order is part
 * of the contract: equal generators give equal fields (measurements of the DAMON core, section 2).
 */
import { PAGE_SIZE } from '../../memory/range.ts';
import type { FieldArea } from './rate-map.ts';

/** Next number of a generator, in [0, 1). */
export type Draw = () => number;

/** Accesses per page per second: one rate, or uniform from `min` to `max`. */
export interface RateRange {
  readonly min: number;
  readonly max: number;
}

export const exactly = (perS: number): RateRange => ({ min: perS, max: perS });

export interface Placement {
  readonly sizeBytes: number;
  readonly count: number;
  readonly areaBytes: number;
  /** Areas begin at multiples of this within their slot; divides the area. */
  readonly alignBytes: number;
  readonly rate: RateRange;
}

/** One area in each of `count` equal slots; per area, its place is drawn, then its rate. */
export function onePerSlot(draw: Draw, placement: Placement): FieldArea[] {
  const { sizeBytes, count, areaBytes, alignBytes } = placement;
  const slotUnits = Math.floor(sizeBytes / alignBytes / count);
  return Array.from({ length: count }, (_, k) => {
    const unit = k * slotUnits + Math.floor(draw() * (slotUnits - areaBytes / alignBytes + 1));
    return {
      start: unit * alignBytes,
      end: unit * alignBytes + areaBytes,
      perS: drawRate(draw, placement.rate),
    };
  });
}

/** Areas anywhere; they may overlap. Per area, its place is drawn, then its rate. */
export function anywhere(draw: Draw, placement: Placement): FieldArea[] {
  const { sizeBytes, count, areaBytes, alignBytes } = placement;
  const units = Math.floor(sizeBytes / alignBytes);
  return Array.from({ length: count }, () => {
    const start = Math.floor(draw() * (units - areaBytes / alignBytes + 1)) * alignBytes;
    return { start, end: start + areaBytes, perS: drawRate(draw, placement.rate) };
  });
}

/** Each page with chance `share`: the gaps between them are geometric. Per page, gap, then rate. */
export function randomPages(draw: Draw, sizeBytes: number, share: number, rate: RateRange): FieldArea[] {
  const areas: FieldArea[] = [];
  const pages = sizeBytes / PAGE_SIZE;
  const gap = (): number => (share >= 1 ? 0 : Math.floor(Math.log(1 - draw()) / Math.log(1 - share)));
  for (let page = gap(); page < pages; page += 1 + gap()) {
    areas.push({ start: page * PAGE_SIZE, end: (page + 1) * PAGE_SIZE, perS: drawRate(draw, rate) });
  }
  return areas;
}

export interface Zipf {
  readonly sizeBytes: number;
  readonly blockBytes: number;
  readonly exponent: number;
  /** Accesses per second of all blocks together. */
  readonly totalPerS: number;
}

/**
 * Blocks that cover all memory, in random order (Fisher-Yates from the last block down), popularity
 * 1/rank^exponent. The hottest comes first.
 */
export function zipfBlocks(draw: Draw, { sizeBytes, blockBytes, exponent, totalPerS }: Zipf): FieldArea[] {
  const blocks = Math.floor(sizeBytes / blockBytes);
  const order = Uint32Array.from({ length: blocks }, (_, k) => k);
  for (let k = blocks - 1; k > 0; k--) {
    const j = Math.floor(draw() * (k + 1));
    const kept = order[k];
    order[k] = order[j];
    order[j] = kept;
  }
  const weights = Float64Array.from({ length: blocks }, (_, rank) => (rank + 1) ** -exponent);
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return Array.from(order, (block, rank) => ({
    start: block * blockBytes,
    end: (block + 1) * blockBytes,
    perS: (totalPerS * weights[rank]) / sum / (blockBytes / PAGE_SIZE),
  }));
}

/** Draws only where there is something to choose. */
function drawRate(draw: Draw, { min, max }: RateRange): number {
  return min === max ? min : min + (max - min) * draw();
}
