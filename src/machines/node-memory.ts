/**
 * Which page of a modelled machine lies on which node, and how much room the nodes have.
 */
import { PAGED_OUT } from '../memory/action.ts';
import { invariant } from '../memory/error.ts';
import { NO_VALUE, PageRuns } from '../memory/page-runs.ts';
import { type AddressRange, PAGE_SIZE, roundDown } from '../memory/range.ts';
import { RecentTimes } from '../memory/recent-times.ts';
import { fastTierOf, type MemoryNode, tierOf } from '../memory/tier.ts';
import { type Watermarks, watermarksOf } from './watermarks.ts';

/** Called for each run of pages that changed its node; {@link PAGED_OUT} stands for no node, NO_VALUE for pages that begin to exist. */
export type MovedVisitor = (start: number, end: number, fromNid: number, toNid: number) => void;

/** Memory that goes back to where it came from within this time ping-pongs. */
const PING_PONG_US = 60e6;
const PING_PONG_TICK_US = 1e5;

export class NodeMemory {
  readonly nodes: readonly MemoryNode[];
  readonly watermarks: readonly Watermarks[];
  /** Kernel thresholds; false for machines whose nodes are a plain number of pages. */
  readonly useWatermarks: boolean;
  readonly placement = new PageRuns();
  /** Bytes that moved back to the faster or slower side within a minute. */
  pingPongBytes = 0;
  readonly #freeBytes: Float64Array;
  readonly #byDistance: readonly MemoryNode[];
  readonly #onMoved: MovedVisitor;
  /** When memory last changed its tier, if that was to a faster one, and if it was to a slower one. */
  readonly #wentUp = new RecentTimes(PING_PONG_TICK_US, PING_PONG_US);
  readonly #wentDown = new RecentTimes(PING_PONG_TICK_US, PING_PONG_US);
  #nowUs = 0;

  constructor(
    nodes: readonly MemoryNode[],
    config: { readonly systemBytes: readonly number[]; readonly useWatermarks: boolean },
    onMoved: MovedVisitor,
  ) {
    nodes.forEach((node, i) => {
      invariant(node.nid === i, 'nodes are numbered from 0 in order');
    });
    this.nodes = nodes;
    const own = fastTierOf(nodes);
    const rank = (node: MemoryNode): number => (tierOf(node) < own ? own + 0.5 : tierOf(node));
    this.#byDistance = [...nodes].sort(
      (a, b) => rank(a) - rank(b) || a.adistance - b.adistance || a.nid - b.nid,
    );
    this.useWatermarks = config.useWatermarks;
    this.#onMoved = onMoved;
    this.watermarks = nodes.map((node) => watermarksOf(node.capacityBytes));
    this.#freeBytes = Float64Array.from(
      nodes,
      (node) => node.capacityBytes - (config.systemBytes[node.nid] ?? 0),
    );
  }

  freeBytes(nid: number): number {
    return this.#freeBytes[nid];
  }

  advance(us: number): void {
    this.#nowUs += us;
  }

  /** Bytes that may still be put on a node: down to a watermark, min if left out. */
  roomBytes(nid: number, watermark: keyof Watermarks = 'minBytes'): number {
    return roundDown(Math.max(0, this.#freeBytes[nid] - this.floorBytes(nid, watermark)), PAGE_SIZE);
  }

  /** A watermark of a node; 0 where there are none. */
  floorBytes(nid: number, watermark: keyof Watermarks): number {
    return this.useWatermarks ? this.watermarks[nid][watermark] : 0;
  }

  /** Bytes of a range that lie on any node. */
  residentBytes(start: number, end: number): number {
    let sum = 0;
    this.placement.forEach(start, end, (from, to, nid) => {
      if (nid < this.nodes.length) sum += to - from;
    });
    return sum;
  }

  /**
   * Nodes in the order in which memory is taken from them: nearest to the CPUs first. Memory that is
   * faster than theirs (HBM) comes after their own and before all that is slower, as SLIT distances of
   * such machines have it (10 for DDR, 13 for HBM; inferred for others).
   */
  byDistance(): readonly MemoryNode[] {
    return this.#byDistance;
  }

  /**
   * First touch: places `range` on the nodes in order of distance, each filled down to its high
   * watermark; on node `firstNid` before all others. Returns the bytes that found no room.
   */
  populate(range: AddressRange, firstNid?: number): number {
    let at = range.start;
    const first = this.nodes.filter((node) => node.nid === firstNid);
    for (const node of [...first, ...this.byDistance()]) {
      const bytes = Math.min(this.roomBytes(node.nid, 'highBytes'), range.end - at);
      if (bytes <= 0) continue;
      this.placement.set(at, at + bytes, node.nid);
      this.#freeBytes[node.nid] -= bytes;
      at += bytes;
      if (at === range.end) return 0;
    }
    return range.end - at;
  }

  /** Puts pages that were on no node on `nid`. */
  allocate(start: number, end: number, nid: number): void {
    this.placement.set(start, end, nid);
    this.#freeBytes[nid] -= end - start;
    this.#onMoved(start, end, NO_VALUE, nid);
  }

  /** Puts pages that are all on `fromNid` (or paged out) on `toNid` (or out). */
  place(start: number, end: number, fromNid: number, toNid: number): void {
    const bytes = end - start;
    this.placement.set(start, end, toNid);
    if (fromNid !== PAGED_OUT) this.#freeBytes[fromNid] += bytes;
    if (toNid !== PAGED_OUT) this.#freeBytes[toNid] -= bytes;
    if (fromNid !== PAGED_OUT && toNid !== PAGED_OUT) this.#noteTier(start, end, fromNid, toNid);
    this.#onMoved(start, end, fromNid, toNid);
  }

  #noteTier(start: number, end: number, fromNid: number, toNid: number): void {
    const [from, to] = [tierOf(this.nodes[fromNid]), tierOf(this.nodes[toNid])];
    if (from === to) return;
    const [same, opposite] = to < from ? [this.#wentUp, this.#wentDown] : [this.#wentDown, this.#wentUp];
    opposite.forEach(this.#nowUs, start, end, (partStart, partEnd, agoUs) => {
      if (agoUs <= PING_PONG_US) this.pingPongBytes += partEnd - partStart;
    });
    opposite.forget(start, end);
    same.note(this.#nowUs, start, end);
  }
}
