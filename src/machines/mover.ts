/**
 * Carries out what schemes ask of a modelled machine: how fast, what it costs, what becomes of it.
 *
 * Migrations wait for the migration bandwidth. A page moves only to the node that was asked for (as
 * DAMOS does since 7.3: strict destination, no reclaim to make room) and fails when that node would fall
 * below its min watermark; kswapd works beside the mover, and what it frees meanwhile is room. Paging out
 * and in waits for the swap device. Hints take effect at once.
 */
import type { ActionOutcome, ActionRequest } from '../memory/action.ts';
import { PAGED_OUT } from '../memory/action.ts';
import { NO_VALUE, type PageRuns } from '../memory/page-runs.ts';
import { type AddressRange, PAGE_SIZE } from '../memory/range.ts';
import { type MemoryNode, tierOf } from '../memory/tier.ts';
import { allocate } from './allocator.ts';
import { Kswapd, type ReclaimOrder } from './kswapd.ts';
import { Lane } from './lane.ts';
import type { ActionResultVisitor, MoveCounters } from './machine.ts';
import { type MovedVisitor, NodeMemory } from './node-memory.ts';
import type { Watermarks } from './watermarks.ts';

export interface MoverConfig {
  readonly migrationBytesPerS: number;
  /** 0 switches the machine's own demotion off (mm/numa/demotion_enabled = false). */
  readonly kswapdBytesPerS: number;
  /** Of the swap device; left out: there is none. */
  readonly swapBytesPerS?: number;
  /** Bytes of each node that are taken before the workload starts. */
  readonly systemBytes: readonly number[];
  /** Kernel thresholds; false for replays, whose fast tier is a plain number of pages. */
  readonly useWatermarks: boolean;
}

/** Reclaim's order, which hints change. */
export interface HintedOrder extends ReclaimOrder {
  /** lru_prio: reclaimed after all that is not in use. */
  prioritise(start: number, end: number): void;
  /** lru_deprio and cold: reclaimed first. */
  deprioritise(start: number, end: number): void;
}

/**
 * Time of one CPU per page, ns. Migration: one thread moves 0.3 to 0.75 GB/s (reference tiering-systems
 * section 6), 8 us for 4 KiB in the middle. Paging out or in: the same work without the copy, and a bio
 * (inferred). A hint: isolating a folio and putting it back, about two cache misses (inferred).
 */
export const MIGRATION_NS_PER_PAGE = 8_000;
const SWAP_NS_PER_PAGE = 6_000;
const HINT_NS_PER_PAGE = 200;
/** Hints do not wait for a device. */
const HINT_BYTES_PER_S = (PAGE_SIZE * 1e9) / HINT_NS_PER_PAGE;

export class Mover {
  readonly memory: NodeMemory;
  readonly #kswapd: Kswapd;
  readonly #order: ReclaimOrder & Partial<HintedOrder>;
  readonly #migrations: Lane;
  readonly #swaps: Lane;
  readonly #hints = new Lane(HINT_BYTES_PER_S);
  readonly #counters = {
    promotedBytes: 0,
    demotedBytes: 0,
    failedBytes: 0,
    pagedOutBytes: 0,
    pagedInBytes: 0,
    allocatedBytes: 0,
    allocationStallUs: 0,
  };
  #results: { tag: number; start: number; end: number; outcome: ActionOutcome; cpuNs: number }[] = [];

  constructor(
    nodes: readonly MemoryNode[],
    config: MoverConfig,
    order: ReclaimOrder & Partial<HintedOrder>,
    onMoved: MovedVisitor,
  ) {
    this.memory = new NodeMemory(nodes, config, onMoved);
    this.#order = order;
    this.#kswapd = new Kswapd(this.memory, order, config.kswapdBytesPerS);
    this.#migrations = new Lane(config.migrationBytesPerS);
    this.#swaps = new Lane(config.swapBytesPerS ?? 0);
  }

  get placement(): PageRuns {
    return this.memory.placement;
  }

  get watermarks(): readonly Watermarks[] {
    return this.memory.watermarks;
  }

  get counters(): MoveCounters {
    return {
      ...this.#counters,
      reclaimDemotedBytes: this.#kswapd.demotedBytes + this.#kswapd.directDemotedBytes,
      directDemotedBytes: this.#kswapd.directDemotedBytes,
      pingPongBytes: this.memory.pingPongBytes,
    };
  }

  freeBytes(nid: number): number {
    return this.memory.freeBytes(nid);
  }

  /** What migrations do not fill: above it kswapd sleeps. */
  reserveBytes(nid: number): number {
    return this.memory.floorBytes(nid, 'highBytes');
  }

  /** As {@link NodeMemory.populate}. */
  populate(range: AddressRange, firstNid?: number): number {
    return this.memory.populate(range, firstNid);
  }

  /**
   * Memory that a thread touches for the first time, as in {@link allocate}.
   * @returns the bytes that it got, and how long it waits for the memory that it had to demote, us
   */
  allocate(start: number, end: number, nid?: number): { readonly bytes: number; readonly stallUs: number } {
    const { bytes, demotedBytes } = allocate(this.memory, this.#kswapd, start, end, nid);
    const stallUs = ((demotedBytes / PAGE_SIZE) * MIGRATION_NS_PER_PAGE) / 1000;
    this.#counters.allocatedBytes += bytes;
    this.#counters.allocationStallUs += stallUs;
    return { bytes, stallUs };
  }

  pendingBytes(): number {
    return this.#migrations.pendingBytes + this.#swaps.pendingBytes + this.#hints.pendingBytes;
  }

  /** As {@link Kswapd.wakeForPromotion}. */
  wakeKswapd(nid: number): void {
    this.#kswapd.wakeForPromotion(nid);
  }

  submit(request: ActionRequest): void {
    switch (request.action) {
      case 'migrate_hot':
      case 'migrate_cold':
        this.#migrations.submit(request);
        return;
      case 'pageout':
      case 'willneed':
        this.#swaps.submit(request);
        return;
      default:
        this.#hints.submit(request);
    }
  }

  collect(visit: ActionResultVisitor): void {
    const results = this.#results;
    if (results.length === 0) return;
    this.#results = [];
    for (const { tag, start, end, outcome, cpuNs } of results) visit(tag, start, end, outcome, cpuNs);
  }

  /** Lets `us` microseconds of actions and reclaim happen. */
  advance(us: number): void {
    this.memory.advance(us);
    this.#kswapd.advance(us);
    this.#migrations.advance(us, (start, end, request) => this.#migrate(start, end, request));
    this.#swaps.advance(us, (start, end, request) => this.#swap(start, end, request));
    this.#hints.advance(us, (start, end, request) => this.#hint(start, end, request));
  }

  /**
   * Brings paged-out memory of `[start, end)` back, as accesses to it do: at most `bytes`, to the
   * nearest node with room. Returns the bytes brought back.
   */
  fault(start: number, end: number, bytes: number): number {
    const runs: [number, number][] = [];
    let left = bytes;
    this.placement.forEach(start, end, (from, to, nid) => {
      if (nid !== PAGED_OUT || left < PAGE_SIZE) return;
      const part = Math.min(to - from, left);
      runs.push([from, from + part]);
      left -= part;
    });
    let sum = 0;
    for (const [from, to] of runs) sum += this.#bringBack(from, to);
    return sum;
  }

  /** Tries to move every page of the range; pages that are there already cost nothing and count as nothing. */
  #migrate(start: number, end: number, request: ActionRequest): number {
    const { targetNid, tag } = request;
    const { nodes } = this.memory;
    let [at, used] = [start, 0];
    while (at < end) {
      for (const [, to, nid] of this.#runsOf(at, end)) {
        if (nid === NO_VALUE || nid === PAGED_OUT || nid === targetNid) {
          this.#finish(tag, at, to, nid === targetNid ? 'already_there' : 'not_mapped', 0);
          at = to;
          continue;
        }
        const moved = Math.min(to - at, this.memory.roomBytes(targetNid));
        if (moved > 0) {
          used += moved;
          this.memory.place(at, at + moved, nid, targetNid);
          if (tierOf(nodes[targetNid]) <= tierOf(nodes[nid])) this.#counters.promotedBytes += moved;
          else this.#counters.demotedBytes += moved;
          this.#finish(tag, at, at + moved, 'applied', MIGRATION_NS_PER_PAGE);
          at += moved;
        }
        this.#kswapd.wake(targetNid);
        if (at === to) continue;
        // kswapd works beside the mover: what it can free within this interval is room. It may have taken
        // what is to be moved here, so the runs are read again.
        if (this.#kswapd.run() > 0) break;
        this.#finish(tag, at, to, 'destination_full', 0);
        at = to;
      }
    }
    return used;
  }

  #swap(start: number, end: number, { action, tag }: ActionRequest): number {
    const isOut = action === 'pageout';
    let used = 0;
    for (const [from, to, nid] of this.#runsOf(start, end)) {
      const isPagedOut = nid === PAGED_OUT;
      if (nid === NO_VALUE || isOut === isPagedOut) {
        this.#finish(tag, from, to, nid === NO_VALUE ? 'not_mapped' : 'already_there', 0);
        continue;
      }
      used += to - from;
      if (isOut) {
        this.memory.place(from, to, nid, PAGED_OUT);
        this.#counters.pagedOutBytes += to - from;
        this.#finish(tag, from, to, 'applied', SWAP_NS_PER_PAGE);
        continue;
      }
      const back = this.#bringBack(from, to);
      if (back > 0) this.#finish(tag, from, from + back, 'applied', SWAP_NS_PER_PAGE);
      if (from + back < to) this.#finish(tag, from + back, to, 'destination_full', 0);
    }
    return used;
  }

  /** Places paged-out memory; the bytes, from the start on, that found room. */
  #bringBack(start: number, end: number): number {
    let at = start;
    for (const { nid } of this.memory.byDistance()) {
      const bytes = Math.min(end - at, this.memory.roomBytes(nid));
      if (bytes <= 0) continue;
      this.memory.place(at, at + bytes, PAGED_OUT, nid);
      this.#kswapd.wake(nid);
      at += bytes;
      if (at === end) break;
    }
    this.#counters.pagedInBytes += at - start;
    return at - start;
  }

  #hint(start: number, end: number, { action, tag }: ActionRequest): number {
    for (const [from, to, nid] of this.#runsOf(start, end)) {
      if (nid === NO_VALUE || nid === PAGED_OUT) {
        this.#finish(tag, from, to, 'not_mapped', 0);
        continue;
      }
      if (action === 'lru_prio') this.#order.prioritise?.(from, to);
      else this.#order.deprioritise?.(from, to);
      this.#finish(tag, from, to, 'applied', HINT_NS_PER_PAGE);
    }
    return end - start;
  }

  /** Copied, as acting changes the placement. */
  #runsOf(start: number, end: number): readonly (readonly [number, number, number])[] {
    if (end - start === PAGE_SIZE) return [[start, end, this.placement.get(start)]];
    const runs: [number, number, number][] = [];
    this.placement.forEach(start, end, (from, to, nid) => runs.push([from, to, nid]));
    return runs;
  }

  #finish(tag: number, start: number, end: number, outcome: ActionOutcome, nsPerPage: number): void {
    if (outcome === 'destination_full' || outcome === 'not_mapped') this.#counters.failedBytes += end - start;
    this.#results.push({ tag, start, end, outcome, cpuNs: ((end - start) / PAGE_SIZE) * nsPerPage });
  }
}
