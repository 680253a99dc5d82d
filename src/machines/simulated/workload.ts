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
  readonly areas: readonly Area[];
  /** Accesses after which the next phase begins; Infinity for the rest of the run. */
  readonly accesses: number;
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
  readonly phaseCount: number;
  /** Phase `index`, made on demand so that long workloads need no memory. */
  phase(index: number): Phase;
}

export interface Workload {
  readonly name: string;
  /** Populated before the start, in this order; on node `nid` first, if one is named. */
  readonly ranges: readonly (AddressRange & { readonly nid?: number })[];
  /** What the memory is, where it is more than anonymous 4 KiB pages; sorted and disjoint. */
  readonly kinds?: readonly MemoryKind[];
  readonly threads: readonly WorkThread[];
  /** Ends the run when no thread does; Infinity to run until the closed threads end. */
  readonly durationUs: number;
}
