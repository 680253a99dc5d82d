/**
 * How long an access takes on each node at its present load.
 *
 * At rest the node's own time; under load that times 1 + k u/(1 - u), the waiting time of a queue at
 * utilisation u, with k such that a node at 90 % takes 2.5 times as long: the factor that Colloid
 * (SOSP'24) reports for a loaded default tier (the shape is inferred).
 *
 * Load follows the accesses piece by piece of time, each time to where it would be if all of them came
 * from one closed loop, which does fewer the longer they take. That is exact for such a loop, and for
 * open and mixed ones an approach from one side: going to the measured load instead swings for ever where
 * a loop wants several times the bandwidth.
 */
import type { MemoryNode } from '../../memory/tier.ts';

const LINE_BYTES = 64;
const K = 1.5 / 9;
/** No node is used fully: the queue would be endless. */
const MOST_USED = 0.98;

export class NodeLoad {
  /** Time of an access by nid. */
  readonly accessNs: Float64Array;
  readonly #nodes: readonly MemoryNode[];
  readonly #followsLoad: boolean;

  constructor(nodes: readonly MemoryNode[], followsLoad: boolean) {
    this.#nodes = nodes;
    this.accessNs = Float64Array.from(nodes, (node) => node.accessNs);
    this.#followsLoad = followsLoad;
  }

  /** @param accessesPerS by nid, those that reach memory */
  follow(accessesPerS: Float64Array): void {
    if (!this.#followsLoad) return;
    for (const { nid, accessNs, bandwidthBytesPerS } of this.#nodes) {
      // Bandwidth that the accesses would take, as a share of the node's, if each took the time at rest.
      const atRest =
        ((accessesPerS[nid] * LINE_BYTES) / bandwidthBytesPerS) * (this.accessNs[nid] / accessNs);
      const used = Math.min(MOST_USED, closedLoopUtilisation(atRest));
      this.accessNs[nid] = accessNs * slowdownAt(used);
    }
  }
}

function slowdownAt(utilisation: number): number {
  return 1 + (K * utilisation) / (1 - utilisation);
}

/** The u at which u x slowdownAt(u) = `atRest`: the root of (1 - K) u^2 - (1 + atRest) u + atRest below 1. */
function closedLoopUtilisation(atRest: number): number {
  const b = 1 + atRest;
  // As 2c / (b + sqrt(...)), which loses no digits where the load is small.
  return (2 * atRest) / (b + Math.sqrt(b * b - 4 * (1 - K) * atRest));
}
