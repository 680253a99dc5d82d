/**
 * Moves pages between the nodes of a modelled machine: who has room, how fast, what it costs.
 *
 * Requests wait in a queue and proceed at the migration bandwidth. A page moves only to the node that
 * was asked for (as DAMOS does since 7.3: strict destination, no reclaim to make room) and fails when
 * that node would fall below its min watermark. kswapd runs beside it: woken when a node falls below
 * low, it demotes the least recently used pages to the next slower tier until free memory is above
 * promo, at its own bandwidth.
 *
 * Watermarks (mm/page_alloc.c __setup_per_zone_wmarks): step = max(min/4, managed x scale/10000),
 * low = min + step, high = low + step, promo = high + step.
 */
import { invariant } from '../memory/error.ts';
import { NO_VALUE, PageRuns } from '../memory/page-runs.ts';
import { type AddressRange, PAGE_SIZE, roundDown, roundUp } from '../memory/range.ts';
import { type MemoryNode, tierOf } from '../memory/tier.ts';
import type { MoveCounters, MoveOutcome, MoveRequest, MoveResultVisitor } from './machine.ts';

export interface Watermarks {
  readonly minBytes: number;
  readonly lowBytes: number;
  readonly highBytes: number;
  readonly promoBytes: number;
}

/** vm.watermark_scale_factor in units of 1/10000 of the node. */
const WATERMARK_SCALE = 10;

/** From 4 GiB on, the kernel's own steps are larger than this. */
const SMALL_STEP = 4 * 2 ** 20;

/**
 * Watermarks of a node. min_free_kbytes = 4 x sqrt(memory in KiB), at least 128 KiB and at most
 * 256 MiB (mm/page_alloc.c, calculate_min_free_kbytes), taken for the node alone.
 */
export function watermarksOf(managedBytes: number): Watermarks {
  const minKib = Math.min(262144, Math.max(128, Math.floor(4 * Math.sqrt(managedBytes / 1024))));
  // A node of a few MiB, as in small replays, keeps at most 1/64 of itself back.
  const min = roundDown(Math.min(minKib * 1024, managedBytes / 64), PAGE_SIZE);
  // On a small node the kernel's step would be less than a page: a 256th of the node instead.
  const step = roundUp(
    Math.max(min / 4, (managedBytes * WATERMARK_SCALE) / 10000, Math.min(managedBytes / 256, SMALL_STEP)),
    PAGE_SIZE,
  );
  return { minBytes: min, lowBytes: min + step, highBytes: min + 2 * step, promoBytes: min + 3 * step };
}

export interface MoverConfig {
  readonly migrationBytesPerS: number;
  /** 0 switches the machine's own demotion off (mm/numa/demotion_enabled = false). */
  readonly kswapdBytesPerS: number;
  /** Bytes of each node that are taken before the workload starts. */
  readonly systemBytes: readonly number[];
  /** Kernel thresholds; false for replays, whose fast tier is a plain number of pages. */
  readonly useWatermarks: boolean;
}

/** Tells in which order the machine's reclaim would take pages: least recently used first. */
export interface ReclaimOrder {
  /** Visits ranges, coldest first, until the visitor returns false. */
  forEachColdest(visit: (start: number, end: number) => boolean): void;
}

/** Called for each run of pages that changed its node. */
export type MovedVisitor = (start: number, end: number, fromNid: number, toNid: number) => void;

export class Mover {
  readonly placement = new PageRuns();
  readonly counters: MoveCounters = {
    promotedBytes: 0,
    demotedBytes: 0,
    reclaimDemotedBytes: 0,
    failedBytes: 0,
  };
  readonly watermarks: readonly Watermarks[];
  readonly #nodes: readonly MemoryNode[];
  readonly #config: MoverConfig;
  readonly #reclaim: ReclaimOrder;
  readonly #onMoved: MovedVisitor;
  readonly #freeBytes: Float64Array;
  readonly #kswapdAwake: Uint8Array;
  #queue: MoveRequest[] = [];
  /** Next byte of the first request. */
  #cursor = -1;
  #pendingBytes = 0;
  /** Bytes that the bandwidth allows now; carries what is less than a page. */
  #budget = 0;
  #kswapdBudget = 0;
  #results: { tag: number; start: number; end: number; outcome: MoveOutcome }[] = [];

  constructor(
    nodes: readonly MemoryNode[],
    config: MoverConfig,
    reclaim: ReclaimOrder,
    onMoved: MovedVisitor,
  ) {
    nodes.forEach((node, i) => {
      invariant(node.nid === i, 'nodes are numbered from 0 in order');
    });
    this.#nodes = nodes;
    this.#config = config;
    this.#reclaim = reclaim;
    this.#onMoved = onMoved;
    this.watermarks = nodes.map((node) => watermarksOf(node.capacityBytes));
    this.#freeBytes = Float64Array.from(
      nodes,
      (node) => node.capacityBytes - (config.systemBytes[node.nid] ?? 0),
    );
    this.#kswapdAwake = new Uint8Array(nodes.length);
  }

  freeBytes(nid: number): number {
    return this.#freeBytes[nid];
  }

  pendingBytes(): number {
    return this.#pendingBytes;
  }

  /**
   * First touch: places `range` on the nodes in order of distance, each filled down to its high
   * watermark. Returns the bytes that found no room.
   */
  populate(range: AddressRange): number {
    const order = [...this.#nodes].sort((a, b) => a.adistance - b.adistance || a.nid - b.nid);
    let at = range.start;
    for (const node of order) {
      const keep = this.#config.useWatermarks ? this.watermarks[node.nid].highBytes : 0;
      const room = roundDown(this.#freeBytes[node.nid] - keep, PAGE_SIZE);
      const bytes = Math.min(room, range.end - at);
      if (bytes <= 0) continue;
      this.placement.set(at, at + bytes, node.nid);
      this.#freeBytes[node.nid] -= bytes;
      at += bytes;
      if (at === range.end) return 0;
    }
    return range.end - at;
  }

  submit(request: MoveRequest): void {
    this.#queue.push(request);
    this.#pendingBytes += request.end - request.start;
  }

  collect(visit: MoveResultVisitor): void {
    const results = this.#results;
    if (results.length === 0) return;
    this.#results = [];
    for (const { tag, start, end, outcome } of results) visit(tag, start, end, outcome);
  }

  /** Lets `us` microseconds of migration and reclaim happen. */
  advance(us: number): void {
    // Time in which kswapd sleeps is not saved up.
    const kswapdShare = (this.#config.kswapdBytesPerS * us) / 1e6;
    this.#kswapdBudget = Math.min(this.#kswapdBudget, PAGE_SIZE) + kswapdShare;
    this.#runKswapd();
    if (this.#queue.length === 0) {
      // An idle engine does not save up bandwidth.
      this.#budget = 0;
      return;
    }
    this.#budget += (this.#config.migrationBytesPerS * us) / 1e6;
    this.#drainQueue();
  }

  #drainQueue(): void {
    let done = 0;
    while (done < this.#queue.length && this.#budget >= PAGE_SIZE) {
      const request = this.#queue[done];
      if (this.#cursor < 0) this.#cursor = request.start;
      const step = Math.min(request.end - this.#cursor, roundDown(this.#budget, PAGE_SIZE));
      this.#moveRange(this.#cursor, this.#cursor + step, request);
      this.#cursor += step;
      this.#pendingBytes -= step;
      if (this.#cursor < request.end) break;
      this.#cursor = -1;
      done++;
    }
    if (done > 0) this.#queue.splice(0, done);
  }

  /** Tries to move every page of the range; pages that are there already cost nothing and count as nothing. */
  #moveRange(start: number, end: number, request: MoveRequest): void {
    const { targetNid, tag } = request;
    const runs: [number, number, number][] = [];
    this.placement.forEach(start, end, (from, to, nid) => runs.push([from, to, nid]));
    for (const [from, to, nid] of runs) {
      if (nid === NO_VALUE || nid === targetNid) {
        this.#finish(tag, from, to, nid === targetNid ? 'already_there' : 'not_mapped');
        continue;
      }
      let at = from;
      while (at < to) {
        const moved = Math.min(to - at, this.#room(targetNid));
        if (moved > 0) {
          this.#budget -= moved;
          this.#place(at, at + moved, nid, targetNid);
          if (tierOf(this.#nodes[targetNid]) <= tierOf(this.#nodes[nid]))
            this.counters.promotedBytes += moved;
          else this.counters.demotedBytes += moved;
          this.#finish(tag, at, at + moved, 'moved');
          at += moved;
        }
        this.#wakeKswapd(targetNid);
        // kswapd works beside the mover: what it can free within this interval is room.
        if (at < to && this.#runKswapd() === 0) break;
      }
      if (at < to) this.#finish(tag, at, to, 'destination_full');
    }
  }

  /** Bytes that a migration may still put on a node: down to its min watermark. */
  #room(nid: number): number {
    const floor = this.#config.useWatermarks ? this.watermarks[nid].minBytes : 0;
    return roundDown(Math.max(0, this.#freeBytes[nid] - floor), PAGE_SIZE);
  }

  #finish(tag: number, start: number, end: number, outcome: MoveOutcome): void {
    if (outcome === 'destination_full' || outcome === 'not_mapped') this.counters.failedBytes += end - start;
    this.#results.push({ tag, start, end, outcome });
  }

  #place(start: number, end: number, fromNid: number, toNid: number): void {
    this.placement.set(start, end, toNid);
    this.#freeBytes[fromNid] += end - start;
    this.#freeBytes[toNid] -= end - start;
    this.#onMoved(start, end, fromNid, toNid);
  }

  #wakeKswapd(nid: number): void {
    if (this.#freeBytes[nid] < this.watermarks[nid].lowBytes) this.#kswapdAwake[nid] = 1;
  }

  /** Lets kswapd of every awake node work within the budget; the bytes it demoted. */
  #runKswapd(): number {
    if (!this.#config.useWatermarks) return 0;
    let sum = 0;
    for (const node of this.#nodes) {
      if (this.#kswapdAwake[node.nid] === 0) continue;
      const target = this.#demotionTarget(node);
      const wanted = this.watermarks[node.nid].promoBytes - this.#freeBytes[node.nid];
      if (target < 0 || wanted <= 0) {
        this.#kswapdAwake[node.nid] = 0;
        continue;
      }
      const amount = Math.min(
        roundDown(this.#kswapdBudget, PAGE_SIZE),
        roundUp(wanted, PAGE_SIZE),
        this.#room(target),
      );
      const demoted = this.#demoteColdest(node.nid, target, amount);
      this.#kswapdBudget -= demoted;
      this.counters.reclaimDemotedBytes += demoted;
      sum += demoted;
    }
    return sum;
  }

  /** The nearest node of the next slower tier that has room (mm/memory-tiers.c), or -1. */
  #demotionTarget(from: MemoryNode): number {
    let best = -1;
    let bestDistance = Number.POSITIVE_INFINITY;
    for (const node of this.#nodes) {
      if (tierOf(node) <= tierOf(from) || node.adistance >= bestDistance) continue;
      if (this.#freeBytes[node.nid] - this.watermarks[node.nid].minBytes < PAGE_SIZE) continue;
      best = node.nid;
      bestDistance = node.adistance;
    }
    return best;
  }

  #demoteColdest(fromNid: number, toNid: number, amount: number): number {
    let left = amount;
    const victims: [number, number][] = [];
    this.#reclaim.forEachColdest((start, end) => {
      if (left < PAGE_SIZE) return false;
      this.placement.forEach(start, end, (from, to, nid) => {
        if (nid !== fromNid || left < PAGE_SIZE) return;
        const bytes = Math.min(to - from, left);
        victims.push([from, from + bytes]);
        left -= bytes;
      });
      return left >= PAGE_SIZE;
    });
    for (const [start, end] of victims) this.#place(start, end, fromNid, toNid);
    return amount - left;
  }
}
