/**
 * Which memory a scheme acted on a while ago. A hint ("put first on the LRU lists") leaves no mark on
 * the placement, so without this the same hottest memory would use the quota of every window. DAMOS sets
 * the age of a region to 0 instead, which lets only patterns with an age rest; here the age stays what
 * was measured, and what was acted on comes again after {@link ActedMemory.restUs}.
 */
import { RecentTimes } from '../memory/recent-times.ts';
import type { RangeVisitor } from './filters.ts';
import type { ResolvedScheme } from './resolve.ts';
import { ACTIONS } from './vocabulary.ts';

/** A hint is given again after a minute at the earliest. */
const HINT_REST_US = 60e6;

/** The rest is told to within this part of it. */
const TICKS_PER_REST = 100;

export class ActedMemory {
  readonly restUs: number;
  readonly #times: RecentTimes;

  constructor(restUs: number) {
    this.restUs = restUs;
    this.#times = new RecentTimes(restUs / TICKS_PER_REST, restUs);
  }

  /** Visits the parts of `[start, end)` that were left alone for long enough. */
  forEachRested(nowUs: number, start: number, end: number, visit: RangeVisitor): void {
    let from = -1;
    this.#times.forEach(nowUs, start, end, (partStart, partEnd, agoUs) => {
      const isRested = agoUs >= this.restUs;
      if (isRested && from < 0) from = partStart;
      if (!isRested && from >= 0) {
        visit(from, partStart);
        from = -1;
      }
      if (isRested && partEnd === end) visit(from, partEnd);
    });
  }

  add(nowUs: number, start: number, end: number): void {
    this.#times.note(nowUs, start, end);
  }
}

/** Hints rest after they were given, for the age that their pattern asks for or a minute; undefined: no hints. */
export function createActedMemory(
  { scheme }: ResolvedScheme,
  present: ActedMemory | undefined,
): ActedMemory | undefined {
  if (ACTIONS[scheme.action].effect !== 'hints') return undefined;
  const restUs = Math.max(HINT_REST_US, scheme.pattern.minAgeUs.value);
  return present?.restUs === restUs ? present : new ActedMemory(restUs);
}
