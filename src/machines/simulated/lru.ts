/**
 * The order in which the machine's own reclaim takes memory: least recently used first.
 *
 * A model of the kernel's LRU at the grain of areas: inside an area accesses are uniform, so its
 * pages age together. Memory that never was in an area is coldest, then areas by the time their last
 * phase ended, then areas in use, by rising access rate. Areas below {@link IN_USE_RATE} count as not
 * in use: their pages are reclaimed before they are seen again.
 *
 * Hints change the place of memory that is not in use. That of memory in use the next accesses give back.
 */
import type { RunVisitor } from '../../memory/page-runs.ts';
import { type AddressRange, overlapBytes } from '../../memory/range.ts';
import type { HintedOrder } from '../mover.ts';

/** Accesses per page per second from which an area keeps its pages active. */
export const IN_USE_RATE = 0.1;

interface InUse {
  /** The very object that {@link LruOrder.enter} was given: threads may use equal ranges. */
  readonly range: AddressRange;
  readonly rate: number;
}

interface Idle extends AddressRange {
  /** On an active list, because a hint put it there. */
  readonly isActive: boolean;
}

export class LruOrder implements HintedOrder {
  /** Not in use, coldest first; disjoint. */
  #idle: Idle[];
  #inUse: InUse[] = [];

  constructor(ranges: readonly AddressRange[]) {
    this.#idle = ranges.map((range) => ({ ...range, isActive: false }));
  }

  /** A phase begins to use an area at `rate` accesses per page per second. */
  enter(range: AddressRange, rate: number): void {
    if (rate < IN_USE_RATE) return;
    this.#idle = subtract(this.#idle, range);
    this.#inUse.push({ range, rate });
  }

  /** The phase that entered this very area ends; the area is the most recently used of the idle ones, unless somebody else uses it. */
  leave(range: AddressRange): void {
    const index = this.#inUse.findIndex((use) => use.range === range);
    if (index < 0) return;
    this.#inUse.splice(index, 1);
    const { start, end } = range;
    const rest = this.#notInUse({ start, end, isActive: false });
    for (const part of rest) this.#idle = subtract(this.#idle, part);
    this.#idle.push(...rest);
  }

  prioritise(start: number, end: number): void {
    const rest = this.#notInUse({ start, end, isActive: true });
    for (const part of rest) this.#idle = subtract(this.#idle, part);
    this.#idle.push(...rest);
  }

  deprioritise(start: number, end: number): void {
    const rest = this.#notInUse({ start, end, isActive: false });
    for (const part of rest) this.#idle = subtract(this.#idle, part);
    this.#idle.unshift(...rest);
  }

  /** Bytes in use or put on an active list, as far as it is resident. */
  activeBytes(residentBytes: (start: number, end: number) => number): number {
    let sum = 0;
    this.forEachActive((start, end) => {
      sum += residentBytes(start, end);
    });
    return sum;
  }

  /** Visits what is on active lists, in no order, without overlap. */
  forEachActive(visit: (start: number, end: number) => void): void {
    for (const { start, end, isActive } of this.#idle) if (isActive) visit(start, end);
    this.#inUse.forEach(({ range }, i) => {
      let rest: AddressRange[] = [range];
      for (const other of this.#inUse.slice(i + 1)) rest = subtract(rest, other.range);
      for (const { start, end } of rest) visit(start, end);
    });
  }

  /** Visits `[start, end)` in runs: 1 on an active list, else 0. */
  queryActive(start: number, end: number, visit: RunVisitor): void {
    const active: AddressRange[] = [];
    this.forEachActive((from, to) => {
      if (from < end && to > start) active.push({ start: Math.max(start, from), end: Math.min(end, to) });
    });
    active.sort((a, b) => a.start - b.start);
    let at = start;
    for (const range of active) {
      if (range.start > at) visit(at, range.start, 0);
      visit(range.start, range.end, 1);
      at = range.end;
    }
    if (at < end) visit(at, end, 0);
  }

  forEachColdest(visit: (start: number, end: number) => boolean): void {
    for (const { start, end } of this.#idle) if (!visit(start, end)) return;
    const byRate = [...this.#inUse].sort((a, b) => a.rate - b.rate);
    for (let i = 0; i < byRate.length; i++) {
      let rest: AddressRange[] = [byRate[i].range];
      for (let j = i + 1; j < byRate.length; j++) {
        const { range } = byRate[j];
        // Areas of one thread are mostly disjoint, and then there is nothing to copy.
        if (rest.some(({ start, end }) => start < range.end && end > range.start))
          rest = subtract(rest, range);
      }
      for (const { start, end } of rest) if (!visit(start, end)) return;
    }
  }

  #notInUse(range: Idle): Idle[] {
    let rest = [range];
    for (const use of this.#inUse) rest = subtract(rest, use.range);
    return rest;
  }
}

function subtract<T extends AddressRange>(ranges: readonly T[], cut: AddressRange): T[] {
  const rest: T[] = [];
  for (const range of ranges) {
    if (overlapBytes(range.start, range.end, cut.start, cut.end) === 0) {
      rest.push(range);
      continue;
    }
    if (range.start < cut.start) rest.push({ ...range, end: cut.start });
    if (range.end > cut.end) rest.push({ ...range, start: cut.end });
  }
  return rest;
}
