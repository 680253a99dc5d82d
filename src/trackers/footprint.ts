/** Bytes that a tracker keeps for memory of any size, by arithmetic: for sizes that are not simulated. */
import { type AddressRange, PAGE_SIZE } from '../memory/range.ts';
import type { MemoryNode } from '../memory/tier.ts';
import { lowerTierNodes, nearestTopNode } from './tiers.ts';

/** Records that are there from the start, one per page. */
export interface Footprint {
  /** Of which memory each page has one: the workload's, all of the lower tier, all of the nearest fast node. */
  readonly of: 'workload' | 'lower tier' | 'fast tier';
  readonly pageBytes?: number;
  readonly recordBytes: number;
  /** What it keeps besides. */
  readonly fixedBytes?: number;
}

export interface TrackedMemory {
  readonly nodes: readonly MemoryNode[];
  readonly ranges: readonly AddressRange[];
}

/** As {@link Tracker.metadataBytes} of the tracker on this memory. */
export function footprintBytes(footprint: Footprint, memory: TrackedMemory): number {
  const { pageBytes = PAGE_SIZE, recordBytes, fixedBytes = 0 } = footprint;
  return fixedBytes + (trackedBytes(footprint.of, memory) / pageBytes) * recordBytes;
}

function trackedBytes(of: Footprint['of'], { nodes, ranges }: TrackedMemory): number {
  switch (of) {
    case 'workload':
      return ranges.reduce((sum, { start, end }) => sum + end - start, 0);
    case 'lower tier':
      return lowerTierNodes(nodes).reduce((sum, { capacityBytes }) => sum + capacityBytes, 0);
    case 'fast tier':
      return nearestTopNode(nodes).capacityBytes;
  }
}
