/**
 * A workload as an access-rate field: threads that run through phases, each phase a few areas with a
 * share of the thread's accesses, uniform inside an area. From it everything else follows without
 * simulating single accesses: Accessed bits, samples, time.
 */
import type { AddressRange } from '../../memory/range.ts';
import type { MemoryKind } from './page-facts.ts';

/** Part of a phase: pages of `[start, end)` receive `share` of the thread's accesses, uniformly. */
export interface Area {
  readonly start: number;
  readonly end: number;
  /** 0..1; the shares of a phase sum to 1. */
  readonly share: number;
}

export interface Phase {
  /** None: the thread waits. */
  readonly areas: readonly Area[];
  /** Accesses after which the next phase begins; Infinity for the rest of the run, or until `forUs` ends it. */
  readonly accesses: number;
  /** Time after which the next phase begins, if the accesses have not ended before; left out: never. */
  readonly forUs?: number;
  /** The thread does nothing but touch this memory for the first time, and goes on when all of it is there. */
  readonly allocates?: Allocation;
}

/** Memory that a thread touches for the first time, from its start on. */
export interface Allocation extends AddressRange {
  /** As long as there is room: what zeroing and filling pages gives. */
  readonly bytesPerS: number;
  /** The only node that it may come from (mempolicy bind); left out: the nearest with room. */
  readonly nid?: number;
}

/** Closed: the next access waits for the one before. Open: a fixed rate, whatever memory does. */
export type Pace = { readonly kind: 'closed' } | { readonly kind: 'open'; readonly accessesPerS: number };

export interface WorkThread {
  readonly name: string;
  /** Node whose CPU runs the thread. */
  readonly nid: number;
  /** Share of its accesses that are loads. */
  readonly loadShare: number;
  readonly pace: Pace;
  /** Equal threads that go in step and are told as one; 1 if left out. */
  readonly count?: number;
  /** Accesses that each of them has outstanding at a time; 1 if left out. */
  readonly inFlight?: number;
  /** Time of each of them between two accesses, in which it does not touch memory; 0 if left out. */
  readonly computeNs?: number;
  readonly phaseCount: number;
  /** Phase `index`, made on demand so that long workloads need no memory. */
  phase(index: number): Phase;
}

/** Populated before the start, in order of the ranges; on node `nid` first, if one is named. */
export interface WorkloadRange extends AddressRange {
  readonly nid?: number;
  /** True: not populated before a phase allocates it. Until then accesses to it find the zero page. */
  readonly isLate?: boolean;
}

export interface Workload {
  readonly name: string;
  /** Sorted and disjoint. */
  readonly ranges: readonly WorkloadRange[];
  /** What the memory is, where it is more than anonymous 4 KiB pages; sorted and disjoint. */
  readonly kinds?: readonly MemoryKind[];
  readonly threads: readonly WorkThread[];
  /** What is taken for granted of it, in words, for reports. */
  readonly notes?: readonly string[];
  /** Ends the run when no thread does; Infinity to run until the closed threads end. */
  readonly durationUs: number;
}
