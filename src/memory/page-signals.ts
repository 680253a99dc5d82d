/**
 * What per-page systems take from a machine beside samples: hint faults, and Accessed bits of whole
 * ranges. Only a modelled machine has them in this form.
 */
import type { RunVisitor } from './page-runs.ts';

/** Hint faults in the order in which they happened, struct of arrays; owned by whoever drains them. */
export interface FaultBatch {
  count: number;
  /** Page address. */
  address: Float64Array;
  /** Time between the protection of the page and its access, us. */
  delayUs: Float64Array;
  /** Node of the CPU that accessed it. */
  nid: Int16Array;
  /** Number of the thread that accessed it; left out where only its node is known. */
  thread?: Int16Array;
}

export interface PageSignals {
  /**
   * Makes pages inaccessible until their next access, which faults (change_prot_numa): those in
   * `[start, end)` that lie on a node for which `nodes` has a 1, and are not protected already.
   * @returns pages protected
   */
  protect(start: number, end: number, nodes: Uint8Array): number;
  /** Takes the faults since the last call; the batch is valid until the next one. */
  drainFaults(): FaultBatch;
  /**
   * Tests and clears the Accessed bits of `[start, end)`: visits runs of pages with 1 where they were
   * accessed since the last scan of the page, else 0.
   */
  scanAccessed(start: number, end: number, visit: RunVisitor): void;
  /** Lets the threads of a node's CPUs lose time to the system, shared evenly, us. */
  charge(nid: number, us: number): void;
  /** Lets one thread lose time to the system, us; left out where threads are not known. */
  chargeThread?(thread: number, us: number): void;
}
