/** Numbers of the simulated machine that goals are about. */
import type { AddressRange } from '../../memory/range.ts';
import type { NodeMemory } from '../node-memory.ts';
import type { LruOrder } from './lru.ts';

/** Bytes on active and inactive LRU lists; what the system takes is inactive. */
export function lruBytes(memory: NodeMemory, lru: LruOrder): { activeBytes: number; inactiveBytes: number } {
  let usedBytes = 0;
  for (const { nid, capacityBytes } of memory.nodes) usedBytes += capacityBytes - memory.freeBytes(nid);
  const activeBytes = lru.activeBytes((start, end) => memory.residentBytes(start, end));
  return { activeBytes, inactiveBytes: Math.max(0, usedBytes - activeBytes) };
}

/** Shortest time of an access to a node for which `isFast` has the value `tier`; NaN without one. */
export function leastNs(accessNs: Float64Array, isFast: Uint8Array, tier: 0 | 1): number {
  let least = Number.POSITIVE_INFINITY;
  for (let nid = 0; nid < isFast.length; nid++) {
    if (isFast[nid] === tier) least = Math.min(least, accessNs[nid]);
  }
  return Number.isFinite(least) ? least : Number.NaN;
}

/** Bytes of the ranges that lie on a node. */
export function bytesOn(memory: NodeMemory, ranges: readonly AddressRange[], nid: number): number {
  let sum = 0;
  for (const { start, end } of ranges) {
    memory.placement.forEach(start, end, (from, to, on) => {
      if (on === nid) sum += to - from;
    });
  }
  return sum;
}
