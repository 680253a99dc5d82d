/**
 * The state of one running thread: its phase, where the phase's areas lie, how fast it goes.
 */
import { PAGED_OUT } from '../../memory/action.ts';
import type { PageRuns } from '../../memory/page-runs.ts';
import { overlapBytes, PAGE_SIZE } from '../../memory/range.ts';
import type { FutureVisitor } from '../lab-machine.ts';
import type { Area, WorkThread } from './workload.ts';

/** Time that an access waits for a page that was paged out: an NVMe read and the fault (inferred). */
export const FAULT_NS = 100_000;

/** An area of the current phase with its present placement. */
export interface LiveArea {
  readonly start: number;
  readonly end: number;
  readonly pages: number;
  readonly share: number;
  /** Bytes on each node, by nid. */
  readonly bytesOn: Float64Array;
  pagedOutBytes: number;
}

export class RunningThread {
  readonly thread: WorkThread;
  readonly #nodeCount: number;
  readonly #placement: PageRuns;
  phaseIndex = -1;
  areas: LiveArea[] = [];
  /** Accesses left in this phase. */
  remaining = 0;
  done = false;
  /** Time that the thread owes the system: faults and interrupts that it has to pay for. */
  debtS = 0;
  /** Machine time at which the thread ended. */
  endUs = 0;

  constructor(thread: WorkThread, nodeCount: number, placement: PageRuns) {
    this.thread = thread;
    this.#nodeCount = nodeCount;
    this.#placement = placement;
  }

  /** Enters the next phase; marks the thread done after the last one. */
  nextPhase(nowUs: number): void {
    this.phaseIndex++;
    if (this.phaseIndex >= this.thread.phaseCount) {
      this.done = true;
      this.endUs = nowUs;
      this.areas = [];
      return;
    }
    const phase = this.thread.phase(this.phaseIndex);
    this.remaining = phase.accesses;
    this.areas = phase.areas.map((area) => this.#locate(area));
  }

  /** Pays from `seconds`; what is left for work. */
  pay(seconds: number): number {
    const paid = Math.min(this.debtS, seconds);
    this.debtS -= paid;
    return seconds - paid;
  }

  /** Visits the areas of this phase and of those that begin within `seconds`. */
  forEachFuture(seconds: number, accessNs: Float64Array, visit: FutureVisitor): void {
    const perS = this.accessesPerS(accessNs);
    if (this.done || perS === 0) return;
    let afterS = 0;
    const see = (areas: readonly Area[], accesses: number): void => {
      const left = Math.min(accesses, (seconds - afterS) * perS);
      for (const { start, end, share } of areas) {
        visit(start, end, (left * share * PAGE_SIZE) / (end - start), afterS);
      }
      afterS += accesses / perS;
    };
    see(this.areas, this.remaining);
    for (let index = this.phaseIndex + 1; afterS < seconds && index < this.thread.phaseCount; index++) {
      const phase = this.thread.phase(index);
      see(phase.areas, phase.accesses);
    }
  }

  #locate(area: Area): LiveArea {
    const bytesOn = new Float64Array(this.#nodeCount);
    let pagedOutBytes = 0;
    this.#placement.forEach(area.start, area.end, (from, to, nid) => {
      if (nid < bytesOn.length) bytesOn[nid] += to - from;
      else if (nid === PAGED_OUT) pagedOutBytes += to - from;
    });
    const pages = (area.end - area.start) / PAGE_SIZE;
    return { start: area.start, end: area.end, pages, share: area.share, bytesOn, pagedOutBytes };
  }

  /** Follows a migration, so that no placement look-up is needed while a phase runs. */
  onMoved(start: number, end: number, fromNid: number, toNid: number): void {
    for (const area of this.areas) {
      const bytes = overlapBytes(start, end, area.start, area.end);
      if (fromNid === PAGED_OUT) area.pagedOutBytes -= bytes;
      else area.bytesOn[fromNid] -= bytes;
      if (toNid === PAGED_OUT) area.pagedOutBytes += bytes;
      else area.bytesOn[toNid] += bytes;
    }
  }

  /**
   * Accesses per second at the present placement.
   * @param accessNs time of an access by nid
   */
  accessesPerS(accessNs: Float64Array): number {
    if (this.done) return 0;
    if (this.thread.pace.kind === 'open') return this.thread.pace.accessesPerS;
    let ns = 0;
    for (const area of this.areas) ns += area.share * meanAccessNs(area, accessNs);
    return ns > 0 ? 1e9 / ns : 0;
  }
}

/** Mean time of an access to a uniformly accessed area, in ns. */
export function meanAccessNs(area: LiveArea, accessNs: Float64Array): number {
  let ns = area.pagedOutBytes * FAULT_NS;
  for (let nid = 0; nid < accessNs.length; nid++) ns += area.bytesOn[nid] * accessNs[nid];
  return ns / (area.end - area.start);
}

/** Called with each part of a range and the rate of its pages, in accesses per page per second. */
export type RateVisitor = (start: number, end: number, ratePerS: number) => void;

/**
 * Visits all of `[start, end)` with its present rates, adding up those of overlapping areas between
 * their edges.
 * @param accessNs time of an access by nid
 */
export function forEachRate(
  threads: readonly RunningThread[],
  accessNs: Float64Array,
  start: number,
  end: number,
  visit: RateVisitor,
): void {
  const edges: { at: number; change: number }[] = [];
  for (const thread of threads) {
    const accessesPerS = thread.accessesPerS(accessNs);
    for (const area of thread.areas) {
      const [from, to] = [Math.max(start, area.start), Math.min(end, area.end)];
      if (from >= to) continue;
      const rate = (accessesPerS * area.share) / area.pages;
      edges.push({ at: from, change: rate }, { at: to, change: -rate });
    }
  }
  edges.sort((a, b) => a.at - b.at);
  let [rate, from] = [0, start];
  for (let i = 0; i < edges.length; ) {
    const at = edges[i].at;
    if (at > from) visit(from, at, rate);
    from = at;
    for (; i < edges.length && edges[i].at === at; i++) rate += edges[i].change;
  }
  if (from < end) visit(from, end, 0);
}
