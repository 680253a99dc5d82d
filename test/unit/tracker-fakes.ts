import { type AccessBatch, createAccessBatch, pushSample } from '../../src/memory/access-batch.ts';
import type { ActionOutcome, NodeGauge } from '../../src/memory/action.ts';
import { PageRuns, type RunVisitor } from '../../src/memory/page-runs.ts';
import type { FaultBatch, PageSignals } from '../../src/memory/page-signals.ts';
import type { PushSetting } from '../../src/memory/push-setting.ts';
import { type AddressRange, PAGE_SIZE } from '../../src/memory/range.ts';
import { ADISTANCE_DRAM, type MemoryNode } from '../../src/memory/tier.ts';
import type { NodeWatermarks, Tracker, TrackerHost } from '../../src/trackers/tracker.ts';

export const GIB = 2 ** 30;
export const MIB = 2 ** 20;

export const NODE = { accessNs: 10, bandwidthBytesPerS: 1e9 };

/** Node 0: DRAM with CPUs; node 1: CXL without. */
export function twoNodes(fastBytes: number, slowBytes: number): readonly MemoryNode[] {
  return [
    { ...NODE, nid: 0, kind: 'DRAM', capacityBytes: fastBytes, hasCpus: true, adistance: ADISTANCE_DRAM },
    { ...NODE, nid: 1, kind: 'CXL', capacityBytes: slowBytes, hasCpus: false, adistance: 2000 },
  ];
}

/** Memory, time and requests of a pretended machine; what makes signals is for those that extend it. */
export abstract class FakeMachine {
  readonly runs = new PageRuns();
  readonly requests: { start: number; end: number; nid: number }[] = [];
  us = 0;
  free: number[];
  marks: NodeWatermarks = { minBytes: MIB, lowBytes: 2 * MIB, highBytes: 3 * MIB, promoBytes: 4 * MIB };
  readonly nodes: readonly MemoryNode[];
  readonly #ranges: readonly AddressRange[];

  /** @param onFast memory below this address is on node 0, the rest on node 1 */
  constructor(nodes: readonly MemoryNode[], ranges: readonly AddressRange[], onFast: number, free: number[]) {
    this.nodes = nodes;
    this.#ranges = ranges;
    this.free = free;
    for (const { start, end } of ranges) {
      const edge = Math.min(Math.max(start, onFast), end);
      if (start < edge) this.runs.set(start, edge, 0);
      if (edge < end) this.runs.set(edge, end, 1);
    }
  }

  ranges(): readonly AddressRange[] {
    return this.#ranges;
  }
  nowUs(): number {
    return this.us;
  }
  nidOf(address: number): number {
    return this.runs.get(address);
  }
  placement(start: number, end: number, visit: RunVisitor): void {
    this.runs.forEach(start, end, visit);
  }
  gauge(nid: number): NodeGauge {
    return { nid, totalBytes: this.nodes[nid].capacityBytes, freeBytes: this.free[nid], reserveBytes: 0 };
  }
  watermarks(): NodeWatermarks {
    return this.marks;
  }
  migrate(start: number, end: number, nid: number): void {
    this.requests.push({ start, end, nid });
  }
  pendingBytes(): number {
    return this.requests.reduce((sum, { start, end }) => sum + end - start, 0);
  }
}

export interface FakeOptions {
  readonly bytes: number;
  /** Of the memory, from address 0 on, on node 0; the rest is on node 1. */
  readonly onFast?: number;
  readonly nodes?: readonly MemoryNode[];
  readonly ranges?: readonly AddressRange[];
}

/** A machine without accesses: tests set its time, hand samples over and settle migrations. */
export class FakeTrackerHost extends FakeMachine implements TrackerHost {
  readonly charged: { nid: number; us: number }[] = [];
  readonly pushes: PushSetting[] = [];
  readonly faults: FaultBatch;
  /** Ranges that `scanAccessed` finds accessed. */
  accessed: AddressRange[] = [];
  protectedPages = 0;

  constructor(options: FakeOptions) {
    const { bytes, onFast = 0, nodes = twoNodes(bytes, bytes) } = options;
    super(
      nodes,
      options.ranges ?? [{ start: 0, end: bytes }],
      onFast,
      nodes.map(() => 0),
    );
    this.faults = {
      count: 0,
      address: new Float64Array(65_536),
      delayUs: new Float64Array(65_536),
      nid: new Int16Array(65_536),
    };
  }

  readonly signals: PageSignals = {
    protect: (start, end, nodes) => {
      let pages = 0;
      this.runs.forEach(start, end, (from, to, nid) => {
        if (nid < nodes.length && nodes[nid] === 1) pages += (to - from) / PAGE_SIZE;
      });
      this.protectedPages += pages;
      return pages;
    },
    drainFaults: () => {
      const drained = { ...this.faults };
      this.faults.count = 0;
      return drained;
    },
    scanAccessed: (start, end, visit) => {
      let at = start;
      for (const range of this.accessed) {
        const [from, to] = [Math.max(start, range.start), Math.min(end, range.end)];
        if (from >= to) continue;
        if (from > at) visit(at, from, 0);
        visit(from, to, 1);
        at = to;
      }
      if (at < end) visit(at, end, 0);
    },
    charge: (nid, us) => {
      this.charged.push({ nid, us });
    },
  };

  setPush(push: PushSetting): void {
    this.pushes.push(push);
  }

  /** Ends all migrations that were asked for; what is not `applied` stays where it was. */
  settle(tracker: Tracker, outcomeOf: (start: number) => ActionOutcome = () => 'applied'): number {
    const requests = this.requests.splice(0);
    for (const { start, end, nid } of requests) {
      const outcome = outcomeOf(start);
      if (outcome === 'applied') {
        this.runs.forEach(start, end, (from, to, old) => {
          if (old < this.free.length) this.free[old] += to - from;
          this.free[nid] -= to - from;
        });
        this.runs.set(start, end, nid);
      }
      tracker.onMoved?.(start, end, outcome);
    }
    return requests.length;
  }
}

/** Samples of pages by number, all by CPUs of one node. */
export function samplesOf(pages: readonly number[], nid = 0, isStore = 0): AccessBatch {
  const batch = createAccessBatch(Math.max(1, pages.length));
  for (const page of pages) pushSample(batch, page * PAGE_SIZE, nid, isStore);
  return batch;
}

/** Lets `us` pass, hands samples over and steps. */
export function feed(
  host: FakeTrackerHost,
  tracker: Tracker,
  us: number,
  pages: readonly number[],
  nid = 0,
): void {
  host.us += us;
  tracker.takeSamples?.(samplesOf(pages, nid));
  tracker.step();
}

/** Has pages sampled in millisecond `ms` and handed to the tracker, without a step; ends 2 ms later. */
export function sampleAt(
  host: FakeTrackerHost,
  tracker: Tracker,
  ms: number,
  pages: readonly number[],
  nid = 0,
): void {
  host.us = ms * 1_000 + 499;
  tracker.takeSamples?.(samplesOf([]));
  host.us = ms * 1_000 + 500;
  tracker.takeSamples?.(samplesOf(pages, nid));
  // The driver's work item has run by then.
  host.us = ms * 1_000 + 2_000;
  tracker.takeSamples?.(samplesOf([]));
}

/** What `forEachHot` visits. */
export function hotRanges(tracker: Tracker): [number, number][] {
  const ranges: [number, number][] = [];
  tracker.forEachHot((start, end) => ranges.push([start, end]));
  return ranges;
}
