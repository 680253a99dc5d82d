/**
 * First touch while the machine runs, by the kernel's rules (mm/page_alloc.c get_page_from_freelist and
 * __alloc_pages_slowpath): the nearest node above its low watermark; if none is, kswapd wakes on all of
 * them and the nearest above min will do; if none is, the thread that allocates demotes the coldest
 * memory itself and waits for it (direct reclaim, pgdemote_direct). Memory that may come from one node
 * only (mempolicy bind) looks at no other.
 *
 * With the default policy a node that is full is left alone as long as another has room, so direct
 * demotion is what bound memory meets, as on real machines.
 */
import { PAGE_SIZE, roundUp } from '../memory/range.ts';
import type { Kswapd } from './kswapd.ts';
import type { NodeMemory } from './node-memory.ts';

/** What one thread got. */
export interface Allocated {
  /** From the start of the range on. */
  readonly bytes: number;
  /** The part of room that the thread had to make itself. */
  readonly demotedBytes: number;
}

/** Direct reclaim takes this much at a time, SWAP_CLUSTER_MAX pages. */
const CLUSTER_BYTES = 32 * PAGE_SIZE;

/** @param nid the only node that it may come from; left out: any */
export function allocate(
  memory: NodeMemory,
  kswapd: Kswapd,
  start: number,
  end: number,
  nid: number | undefined,
): Allocated {
  const nodes = memory.byDistance().filter((node) => nid === undefined || node.nid === nid);
  let at = start;
  const take = (watermark: 'lowBytes' | 'minBytes'): void => {
    for (const node of nodes) {
      const bytes = Math.min(end - at, memory.roomBytes(node.nid, watermark));
      if (bytes <= 0) continue;
      memory.allocate(at, at + bytes, node.nid);
      at += bytes;
    }
  };
  take('lowBytes');
  if (at === end) return { bytes: end - start, demotedBytes: 0 };
  for (const node of nodes) kswapd.wakeForAllocation(node.nid);
  take('minBytes');
  let demotedBytes = 0;
  while (at < end && nodes.length > 0) {
    const demoted = kswapd.demoteDirectly(nodes[0].nid, roundUp(end - at, CLUSTER_BYTES));
    const before = at;
    demotedBytes += demoted;
    take('minBytes');
    if (at === before) break;
  }
  return { bytes: at - start, demotedBytes };
}
