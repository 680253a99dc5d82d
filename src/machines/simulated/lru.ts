/**
 * The order in which the machine's own reclaim takes memory: least recently used first.
 *
 * A model of the kernel's LRU at the grain of areas: inside an area accesses are uniform, so its
 * pages age together. Memory that never was in an area is coldest, then areas by the time their last
 * phase ended, then areas in use, by rising access rate. Areas below {@link IN_USE_RATE} count as not
 * in use: their pages are reclaimed before they are seen again.
 */
import type { AddressRange } from '../../memory/range.ts';
import type { ReclaimOrder } from '../mover.ts';

/** Accesses per page per second from which an area keeps its pages active. */
export const IN_USE_RATE = 0.1;

interface InUse {
  readonly range: AddressRange;
  readonly rate: number;
}

export class LruOrder implements ReclaimOrder {
  /** Not in use, coldest first; disjoint. */
  #idle: AddressRange[];
  #inUse: InUse[] = [];

  constructor(ranges: readonly AddressRange[]) {
    this.#idle = [...ranges];
  }

  /** A phase begins to use an area at `rate` accesses per page per second. */
  enter(range: AddressRange, rate: number): void {
    if (rate < IN_USE_RATE) return;
    this.#idle = subtract(this.#idle, range);
    this.#inUse.push({ range: { start: range.start, end: range.end }, rate });
  }

  /** The phase ends; the area is the most recently used of the idle ones, unless somebody else uses it. */
  leave(range: AddressRange): void {
    const index = this.#inUse.findIndex(
      (use) => use.range.start === range.start && use.range.end === range.end,
    );
    if (index < 0) return;
    this.#inUse.splice(index, 1);
    let rest: AddressRange[] = [range];
    for (const use of this.#inUse) rest = subtract(rest, use.range);
    for (const part of rest) this.#idle = subtract(this.#idle, part);
    this.#idle.push(...rest);
  }

  forEachColdest(visit: (start: number, end: number) => boolean): void {
    for (const { start, end } of this.#idle) if (!visit(start, end)) return;
    const byRate = [...this.#inUse].sort((a, b) => a.rate - b.rate);
    for (let i = 0; i < byRate.length; i++) {
      let rest: AddressRange[] = [byRate[i].range];
      for (const hotter of byRate.slice(i + 1)) rest = subtract(rest, hotter.range);
      for (const { start, end } of rest) if (!visit(start, end)) return;
    }
  }
}

function subtract(ranges: readonly AddressRange[], cut: AddressRange): AddressRange[] {
  const rest: AddressRange[] = [];
  for (const range of ranges) {
    if (range.end <= cut.start || range.start >= cut.end) {
      rest.push(range);
      continue;
    }
    if (range.start < cut.start) rest.push({ start: range.start, end: cut.start });
    if (range.end > cut.end) rest.push({ start: cut.end, end: range.end });
  }
  return rest;
}
