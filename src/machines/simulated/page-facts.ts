/**
 * What the simulated machine knows about single pages: what the workload says of its memory, where the
 * LRU lists have it, and whether it was accessed lately.
 *
 * Young: the Accessed bit is set. It was cleared when somebody last asked, and by the machine's own aging
 * of its lists at least every 10 s (inferred: what MGLRU's aging does under light pressure), so a page of
 * rate r is young with probability 1 - exp(-r t), t being the time since.
 */
import type { PageQuery } from '../../memory/action.ts';
import type { RunVisitor } from '../../memory/page-runs.ts';
import type { RandomStream } from '../../memory/random.ts';
import { type AddressRange, PAGE_SIZE } from '../../memory/range.ts';
import { RecentTimes } from '../../memory/recent-times.ts';
import type { RateVisitor } from './field.ts';

/** What a workload says about a part of its memory. */
export interface MemoryKind extends AddressRange {
  /** False: page cache. Anonymous if left out. */
  readonly isAnon?: boolean;
  readonly memcg?: string;
  /** Size of the pages that it consists of; 4 KiB if left out. */
  readonly pageBytes?: number;
  /** False: no process maps it. */
  readonly isMapped?: boolean;
}

const AGING_US = 10e6;
const TICK_US = 1e5;
/** Below and above these probabilities all pages of a run are alike. */
const ALMOST_NONE = 1e-6;
const ALMOST_ALL = 1 - 1e-6;

/** Visits the access rates of a range as they are now, in address order and without overlap. */
export type RateWalk = (start: number, end: number, visit: RateVisitor) => void;

export class PageFacts {
  readonly #kinds: readonly MemoryKind[];
  readonly #random: RandomStream;
  readonly #asked = new RecentTimes(TICK_US, AGING_US);

  constructor(kinds: readonly MemoryKind[], random: RandomStream) {
    this.#kinds = kinds;
    this.#random = random;
  }

  /** Ranges of a memory cgroup. */
  rangesOf(memcg: string): readonly AddressRange[] {
    return this.#kinds.filter((kind) => kind.memcg === memcg);
  }

  /** Answers for what the workload says. */
  queryKind(query: PageQuery, start: number, end: number, visit: RunVisitor): void {
    let at = start;
    for (const kind of this.#kinds) {
      if (kind.end <= at || kind.start >= end) continue;
      const from = Math.max(at, kind.start);
      const to = Math.min(end, kind.end);
      if (from > at) visit(at, from, isOfKind(query, {}) ? 1 : 0);
      visit(from, to, isOfKind(query, kind) ? 1 : 0);
      at = to;
    }
    if (at < end) visit(at, end, isOfKind(query, {}) ? 1 : 0);
  }

  /** Young or old, and old from now on. */
  queryYoung(nowUs: number, start: number, end: number, rates: RateWalk, visit: RunVisitor): void {
    const pieces: [number, number, number][] = [];
    this.#asked.forEach(nowUs, start, end, (from, to, agoUs) => {
      pieces.push([from, to, Math.min(nowUs, AGING_US, agoUs) / 1e6]);
    });
    for (const [from, to, seconds] of pieces) {
      rates(from, to, (runStart, runEnd, ratePerS) => {
        this.#draw(runStart, runEnd, -Math.expm1(-ratePerS * seconds), visit);
      });
    }
    this.#asked.note(nowUs, start, end);
  }

  /** Runs of pages that are young with probability `share` each. */
  #draw(start: number, end: number, share: number, visit: RunVisitor): void {
    if (share < ALMOST_NONE || share > ALMOST_ALL) {
      visit(start, end, share > 0.5 ? 1 : 0);
      return;
    }
    let from = start;
    let isYoung = this.#random.unit() < share;
    for (let at = start + PAGE_SIZE; at < end; at += PAGE_SIZE) {
      const isNextYoung = this.#random.unit() < share;
      if (isNextYoung === isYoung) continue;
      visit(from, at, isYoung ? 1 : 0);
      [from, isYoung] = [at, isNextYoung];
    }
    visit(from, end, isYoung ? 1 : 0);
  }
}

function isOfKind(
  { property, path, min = 0, max = Number.POSITIVE_INFINITY }: PageQuery,
  kind: Partial<MemoryKind>,
): boolean {
  const pageBytes = kind.pageBytes ?? PAGE_SIZE;
  switch (property) {
    case 'anon':
      return kind.isAnon ?? true;
    case 'memcg':
      return kind.memcg === path;
    case 'hugepage_size':
      return pageBytes > PAGE_SIZE && pageBytes >= min && pageBytes <= max;
    case 'unmapped':
      return kind.isMapped === false;
    default:
      return false;
  }
}
