/**
 * What a modelled machine shows to the lab beyond what a machine is: signals for per-page systems, promotions
 * in vain, the future, who waits. Monitors, schemes and the engine never see it.
 */
import type { PageSignals } from '../memory/page-signals.ts';
import type { AddressRange } from '../memory/range.ts';
import type { ModelledMachine } from './machine.ts';
import type { Watermarks } from './watermarks.ts';

/**
 * Called with each use to come.
 * @param accessesPerPage within the time looked ahead
 * @param afterS time until it begins; 0: it has
 */
export type FutureVisitor = (start: number, end: number, accessesPerPage: number, afterS: number) => void;

export interface ThreadEnd {
  readonly name: string;
  /** Machine time at which the thread ended, s; NaN while it runs. */
  readonly endS: number;
}

/** Each part costs nothing until it is asked for. */
export interface Lab {
  /** Where there are pages, sorted and disjoint: for systems that keep something for each of them. */
  readonly pageRanges: readonly AddressRange[];
  /** Hint faults and Accessed-bit scans. */
  signals(): PageSignals;
  /** Counts promotions in vain from the first call on. */
  waste(): { readonly wastedBytes: number };
  /** How often a clairvoyant has to look at the future to do well here, us. */
  readonly lookUs: number;
  /**
   * What only a clairvoyant knows: every use that it pays to know of here, in no order; uses may
   * overlap. To be asked from the start on.
   */
  forEachFuture(visit: FutureVisitor): void;
  threadEnds(): readonly ThreadEnd[];
  /** Numbers of the threads that run. */
  runningThreads(): number[];
  /** Lets all threads that run lose time, shared evenly, us. */
  charge(us: number): void;
}

export interface LabMachine extends ModelledMachine {
  readonly lab: Lab;
  /** Node of the page at an address; NO_VALUE for holes. */
  nidOf(address: number): number;
  wakeKswapd(nid: number): void;
  watermarks(nid: number): Watermarks;
}
