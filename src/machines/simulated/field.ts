/**
 * The state of one running thread: its phase, where the phase's areas lie, how fast it goes.
 */
import type { PageRuns } from '../../memory/page-runs.ts';
import { overlapBytes, PAGE_SIZE } from '../../memory/range.ts';
import type { MemoryNode } from '../../memory/tier.ts';
import type { Area, WorkThread } from './workload.ts';

/** An area of the current phase with its present placement. */
export interface LiveArea {
  readonly start: number;
  readonly end: number;
  readonly pages: number;
  readonly share: number;
  /** Bytes on each node, by nid. */
  readonly bytesOn: Float64Array;
}

export class RunningThread {
  readonly thread: WorkThread;
  readonly #nodes: readonly MemoryNode[];
  readonly #placement: PageRuns;
  phaseIndex = -1;
  areas: LiveArea[] = [];
  /** Accesses left in this phase. */
  remaining = 0;
  done = false;
  /** Machine time at which the thread ended. */
  endUs = 0;

  constructor(thread: WorkThread, nodes: readonly MemoryNode[], placement: PageRuns) {
    this.thread = thread;
    this.#nodes = nodes;
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

  #locate(area: Area): LiveArea {
    const bytesOn = new Float64Array(this.#nodes.length);
    this.#placement.forEach(area.start, area.end, (from, to, nid) => {
      if (nid < bytesOn.length) bytesOn[nid] += to - from;
    });
    const pages = (area.end - area.start) / PAGE_SIZE;
    return { start: area.start, end: area.end, pages, share: area.share, bytesOn };
  }

  /** Follows a migration, so that no placement look-up is needed while a phase runs. */
  onMoved(start: number, end: number, fromNid: number, toNid: number): void {
    for (const area of this.areas) {
      const bytes = overlapBytes(start, end, area.start, area.end);
      area.bytesOn[fromNid] -= bytes;
      area.bytesOn[toNid] += bytes;
    }
  }

  /** Accesses per second at the present placement. */
  accessesPerS(): number {
    if (this.done) return 0;
    if (this.thread.pace.kind === 'open') return this.thread.pace.accessesPerS;
    let ns = 0;
    for (const area of this.areas) ns += area.share * meanAccessNs(area, this.#nodes);
    return ns > 0 ? 1e9 / ns : 0;
  }
}

/** Mean time of an access to a uniformly accessed area, in ns. */
export function meanAccessNs(
  area: Pick<LiveArea, 'start' | 'end' | 'bytesOn'>,
  nodes: readonly MemoryNode[],
): number {
  let ns = 0;
  for (const node of nodes) ns += area.bytesOn[node.nid] * node.accessNs;
  return ns / (area.end - area.start);
}

/**
 * Seconds that a thread needs, and the share of its accesses that hit `isFast` nodes, if nothing
 * moves from the placement given; infinite phases count as nothing.
 */
export function predictStatic(
  thread: WorkThread,
  nodes: readonly MemoryNode[],
  placement: PageRuns,
  isFast: (nid: number) => boolean,
): { staticS: number; allFastS: number; accesses: number; fastAccesses: number } {
  const fastNs = Math.min(...nodes.filter((node) => isFast(node.nid)).map((node) => node.accessNs));
  const probe = new RunningThread(thread, nodes, placement);
  let [staticNs, allFastNs, accesses, fastAccesses] = [0, 0, 0, 0];
  for (probe.nextPhase(0); !probe.done; probe.nextPhase(0)) {
    if (!Number.isFinite(probe.remaining)) break;
    accesses += probe.remaining;
    for (const area of probe.areas) {
      const count = probe.remaining * area.share;
      staticNs += count * meanAccessNs(area, nodes);
      allFastNs += count * fastNs;
      let fastBytes = 0;
      for (const node of nodes) if (isFast(node.nid)) fastBytes += area.bytesOn[node.nid];
      fastAccesses += (count * fastBytes) / (area.end - area.start);
    }
    if (thread.pace.kind === 'open') {
      const seconds = accesses / thread.pace.accessesPerS;
      staticNs = seconds * 1e9;
      allFastNs = seconds * 1e9;
    }
  }
  return { staticS: staticNs / 1e9, allFastS: allFastNs / 1e9, accesses, fastAccesses };
}
