/**
 * The machine's own reclaim: woken when a node falls below its low watermark, it demotes the least
 * recently used pages to the next slower tier until free memory is above promo, at its own bandwidth.
 */
import { PAGE_SIZE, roundDown, roundUp } from '../memory/range.ts';
import { type MemoryNode, tierOf } from '../memory/tier.ts';
import type { NodeMemory } from './node-memory.ts';

/** Tells in which order the machine's reclaim would take pages: least recently used first. */
export interface ReclaimOrder {
  /** Visits ranges, coldest first, until the visitor returns false. */
  forEachColdest(visit: (start: number, end: number) => boolean): void;
}

export class Kswapd {
  readonly #memory: NodeMemory;
  readonly #order: ReclaimOrder;
  readonly #bytesPerS: number;
  readonly #isAwake: Uint8Array;
  #budget = 0;
  demotedBytes = 0;
  /** By threads that needed memory, not by kswapd itself. */
  directDemotedBytes = 0;

  /** @param bytesPerS 0 switches demotion off (mm/numa/demotion_enabled = false) */
  constructor(memory: NodeMemory, order: ReclaimOrder, bytesPerS: number) {
    this.#memory = memory;
    this.#order = order;
    this.#bytesPerS = bytesPerS;
    this.#isAwake = new Uint8Array(memory.nodes.length);
  }

  /** Time in which it sleeps is not saved up. */
  advance(us: number): void {
    this.#budget = Math.min(this.#budget, PAGE_SIZE) + (this.#bytesPerS * us) / 1e6;
    this.run();
  }

  /** Looks at a node from which memory was taken. */
  wake(nid: number): void {
    if (this.#memory.freeBytes(nid) < this.#memory.watermarks[nid].lowBytes) this.#isAwake[nid] = 1;
  }

  /** A promotion found no room (wakeup_kswapd): it sleeps on only if the node is balanced, above promo. */
  wakeForPromotion(nid: number): void {
    if (this.#memory.freeBytes(nid) <= this.#memory.watermarks[nid].promoBytes) this.#isAwake[nid] = 1;
  }

  /** An allocation found no node above its low watermark (wake_all_kswapds). */
  wakeForAllocation(nid: number): void {
    if (this.#memory.freeBytes(nid) <= this.#memory.watermarks[nid].highBytes) this.#isAwake[nid] = 1;
  }

  /**
   * Demotes up to `bytes` of the coldest memory of a node in the context of a thread that waits for it;
   * what was demoted: nothing where demotion is off, as nobody demotes there.
   */
  demoteDirectly(nid: number, bytes: number): number {
    const target = this.#target(this.#memory.nodes[nid]);
    if (this.#bytesPerS === 0 || !this.#memory.useWatermarks || target < 0) return 0;
    const demoted = this.#demoteColdest(nid, target, Math.min(bytes, this.#memory.roomBytes(target)));
    this.directDemotedBytes += demoted;
    return demoted;
  }

  /** Lets kswapd of every awake node work within the budget; the bytes it demoted. */
  run(): number {
    const memory = this.#memory;
    if (!memory.useWatermarks) return 0;
    let sum = 0;
    for (const node of memory.nodes) {
      if (this.#isAwake[node.nid] === 0) continue;
      const target = this.#target(node);
      const wanted = memory.watermarks[node.nid].promoBytes - memory.freeBytes(node.nid);
      if (target < 0 || wanted <= 0) {
        this.#isAwake[node.nid] = 0;
        continue;
      }
      const amount = Math.min(
        roundDown(this.#budget, PAGE_SIZE),
        roundUp(wanted, PAGE_SIZE),
        memory.roomBytes(target),
      );
      const demoted = this.#demoteColdest(node.nid, target, amount);
      this.#budget -= demoted;
      this.demotedBytes += demoted;
      sum += demoted;
    }
    return sum;
  }

  /** The nearest node of the next slower tier that has room (mm/memory-tiers.c), or -1. */
  #target(from: MemoryNode): number {
    let best = -1;
    let bestDistance = Number.POSITIVE_INFINITY;
    for (const node of this.#memory.nodes) {
      if (tierOf(node) <= tierOf(from) || node.adistance >= bestDistance) continue;
      if (this.#memory.freeBytes(node.nid) - this.#memory.watermarks[node.nid].minBytes < PAGE_SIZE) continue;
      best = node.nid;
      bestDistance = node.adistance;
    }
    return best;
  }

  #demoteColdest(fromNid: number, toNid: number, amount: number): number {
    let left = amount;
    const victims: [number, number][] = [];
    this.#order.forEachColdest((start, end) => {
      if (left < PAGE_SIZE) return false;
      this.#memory.placement.forEach(start, end, (from, to, nid) => {
        if (nid !== fromNid || left < PAGE_SIZE) return;
        const bytes = Math.min(to - from, left);
        victims.push([from, from + bytes]);
        left -= bytes;
      });
      return left >= PAGE_SIZE;
    });
    for (const [start, end] of victims) this.#memory.place(start, end, fromNid, toNid);
    return amount - left;
  }
}
