import { type ActionOutcome, PAGED_OUT } from '../../src/memory/action.ts';
import type { FaultBatch, PageSignals } from '../../src/memory/page-signals.ts';
import { type AddressRange, PAGE_SIZE } from '../../src/memory/range.ts';
import { ADISTANCE_DRAM, type MemoryNode } from '../../src/memory/tier.ts';
import type { Tracker, TrackerHost } from '../../src/trackers/tracker.ts';
import { FakeMachine, GIB, MIB, NODE } from './tracker-fakes.ts';

export { GIB, MIB };

export interface SignalHostOptions {
  readonly ranges: readonly AddressRange[];
  /** Memory below this address is on node 0, the rest on node 1. */
  readonly onFast?: number;
  readonly capacityBytes?: number;
  readonly threads?: number;
}

/**
 * A machine whose pages are really protected, accessed and moved: node 0 is DRAM, node 1 CXL. Tests let
 * accesses happen and time pass; migrations end when they are settled.
 */
export class SignalHost extends FakeMachine implements TrackerHost {
  readonly charged: { thread: number; us: number }[] = [];
  readonly protectedSince = new Map<number, number>();
  readonly protectCalls: [number, number][] = [];
  woken = 0;
  readonly #threads: number;
  readonly #accessed = new Set<number>();
  #faults: { address: number; delayUs: number; thread: number }[] = [];

  constructor(options: SignalHostOptions) {
    const capacityBytes = options.capacityBytes ?? 4 * GIB;
    const nodes: readonly MemoryNode[] = [
      { ...NODE, nid: 0, kind: 'DRAM', capacityBytes, hasCpus: true, adistance: ADISTANCE_DRAM },
      { ...NODE, nid: 1, kind: 'CXL', capacityBytes, hasCpus: false, adistance: 2880 },
    ];
    super(nodes, options.ranges, options.onFast ?? 0, [capacityBytes, capacityBytes]);
    this.#threads = options.threads ?? 1;
  }

  readonly signals: PageSignals = {
    protect: (start, end, nodes) => {
      this.protectCalls.push([start, end]);
      let count = 0;
      this.runs.forEach(start, end, (from, to, nid) => {
        if (nid >= nodes.length || nodes[nid] === 0) return;
        for (let at = from; at < to; at += PAGE_SIZE) {
          if (this.protectedSince.has(at)) continue;
          this.protectedSince.set(at, this.us);
          count++;
        }
      });
      return count;
    },
    drainFaults: (): FaultBatch => {
      const faults = this.#faults;
      this.#faults = [];
      return {
        count: faults.length,
        address: Float64Array.from(faults, ({ address }) => address),
        delayUs: Float64Array.from(faults, ({ delayUs }) => delayUs),
        nid: new Int16Array(faults.length),
        thread: Int16Array.from(faults, ({ thread }) => thread),
      };
    },
    scanAccessed: (start, end, visit) => {
      for (let at = start; at < end; at += PAGE_SIZE) {
        visit(at, at + PAGE_SIZE, this.#accessed.delete(at) ? 1 : 0);
      }
    },
    charge: (_nid, us) => this.charged.push({ thread: -1, us }),
    chargeThread: (thread, us) => this.charged.push({ thread, us }),
  };

  /** A thread accesses a page: its bit is set, and it faults if it was protected. */
  access(address: number, thread = 0): void {
    this.#accessed.add(address);
    const since = this.protectedSince.get(address);
    if (since === undefined) return;
    this.protectedSince.delete(address);
    this.#faults.push({ address, delayUs: this.us - since, thread });
  }

  /** Lets a page fault as if it had been protected `delayUs` ago. */
  fault(address: number, delayUs: number, thread = 0): void {
    this.#faults.push({ address, delayUs, thread });
  }

  wakeKswapd(): void {
    this.woken++;
  }
  runningThreads(): readonly number[] {
    return Array.from({ length: this.#threads }, (_, thread) => thread);
  }

  /** Ends all migrations that were asked for, each as `outcome`. */
  settle(tracker: Tracker, outcome: ActionOutcome = 'applied'): void {
    for (const { start, end, nid } of this.requests.splice(0)) {
      if (outcome === 'applied') this.put(start, end, nid);
      tracker.onMoved?.(start, end, outcome);
    }
  }

  /** Moves memory behind the tracker's back, as reclaim does. */
  put(start: number, end: number, nid: number): void {
    this.runs.forEach(start, end, (from, to, old) => {
      if (old !== PAGED_OUT) this.free[old] += to - from;
    });
    this.free[nid] -= end - start;
    this.runs.set(start, end, nid);
  }

  pass(tracker: Tracker, us: number): void {
    for (const endUs = this.us + us; this.us < endUs; ) {
      this.us = Math.min(endUs, this.us + tracker.stepUs);
      tracker.step();
    }
  }
}

/** What `forEachHot` visits; throws unless it is sorted and disjoint. */
export function sortedHot(tracker: Tracker): [number, number][] {
  const ranges: [number, number][] = [];
  let at = -1;
  tracker.forEachHot((start, end) => {
    if (start < at || end <= start) throw new Error(`[${start}, ${end}) after ${at}`);
    at = end;
    ranges.push([start, end]);
  });
  return ranges;
}
