/** What a workload would take if nothing moved, and if all its memory were fast. */
import type { PageRuns } from '../../memory/page-runs.ts';
import type { MemoryNode } from '../../memory/tier.ts';
import type { Baseline } from '../machine.ts';
import { meanAccessNs, RunningThread } from './field.ts';
import type { Workload, WorkThread } from './workload.ts';

/** Said where the prediction is none: nodes that follow load, memory that comes later. */
export const BASELINE_AT_REST =
  'times without migration are told for memory at rest, placed as at the start: compare runs them';

/** @param isFast 1 for nodes of the fast tier, by nid */
export function predictWorkload(
  { threads, durationUs }: Workload,
  nodes: readonly MemoryNode[],
  placement: PageRuns,
  isFast: Uint8Array,
): { readonly accesses: number; readonly baseline: Baseline } {
  const endlessS = Number.isFinite(durationUs) ? durationUs / 1e6 : 0;
  const predicted = threads.map((thread) =>
    predictStatic(thread, nodes, placement, (nid) => isFast[nid] === 1, endlessS),
  );
  const accesses = predicted.reduce((sum, each) => sum + each.accesses, 0);
  return {
    accesses,
    baseline: {
      staticSeconds: Math.max(...predicted.map((each) => each.staticS)),
      allFastSeconds: Math.max(...predicted.map((each) => each.allFastS)),
      staticFastTierShare: predicted.reduce((sum, each) => sum + each.fastAccesses, 0) / accesses,
    },
  };
}

/**
 * Seconds that a thread needs, and the share of its accesses that hit `isFast` nodes, if nothing
 * moves from the placement given. A phase without an end takes `endlessS` seconds, wherever its memory is.
 */
function predictStatic(
  thread: WorkThread,
  nodes: readonly MemoryNode[],
  placement: PageRuns,
  isFast: (nid: number) => boolean,
  endlessS: number,
): { staticS: number; allFastS: number; accesses: number; fastAccesses: number } {
  const fastNs = Math.min(...nodes.filter((node) => isFast(node.nid)).map((node) => node.accessNs));
  const accessNs = Float64Array.from(nodes, (node) => node.accessNs);
  const probe = new RunningThread(thread, nodes.length, placement);
  const { count: copies = 1, inFlight = 1, computeNs = 0 } = thread;
  let [staticNs, allFastNs, accesses, fastAccesses] = [0, 0, 0, 0];
  /** Of phases that end by time, or by allocating; and of computing, wherever memory lies. */
  let [timedNs, computeNsSum, openAccesses] = [0, 0, 0];
  for (probe.nextPhase(0); !probe.done; probe.nextPhase(0)) {
    if (probe.allocation !== undefined) {
      const { start, end, bytesPerS } = probe.allocation;
      timedNs += ((end - start) / bytesPerS) * 1e9;
      continue;
    }
    const { isEndless } = probe;
    const perS = probe.accessesPerS(accessNs);
    const byTime = (probe.remainingUs / 1e6) * perS;
    const isTimed = isEndless || (Number.isFinite(probe.remainingUs) && !(byTime > probe.remaining));
    const phaseAccesses = isEndless ? endlessS * perS : isTimed ? byTime : probe.remaining;
    accesses += phaseAccesses;
    if (isTimed) timedNs += isEndless ? endlessS * 1e9 : probe.remainingUs * 1e3;
    for (const area of probe.areas) {
      const count = phaseAccesses * area.share;
      if (!isTimed) {
        staticNs += (count / inFlight) * meanAccessNs(area, accessNs);
        allFastNs += (count / inFlight) * fastNs;
      }
      let fastBytes = 0;
      for (const node of nodes) if (isFast(node.nid)) fastBytes += area.bytesOn[node.nid];
      fastAccesses += (count * fastBytes) / (area.end - area.start);
    }
    if (!isTimed && thread.pace.kind === 'closed') computeNsSum += phaseAccesses * computeNs;
    if (isEndless) break;
    if (thread.pace.kind === 'open') {
      if (!isTimed) openAccesses += phaseAccesses;
      const openS = openAccesses / thread.pace.accessesPerS;
      staticNs = openS * 1e9 * copies;
      allFastNs = openS * 1e9 * copies;
    }
  }
  const seconds = (ns: number): number => ((ns + computeNsSum) / copies + timedNs) / 1e9;
  return { staticS: seconds(staticNs), allFastS: seconds(allFastNs), accesses, fastAccesses };
}
