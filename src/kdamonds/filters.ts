/** Filters as the kernel's: what it has not is put into other words, or refused. */
import type { ResolvedScheme } from '../schemes/resolve.ts';
import type { SchemeFilter } from '../schemes/scheme.ts';
import { featureOfFilter, formatKernelVersion, hasFeature, sinceVersion } from './kernel.ts';
import type { DamonFilter, KernelFilter, Region } from './model.ts';
import type { SchemeNotes } from './notes.ts';

interface FilterContext {
  readonly kernel: Parameters<typeof hasFeature>[0];
  readonly pid: number | undefined;
  readonly nodeRanges: ReadonlyMap<number, readonly Region[]>;
}

const NO_FILTER: Omit<DamonFilter, 'type' | 'matching' | 'allow'> = {
  memcgPath: '',
  address: { start: 0, end: 0 },
  targetIndex: 0,
  size: { min: 0, max: 0 },
};

export class FilterExporter {
  readonly #resolved: ResolvedScheme;
  readonly #context: FilterContext;
  readonly #notes: SchemeNotes;

  constructor(resolved: ResolvedScheme, context: FilterContext, notes: SchemeNotes) {
    this.#resolved = resolved;
    this.#context = context;
    this.#notes = notes;
  }

  export(): DamonFilter[] {
    const { scheme, filterNids } = this.#resolved;
    const filters = scheme.filters.flatMap((filter, i) => this.#exportFilter(filter, filterNids[i]));
    return this.#withoutAllow(filters);
  }

  #exportFilter(filter: SchemeFilter, nids: readonly number[] | undefined): DamonFilter[] {
    const { type, matching, allow, path, range, targetIndex, where } = filter;
    const { kernel } = this.#context;
    if (type === 'node' || type === 'tier') return this.#placeFilter(filter, nids ?? []);
    const feature = featureOfFilter(type);
    if (feature === undefined || !hasFeature(kernel, feature)) {
      this.#notes.refused(
        feature === undefined
          ? `the filter ${type} is none of DAMON's`
          : `Linux ${formatKernelVersion(kernel)} has no filter ${type} (since ${sinceVersion(feature)})`,
        'leave it out, if the scheme may act on that memory as well',
        where,
      );
      return [];
    }
    const base = { ...NO_FILTER, type: type as KernelFilter, matching, allow };
    switch (type) {
      case 'memcg':
        return [{ ...base, memcgPath: path ?? '' }];
      case 'addr':
        return [{ ...base, address: { start: range?.min ?? 0, end: range?.max ?? 0 } }];
      case 'hugepage_size':
        return [{ ...base, size: { min: range?.min ?? 0, max: range?.max ?? 0 } }];
      case 'target':
        return [{ ...base, targetIndex: targetIndex ?? 0 }];
      default:
        return [base];
    }
  }

  /** Memory of nodes by its addresses. */
  #placeFilter({ type, matching, allow, where }: SchemeFilter, nids: readonly number[]): DamonFilter[] {
    const { pid, nodeRanges, kernel } = this.#context;
    const ranges = nids.flatMap((nid) => nodeRanges.get(nid) ?? []);
    const isKnown = pid === undefined && nids.every((nid) => nodeRanges.has(nid));
    if (!isKnown || !hasFeature(kernel, 'address_filters') || (!matching && ranges.length > 1)) {
      this.#notes.refused(
        `the filter ${type} has no counterpart here`,
        'for physical memory whose addresses are known it becomes a filter of addresses',
        where,
      );
      return [];
    }
    this.#notes.changed(`the filter ${type} becomes one of physical addresses`, undefined, where);
    return ranges.map(({ start, end }) => ({
      ...NO_FILTER,
      type: 'addr',
      matching,
      allow,
      address: { start, end },
    }));
  }

  /** Kernels without "allow" reject what matches: one filter that allows is turned round. */
  #withoutAllow(filters: DamonFilter[]): DamonFilter[] {
    const { kernel } = this.#context;
    if (hasFeature(kernel, 'allow_filters') || !filters.some(({ allow }) => allow)) return filters;
    const [only] = filters;
    if (filters.length === 1) return [{ ...only, matching: !only.matching, allow: false }];
    this.#notes.refused(
      `Linux ${formatKernelVersion(kernel)} only rejects what filters match (since ${sinceVersion('allow_filters')} it also allows)`,
      'write the filters so that each rejects, or keep the one that allows',
      filters.length > 0 ? this.#resolved.scheme.filters[0].where : undefined,
    );
    return filters;
  }
}
