/**
 * Hint faults and Accessed-bit scans on the simulated machine, page by page where pages are accessed.
 *
 * In a piece of time in which each page of an area gets m accesses on average, a protected page faults
 * with probability 1 - exp(-m), and a bit is set with that of all pieces since it was cleared. The cost of
 * a piece follows the protected pages of the areas in use, that of a scan the pages accessed since the
 * last one; memory that nobody uses costs nothing.
 */
import type { PageRuns, RunVisitor } from '../../memory/page-runs.ts';
import type { FaultBatch, PageSignals } from '../../memory/page-signals.ts';
import type { RandomStream } from '../../memory/random.ts';
import { PAGE_SIZE } from '../../memory/range.ts';
import { FaultBuffer } from '../fault-buffer.ts';

/** Times of protection are kept in ticks of this; the kernel keeps milliseconds, modulo some bits as well. */
const TICK_US = 25_000;
const CHUNK_PAGES = 512;

/** Lets the threads of a node, or one thread, lose time, us. */
export interface Payers {
  node(nid: number, us: number): void;
  thread(thread: number, us: number): void;
}

/** Accesses per page of a range since its bits were cleared. */
interface Exposure {
  start: number;
  end: number;
  perPage: number;
}

/** Accesses of one piece of time to the pages of an area, by all threads together. */
interface Touch {
  start: number;
  end: number;
  perPage: number;
  /** Threads, with the sum of `perPage` up to each. */
  readonly threads: number[];
  readonly upTo: number[];
}

export class SimulatedSignals implements PageSignals {
  readonly #placement: PageRuns;
  readonly #random: RandomStream;
  readonly #payers: Payers;
  /** By page: tick of its protection plus 1, modulo 65535; 0: not protected. */
  readonly #protectedAt: Uint16Array;
  /** Protected pages by chunk. */
  readonly #inChunk: Uint16Array;
  /** Of this piece; the first `#touchCount` are in use. Threads of one program use the same areas in the same order. */
  readonly #touches: Touch[] = [];
  #touchCount = 0;
  #nextTouch = 0;
  /** Node of each thread. */
  readonly #nidOf: number[] = [];
  #exposures: Exposure[] = [];
  #isScanned = false;
  readonly #faults = new FaultBuffer();
  #nowUs = 0;

  /** @param endAddress one past the last address of the machine */
  constructor(endAddress: number, placement: PageRuns, random: RandomStream, payers: Payers) {
    const pages = Math.ceil(endAddress / PAGE_SIZE);
    this.#placement = placement;
    this.#random = random;
    this.#payers = payers;
    this.#protectedAt = new Uint16Array(pages);
    this.#inChunk = new Uint16Array(Math.ceil(pages / CHUNK_PAGES));
  }

  protect(start: number, end: number, nodes: Uint8Array): number {
    this.#flush();
    const tick = this.#tick(this.#nowUs);
    let count = 0;
    this.#placement.forEach(start, end, (from, to, nid) => {
      if (nid >= nodes.length || nodes[nid] === 0) return;
      for (let page = from / PAGE_SIZE; page < to / PAGE_SIZE; page++) {
        if (this.#protectedAt[page] !== 0) continue;
        this.#protectedAt[page] = tick;
        this.#inChunk[Math.floor(page / CHUNK_PAGES)]++;
        count++;
      }
    });
    return count;
  }

  drainFaults(): FaultBatch {
    this.#flush();
    return this.#faults.drain();
  }

  scanAccessed(start: number, end: number, visit: RunVisitor): void {
    this.#flush();
    // Who never scans pays nothing for what scans need.
    this.#isScanned = true;
    const inside = this.#takeExposures(start, end);
    let at = start;
    for (const { start: from, end: to, perPage } of inside) {
      if (from > at) visit(at, from, 0);
      this.#drawRuns(from, to, -Math.expm1(-perPage), visit);
      at = to;
    }
    if (at < end) visit(at, end, 0);
  }

  charge(nid: number, us: number): void {
    this.#payers.node(nid, us);
  }

  chargeThread(thread: number, us: number): void {
    this.#payers.thread(thread, us);
  }

  /** The time at which the next accesses begin. */
  advanceTo(nowUs: number): void {
    this.#flush();
    this.#nowUs = nowUs;
  }

  /** Each page of `[start, end)` is accessed `perPage` times on average, by thread `thread` on node `nid`. */
  access(start: number, end: number, perPage: number, nid: number, thread: number): void {
    // A thread that only pays its debts accesses nothing.
    if (perPage === 0) return;
    this.#nidOf[thread] = nid;
    const touch = this.#touchOf(start, end);
    touch.perPage += perPage;
    touch.threads.push(thread);
    touch.upTo.push(touch.perPage);
  }

  #touchOf(start: number, end: number): Touch {
    const touches = this.#touches;
    for (let looked = 0; looked < this.#touchCount; looked++) {
      if (this.#nextTouch >= this.#touchCount) this.#nextTouch = 0;
      const touch = touches[this.#nextTouch++];
      if (touch.start === start && touch.end === end) return touch;
    }
    if (this.#touchCount === touches.length) {
      touches.push({ start, end, perPage: 0, threads: [], upTo: [] });
    }
    const touch = touches[this.#touchCount++];
    Object.assign(touch, { start, end, perPage: 0 });
    touch.threads.length = 0;
    touch.upTo.length = 0;
    this.#nextTouch = this.#touchCount;
    return touch;
  }

  /** Lets the accesses of the piece have their effect: areas of several threads are walked once. */
  #flush(): void {
    for (let i = 0; i < this.#touchCount; i++) {
      const touch = this.#touches[i];
      const { start, end, perPage } = touch;
      if (this.#isScanned) this.#expose(start, end, perPage);
      const share = -Math.expm1(-perPage);
      const [first, past] = [start / PAGE_SIZE, end / PAGE_SIZE];
      for (let chunk = Math.floor(first / CHUNK_PAGES); chunk * CHUNK_PAGES < past; chunk++) {
        if (this.#inChunk[chunk] === 0) continue;
        const from = Math.max(first, chunk * CHUNK_PAGES);
        const to = Math.min(past, (chunk + 1) * CHUNK_PAGES);
        this.#faultAmong(chunk, from, to, share, touch);
      }
    }
    this.#touchCount = 0;
    this.#nextTouch = 0;
  }

  /** Lets each protected page of a chunk fault with probability `share`. */
  #faultAmong(chunk: number, from: number, to: number, share: number, touch: Touch): void {
    const protectedAt = this.#protectedAt;
    const random = this.#random;
    let left = this.#inChunk[chunk];
    for (let page = from; page < to && left > 0; page++) {
      if (protectedAt[page] === 0) continue;
      left--;
      if (random.unit() < share) {
        const thread = this.#threadOf(touch);
        this.#fault(page, this.#nidOf[thread], thread);
      }
    }
  }

  /** Who comes first, in proportion to the accesses of each. */
  #threadOf({ threads, upTo, perPage }: Touch): number {
    if (threads.length === 1) return threads[0];
    const at = this.#random.unit() * perPage;
    return threads[upTo.findIndex((sum) => sum > at)] ?? threads[threads.length - 1];
  }

  #fault(page: number, nid: number, thread: number): void {
    const tick = this.#protectedAt[page];
    this.#protectedAt[page] = 0;
    this.#inChunk[Math.floor(page / CHUNK_PAGES)]--;
    const delayUs = ((this.#tick(this.#nowUs) - tick + 65535) % 65535) * TICK_US;
    this.#faults.push(page * PAGE_SIZE, delayUs, nid, thread);
  }

  /** From 1 on. */
  #tick(us: number): number {
    return 1 + (Math.floor(us / TICK_US) % 65535);
  }

  #expose(start: number, end: number, perPage: number): void {
    const last = this.#exposures.find((each) => each.start === start && each.end === end);
    if (last !== undefined) last.perPage += perPage;
    else this.#exposures.push({ start, end, perPage });
  }

  /** Takes out what lies in `[start, end)`, as disjoint parts in address order. */
  #takeExposures(start: number, end: number): Exposure[] {
    const edges: { at: number; change: number }[] = [];
    const rest: Exposure[] = [];
    for (const each of this.#exposures) {
      const [from, to] = [Math.max(start, each.start), Math.min(end, each.end)];
      if (from >= to) {
        rest.push(each);
        continue;
      }
      edges.push({ at: from, change: each.perPage }, { at: to, change: -each.perPage });
      if (each.start < from) rest.push({ ...each, end: from });
      if (each.end > to) rest.push({ ...each, start: to });
    }
    this.#exposures = rest;
    edges.sort((a, b) => a.at - b.at);
    const parts: Exposure[] = [];
    let [from, perPage, open] = [start, 0, 0];
    for (const { at, change } of edges) {
      if (at > from && open > 0) parts.push({ start: from, end: at, perPage });
      from = at;
      perPage += change;
      open += Math.sign(change);
    }
    return parts;
  }

  /** Each page is accessed with probability `share`; draws per run, not per page. */
  #drawRuns(start: number, end: number, share: number, visit: RunVisitor): void {
    let from = start;
    let value = this.#random.unit() < share ? 1 : 0;
    while (from < end) {
      const pages = this.#runLength(value === 1 ? share : 1 - share);
      const to = Math.min(end, from + pages * PAGE_SIZE);
      visit(from, to, value);
      from = to;
      value = 1 - value;
    }
  }

  /** Pages of a run that goes on with probability `stay`: geometric, at least 1. */
  #runLength(stay: number): number {
    if (stay <= 0) return 1;
    return stay >= 1
      ? Number.POSITIVE_INFINITY
      : 1 + Math.floor(Math.log(1 - this.#random.unit()) / Math.log(stay));
  }
}
