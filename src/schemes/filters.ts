/**
 * DAMOS filters (reference section 4.8): first the core list in order, then the page-level list in
 * order; the first match decides, and what no filter matches gets the opposite of what the last filter of
 * the list does to a match.
 *
 * Core filters know a whole region or a part of the address space; an allow among them spares the
 * page-level ones. Page-level filters are asked page by page, in runs, only for memory that is about to
 * be acted on.
 *
 * Differences from the kernel: ours run before anything is tried, so what they reject is neither counted
 * as tried nor charged.
 */
import type { PageQuery } from '../memory/action.ts';
import type { RunVisitor } from '../memory/page-runs.ts';
import type { ResolvedScheme } from './resolve.ts';
import type { SchemeFilter } from './scheme.ts';
import { FILTERS, isPageProperty } from './vocabulary.ts';

/** What is known of a region or spot as a whole. */
export interface UnitFacts {
  /** -1: no sample told. */
  readonly accessingNid: number;
  /** NaN: no sample told. */
  readonly storeShare: number;
}

/** Where page-level filters get their answers. */
export interface PageSource {
  placement(start: number, end: number, visit: RunVisitor): void;
  queryPages(query: PageQuery, start: number, end: number, visit: RunVisitor): void;
}

export type RangeVisitor = (start: number, end: number) => void;

interface Bound {
  readonly filter: SchemeFilter;
  readonly nids: readonly number[];
}

/** damos_set_filters_default_reject: whether memory that matches no filter of a list is left out. */
export function defaultRejects(
  core: readonly { readonly allow: boolean }[],
  page: readonly { readonly allow: boolean }[],
): { readonly core: boolean; readonly page: boolean } {
  return {
    // An undecided core list hands on to the page-level list.
    core: page.length === 0 && core.at(-1)?.allow === true,
    page: page.at(-1)?.allow === true,
  };
}

/** The filters of one scheme on one machine. */
export class FilterChain {
  readonly #core: readonly Bound[];
  readonly #page: readonly Bound[];
  readonly #rejects: { readonly core: boolean; readonly page: boolean };
  readonly #source: PageSource;

  constructor(resolved: ResolvedScheme, source: PageSource) {
    const bound = resolved.scheme.filters.map((filter, i) => ({
      filter,
      nids: resolved.filterNids[i] ?? [],
    }));
    this.#core = bound.filter(({ filter }) => FILTERS[filter.type].level === 'core');
    this.#page = bound.filter(({ filter }) => FILTERS[filter.type].level === 'page');
    const filters = (list: readonly Bound[]) => list.map(({ filter }) => filter);
    this.#rejects = defaultRejects(filters(this.#core), filters(this.#page));
    this.#source = source;
  }

  get isEmpty(): boolean {
    return this.#core.length === 0 && this.#page.length === 0;
  }

  /** Visits the parts of `[start, end)` that pass, in address order. */
  forEachPassed(start: number, end: number, unit: UnitFacts, visit: RangeVisitor): void {
    if (this.isEmpty) visit(start, end);
    else this.#throughCore(0, start, end, unit, visit);
  }

  #throughCore(index: number, start: number, end: number, unit: UnitFacts, visit: RangeVisitor): void {
    const bound = this.#core[index];
    if (bound === undefined) {
      if (this.#page.length > 0) this.#throughPages(0, start, end, visit);
      else if (!this.#rejects.core) visit(start, end);
      return;
    }
    const { filter } = bound;
    const split = (from: number, to: number, isOfType: boolean): void => {
      if (from >= to) return;
      if (isOfType !== filter.matching) this.#throughCore(index + 1, from, to, unit, visit);
      else if (filter.allow) visit(from, to);
    };
    if (filter.type !== 'addr' || filter.range === undefined) {
      split(start, end, isUnitOfType(bound, unit));
      return;
    }
    const from = Math.min(end, Math.max(start, filter.range.min));
    const to = Math.min(end, Math.max(from, filter.range.max));
    split(start, from, false);
    split(from, to, true);
    split(to, end, false);
  }

  #throughPages(index: number, start: number, end: number, visit: RangeVisitor): void {
    const bound = this.#page[index];
    if (bound === undefined) {
      if (!this.#rejects.page) visit(start, end);
      return;
    }
    const { filter, nids } = bound;
    const split = (from: number, to: number, isOfType: boolean): void => {
      if (isOfType !== filter.matching) this.#throughPages(index + 1, from, to, visit);
      else if (filter.allow) visit(from, to);
    };
    if (isPageProperty(filter.type)) {
      const query: PageQuery = {
        property: filter.type,
        ...(filter.path === undefined ? {} : { path: filter.path }),
        ...(filter.range === undefined ? {} : filter.range),
      };
      this.#source.queryPages(query, start, end, (from, to, value) => split(from, to, value === 1));
    } else {
      this.#source.placement(start, end, (from, to, nid) => split(from, to, nids.includes(nid)));
    }
  }
}

function isUnitOfType({ filter, nids }: Bound, unit: UnitFacts): boolean {
  switch (filter.type) {
    case 'accessing_node':
      return nids.includes(unit.accessingNid);
    case 'store_share': {
      const { min, max } = filter.range ?? { min: 0, max: 1 };
      return unit.storeShare >= min && unit.storeShare <= max;
    }
    default:
      // Of `target`: a machine of ours has one target, whose index is 0.
      return filter.targetIndex === 0;
  }
}
