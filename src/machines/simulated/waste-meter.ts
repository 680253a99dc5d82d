/**
 * Promotions in vain: bytes that were moved up and whose accesses until they were moved down again, or
 * until the end, saved less time than the migration of the page cost (reference tiering-systems section 9).
 */
import { NO_VALUE, PageRuns } from '../../memory/page-runs.ts';
import { type MemoryNode, tierOf } from '../../memory/tier.ts';

/** CPU time of migrating a page, ns; the mover's. */
const MIGRATION_NS = 8_000;

/** An area in use: its accesses per page until its phase ends. */
export interface Use {
  readonly start: number;
  readonly end: number;
  readonly accessesPerPage: number;
}

export class WasteMeter {
  readonly #nodes: readonly MemoryNode[];
  /** Moved up and not worth it yet; the value is the node that they came from. */
  readonly #pending = new PageRuns();
  #wastedBytes = 0;
  #pendingBytes = 0;

  constructor(nodes: readonly MemoryNode[]) {
    this.#nodes = nodes;
  }

  /** Bytes moved up in vain so far; what has not paid off yet counts in. */
  get wastedBytes(): number {
    return this.#wastedBytes + this.#pendingBytes;
  }

  moved(start: number, end: number, fromNid: number, toNid: number, uses: readonly Use[]): void {
    const [from, to] = [this.#nodes[fromNid], this.#nodes[toNid]];
    if (from === undefined || to === undefined || tierOf(from) === tierOf(to)) return;
    if (tierOf(to) > tierOf(from)) {
      this.#settle(start, end, (bytes) => {
        this.#wastedBytes += bytes;
      });
      return;
    }
    this.#pending.set(start, end, fromNid);
    this.#pendingBytes += end - start;
    for (const use of uses) this.used(use, toNid);
  }

  /** An area is in use from now on: what was moved up for it and is used enough has paid off. */
  used({ start, end, accessesPerPage }: Use, fastNid: number): void {
    const paid: [number, number][] = [];
    this.#pending.forEach(start, end, (from, to, nid) => {
      if (nid === NO_VALUE) return;
      const savedNs = accessesPerPage * (this.#nodes[nid].accessNs - this.#nodes[fastNid].accessNs);
      if (savedNs >= MIGRATION_NS) paid.push([from, to]);
    });
    for (const [from, to] of paid) this.#settle(from, to, () => undefined);
  }

  #settle(start: number, end: number, book: (bytes: number) => void): void {
    let bytes = 0;
    this.#pending.forEach(start, end, (from, to, nid) => {
      if (nid !== NO_VALUE) bytes += to - from;
    });
    if (bytes === 0) return;
    this.#pending.set(start, end, NO_VALUE);
    this.#pendingBytes -= bytes;
    book(bytes);
  }
}
