/**
 * NUMA nodes and the tiers they form, by the kernel's abstract distance.
 *
 * mm/memory-tiers.c: DRAM has the abstract distance 576 (4 chunks of 128 and a half), a node measured
 * by HMAT or CDAT gets 576 x latency/latency_dram x bandwidth_dram/bandwidth, and nodes of one chunk
 * of 128 share a tier. A smaller distance is faster.
 */
import { ThermoError } from './error.ts';
import { suggest } from './nearest-word.ts';

export const ADISTANCE_DRAM = 576;
export const ADISTANCE_CHUNK = 128;

export type NodeKind = 'DRAM' | 'CXL' | 'HBM' | 'PMEM';
export const NODE_KINDS: readonly NodeKind[] = ['DRAM', 'CXL', 'HBM', 'PMEM'];

export interface MemoryNode {
  readonly nid: number;
  readonly kind: NodeKind;
  readonly capacityBytes: number;
  readonly hasCpus: boolean;
  /** Time that one access of one thread takes when it hits this node, loop and stalls included. */
  readonly accessNs: number;
  /** Sustained bandwidth in bytes/s. */
  readonly bandwidthBytesPerS: number;
  readonly adistance: number;
}

/**
 * Abstract distance of a node relative to a DRAM reference (mt_perf_to_adistance): integer arithmetic
 * from left to right, as in the kernel. Latencies and bandwidths are sums of read and write, in any
 * common unit.
 */
export function abstractDistance(
  node: { latency: number; bandwidth: number },
  dram: { latency: number; bandwidth: number },
): number {
  let distance = ADISTANCE_DRAM;
  distance = Math.floor((distance * node.latency) / dram.latency);
  return Math.floor((distance * dram.bandwidth) / node.bandwidth);
}

/** Number of the tier, as in memory_tierN: 4 for DRAM, 22 for the default of CXL and PMEM. */
export function tierOf(node: MemoryNode): number {
  return Math.floor(node.adistance / ADISTANCE_CHUNK);
}

/**
 * The nodes that a tier name means on a machine, nearest (fastest) first.
 *
 * `fast` is the nearest tier with CPUs (promotions stop there, never above), `slow` everything below
 * it, a kind all nodes of that kind, `nodeN` one node. Throws THERMO_SCHEME_UNKNOWN_TIER.
 */
export function resolveTier(name: string, nodes: readonly MemoryNode[]): readonly MemoryNode[] {
  const sorted = [...nodes].sort((a, b) => a.adistance - b.adistance || a.nid - b.nid);
  const lower = name.toLowerCase();
  const fastTier = fastTierOf(sorted);
  let found: MemoryNode[];
  if (lower === 'fast') found = sorted.filter((node) => tierOf(node) === fastTier);
  else if (lower === 'slow') found = sorted.filter((node) => tierOf(node) > fastTier);
  else if (/^node\d+$/.test(lower)) found = sorted.filter((node) => node.nid === Number(lower.slice(4)));
  else found = sorted.filter((node) => node.kind.toLowerCase() === lower);
  if (found.length === 0) {
    const known = tierNames(nodes);
    throw new ThermoError('THERMO_SCHEME_UNKNOWN_TIER', `this machine has no memory "${name}"`, {
      hint: suggest(name, known, 'here'),
    });
  }
  return found;
}

/** Tier number of the nearest tier with CPUs: where promotions go unless a scheme says otherwise. */
export function fastTierOf(nodes: readonly MemoryNode[]): number {
  const withCpus = nodes.filter((node) => node.hasCpus && node.kind !== 'HBM').map(tierOf);
  const tiers = withCpus.length > 0 ? withCpus : nodes.map(tierOf);
  return Math.min(...tiers);
}

/** By nid: 1 where the node is top tier (node_is_toptier: no slower than the nearest tier with CPUs). */
export function topTierNodes(nodes: readonly MemoryNode[]): Uint8Array {
  const fastTier = fastTierOf(nodes);
  const isTop = new Uint8Array(1 + Math.max(...nodes.map(({ nid }) => nid)));
  for (const node of nodes) if (tierOf(node) <= fastTier) isTop[node.nid] = 1;
  return isTop;
}

/** Every name that {@link resolveTier} accepts on this machine. */
export function tierNames(nodes: readonly MemoryNode[]): string[] {
  const kinds = [...new Set(nodes.map((node) => node.kind))];
  return [...kinds, ...nodes.map((node) => `node${node.nid}`), 'fast', 'slow'];
}
