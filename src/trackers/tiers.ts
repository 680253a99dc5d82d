/** Which nodes a tracker takes for top tier, and where it moves pages to. */
import { type MemoryNode, topTierNodes } from '../memory/tier.ts';

/** Nodes below the top tier, by nid. */
export function lowerTierNodes(nodes: readonly MemoryNode[]): readonly MemoryNode[] {
  const isTop = topTierNodes(nodes);
  return nodes.filter(({ nid }) => isTop[nid] === 0);
}

/** The nearest node with CPUs in the top tier. */
export function nearestTopNode(nodes: readonly MemoryNode[]): MemoryNode {
  const isTop = topTierNodes(nodes);
  const top = nodes.filter(({ nid }) => isTop[nid] === 1);
  const withCpus = top.filter(({ hasCpus }) => hasCpus);
  return nearest(withCpus.length > 0 ? withCpus : top);
}

/** The nearest of the slower nodes; undefined where all memory is top tier. */
export function nearestLowerNode(nodes: readonly MemoryNode[]): MemoryNode | undefined {
  const lower = lowerTierNodes(nodes);
  return lower.length > 0 ? nearest(lower) : undefined;
}

function nearest(nodes: readonly MemoryNode[]): MemoryNode {
  return [...nodes].sort((a, b) => a.adistance - b.adistance || a.nid - b.nid)[0];
}
