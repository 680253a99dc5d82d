import type { ActionRequest, NodeGauge, PageQuery, SystemGauge } from '../../src/memory/action.ts';
import { NO_VALUE, PageRuns, type RunVisitor } from '../../src/memory/page-runs.ts';
import type { Regions } from '../../src/monitor/monitor.ts';
import { SchemeExecutor } from '../../src/schemes/executor.ts';
import { loadSchemes } from '../../src/schemes/load.ts';
import type { ResolvedScheme } from '../../src/schemes/resolve.ts';
import type { Scheme } from '../../src/schemes/scheme.ts';
import type { SchemeHost } from '../../src/schemes/scheme-runner.ts';

export const ATTRS = { minRegionSz: 4096, sampleUs: 5000, aggrUs: 100_000 };

export interface FakeRegion {
  readonly start: number;
  readonly end: number;
  readonly rate: number;
  readonly age?: number;
  readonly nrAccesses?: number;
  readonly accessingNid?: number;
  readonly storeShare?: number;
}

export function regionsOf(list: readonly FakeRegion[]): Regions {
  return {
    count: list.length,
    start: (i) => list[i].start,
    end: (i) => list[i].end,
    rate: (i) => list[i].rate,
    age: (i) => list[i].age ?? 0,
    isIdle: (i) => list[i].rate === 0,
    nrAccesses: (i) => list[i].nrAccesses ?? 0,
    accessingNid: (i) => list[i].accessingNid ?? -1,
    storeShare: (i) => list[i].storeShare ?? Number.NaN,
  };
}

/** A machine in which nothing happens. */
export const NOTHING: SystemGauge = {
  someMemPsiUs: 0,
  activeBytes: 0,
  inactiveBytes: 0,
  accesses: 0,
  fastAccesses: 0,
  accessS: 0,
  allFastS: 0,
  fastNs: Number.NaN,
  slowNs: Number.NaN,
};

/** `bytes` of memory on node 1; what is asked for takes effect at once. */
export class FakeHost implements SchemeHost {
  readonly runs = new PageRuns();
  /** Of each node. */
  reserveBytes = 0;
  readonly moved: [number, number][] = [];
  readonly requests: ActionRequest[] = [];
  readonly queries: (PageQuery & { start: number; end: number })[] = [];
  /** Pages with a property, by its name. */
  readonly properties = new Map<string, PageRuns>();
  readonly totalBytes: number;
  system: SystemGauge = NOTHING;

  constructor(bytes: number) {
    this.totalBytes = bytes;
    this.runs.set(0, bytes, 1);
  }

  /** The pages that have a property. */
  property(name: PageQuery['property']): PageRuns {
    const pages = this.properties.get(name) ?? new PageRuns();
    this.properties.set(name, pages);
    return pages;
  }

  placement(start: number, end: number, visit: RunVisitor): void {
    this.runs.forEach(start, end, visit);
  }

  queryPages(query: PageQuery, start: number, end: number, visit: RunVisitor): void {
    this.queries.push({ ...query, start, end });
    this.property(query.property).forEach(start, end, (from, to, value) =>
      visit(from, to, value === NO_VALUE ? 0 : 1),
    );
  }

  act(request: ActionRequest): void {
    this.requests.push(request);
    this.moved.push([request.start, request.end]);
    if (request.targetNid >= 0) this.runs.set(request.start, request.end, request.targetNid);
  }

  gauge(nid: number): NodeGauge {
    let used = 0;
    this.runs.forEach(0, this.totalBytes, (from, to, on) => {
      if (on === nid) used += to - from;
    });
    return {
      nid,
      totalBytes: this.totalBytes,
      freeBytes: this.totalBytes - used,
      reserveBytes: this.reserveBytes,
    };
  }

  systemGauge(): SystemGauge {
    return this.system;
  }

  memcgBytes(): number {
    return 0;
  }

  /** What is asked for takes effect at once. */
  comingBytes(_nid?: number): number {
    return 0;
  }

  monitoringCpuShare(): number {
    return 0;
  }
}

/** A scheme that moves to `targetNids`, and whose goals and filters are about `placeNids`. */
export function resolvedTo(
  scheme: Scheme,
  targetNids: readonly number[],
  placeNids: readonly number[] = targetNids,
): ResolvedScheme {
  return {
    scheme,
    dests: scheme.dests.map((dest) => ({ nids: targetNids, isAccessing: false, weight: dest.weight })),
    fromNids: undefined,
    goalNids: scheme.quota.goals.map((goal) => (goal.place === undefined ? undefined : placeNids)),
    filterNids: scheme.filters.map((filter) => (filter.place === undefined ? undefined : placeNids)),
  };
}

/** An executor whose host may be another one each round. */
export class FakeExecutor {
  readonly #proxy: { current: FakeHost } = { current: new FakeHost(4096) };
  readonly executor: SchemeExecutor;

  constructor(resolved: readonly ResolvedScheme[], minRegionSz = ATTRS.minRegionSz) {
    const now = (): FakeHost => this.#proxy.current;
    this.executor = new SchemeExecutor(
      resolved,
      { ...ATTRS, minRegionSz },
      {
        placement: (start, end, visit) => now().placement(start, end, visit),
        queryPages: (query, start, end, visit) => now().queryPages(query, start, end, visit),
        act: (request) => now().act(request),
        gauge: (nid) => now().gauge(nid),
        systemGauge: () => now().systemGauge(),
        memcgBytes: () => now().memcgBytes(),
        comingBytes: (nid) => now().comingBytes(nid),
        monitoringCpuShare: () => now().monitoringCpuShare(),
      },
    );
  }

  apply(timeUs: number, regions: Regions, spots: Regions, host: FakeHost): void {
    this.#proxy.current = host;
    this.executor.apply(timeUs, regions, spots);
  }

  stats(index: number) {
    return this.executor.stats(index);
  }
}

export function executorOf(
  sentence: string,
  targetNids: readonly number[] = [0],
  minRegionSz = ATTRS.minRegionSz,
): FakeExecutor {
  const { schemes } = loadSchemes(`version: 1\nschemes: ['${sentence}']`, 't', ATTRS);
  return new FakeExecutor(
    schemes.map((scheme) => resolvedTo(scheme, targetNids)),
    minRegionSz,
  );
}
