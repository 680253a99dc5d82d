/**
 * The state of one running thread: its phase, where the phase's areas lie, how fast it goes.
 */
import { PAGED_OUT } from '../../memory/action.ts';
import { NO_VALUE, type PageRuns } from '../../memory/page-runs.ts';
import { overlapBytes, PAGE_SIZE } from '../../memory/range.ts';
import type { FutureVisitor } from '../lab-machine.ts';
import type { Allocation, Area, Phase, WorkThread } from './workload.ts';

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
  /** Not allocated yet. */
  holeBytes: number;
}

export class RunningThread {
  readonly thread: WorkThread;
  readonly #nodeCount: number;
  readonly #placement: PageRuns;
  phaseIndex = -1;
  areas: LiveArea[] = [];
  /** Accesses left in this phase. */
  remaining = 0;
  /** Time left in this phase, if it ends by time. */
  remainingUs = Number.POSITIVE_INFINITY;
  /** What this phase still has to allocate. */
  allocation: Allocation | undefined;
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
      this.stop(nowUs);
      return;
    }
    const phase = this.thread.phase(this.phaseIndex);
    this.remaining = phase.accesses;
    this.remainingUs = phase.forUs ?? Number.POSITIVE_INFINITY;
    this.allocation = phase.allocates;
    this.areas = phase.areas.map((area) => this.#locate(area));
  }

  /** Ends the thread, finished or not. */
  stop(nowUs: number): void {
    this.done = true;
    this.endUs = nowUs;
    // What rounding has left of its last phase is nobody's time to wait for.
    this.remainingUs = Number.POSITIVE_INFINITY;
    this.areas = [];
    this.allocation = undefined;
  }

  /** True once the present phase has done all it was to do; less than a hundredth of an access is rounding. */
  get isPhaseOver(): boolean {
    if (this.allocation !== undefined) return this.allocation.start >= this.allocation.end;
    return this.remaining < 0.01 || this.remainingUs < 0.001;
  }

  /** True if the present phase has no end of its own. */
  get isEndless(): boolean {
    return (
      this.allocation === undefined &&
      this.remaining === Number.POSITIVE_INFINITY &&
      this.remainingUs === Number.POSITIVE_INFINITY
    );
  }

  /** Time until the present phase ends at the speed given, without what the thread owes; at most. */
  leftUs(accessesPerS: number): number {
    const byAccesses =
      accessesPerS > 0 ? (this.remaining / accessesPerS + this.debtS) * 1e6 : Number.POSITIVE_INFINITY;
    return Math.min(byAccesses, this.remainingUs);
  }

  /** Lets the thread lose time of one CPU; equal threads share it. */
  charge(us: number): void {
    this.debtS += us / 1e6 / (this.thread.count ?? 1);
  }

  /** Pays from `seconds`; what is left for work. */
  pay(seconds: number): number {
    const paid = Math.min(this.debtS, seconds);
    this.debtS -= paid;
    return seconds - paid;
  }

  /** Visits the areas of this phase and of those that begin within `seconds`. */
  forEachFuture(seconds: number, accessNs: Float64Array, visit: FutureVisitor): void {
    if (this.done) return;
    const perS = this.accessesPerS(accessNs);
    let afterS = 0;
    const see = ({ areas, accesses, forUs = Number.POSITIVE_INFINITY, allocates }: Phase): void => {
      const left = Math.min(accesses, Math.min(seconds - afterS, forUs / 1e6) * perS);
      for (const { start, end, share } of perS > 0 ? areas : []) {
        visit(start, end, (left * share * PAGE_SIZE) / (end - start), afterS);
      }
      if (allocates !== undefined) afterS += (allocates.end - allocates.start) / allocates.bytesPerS;
      // A thread that waits tells nothing of how fast it will go: what comes after is not foreseen.
      else if (perS > 0) afterS += Math.min(accesses / perS, forUs / 1e6);
      else afterS += forUs / 1e6;
    };
    see({
      areas: this.areas,
      accesses: this.remaining,
      forUs: this.remainingUs,
      ...(this.allocation === undefined ? {} : { allocates: this.allocation }),
    });
    for (let index = this.phaseIndex + 1; afterS < seconds && index < this.thread.phaseCount; index++) {
      see(this.thread.phase(index));
    }
  }

  #locate(area: Area): LiveArea {
    const bytesOn = new Float64Array(this.#nodeCount);
    let [pagedOutBytes, holeBytes] = [0, 0];
    this.#placement.forEach(area.start, area.end, (from, to, nid) => {
      if (nid < bytesOn.length) bytesOn[nid] += to - from;
      else if (nid === PAGED_OUT) pagedOutBytes += to - from;
      else if (nid === NO_VALUE) holeBytes += to - from;
    });
    const pages = (area.end - area.start) / PAGE_SIZE;
    return { start: area.start, end: area.end, pages, share: area.share, bytesOn, pagedOutBytes, holeBytes };
  }

  /** Follows a migration, so that no placement look-up is needed while a phase runs. */
  onMoved(start: number, end: number, fromNid: number, toNid: number): void {
    for (const area of this.areas) {
      const bytes = overlapBytes(start, end, area.start, area.end);
      if (fromNid === PAGED_OUT) area.pagedOutBytes -= bytes;
      else if (fromNid === NO_VALUE) area.holeBytes -= bytes;
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
    const { pace, count = 1 } = this.thread;
    if (this.done || this.areas.length === 0) return 0;
    if (pace.kind === 'open') return pace.accessesPerS;
    const ns = this.accessNs(accessNs);
    return ns > 0 ? (count * 1e9) / ns : 0;
  }

  /** Time per access of one of the equal threads, with what it computes between two. */
  accessNs(accessNs: Float64Array): number {
    const { inFlight = 1, computeNs = 0 } = this.thread;
    let ns = 0;
    for (const area of this.areas) ns += area.share * meanAccessNs(area, accessNs);
    return ns / inFlight + computeNs;
  }
}

/** Mean time of an access to a uniformly accessed area, in ns. */
export function meanAccessNs(area: LiveArea, accessNs: Float64Array): number {
  let ns = area.pagedOutBytes * FAULT_NS;
  if (area.holeBytes > 0) ns += area.holeBytes * Math.min(...accessNs);
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
