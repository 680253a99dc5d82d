/**
 * Promotions in vain: bytes that were moved up and whose accesses until they were moved down again, or
 * until the end, saved less time than the migration of the page cost (reference tiering-systems section 9).
 */
import { NO_VALUE, PageRuns } from '../../memory/page-runs.ts';
import { type MemoryNode, tierOf } from '../../memory/tier.ts';
import { MIGRATION_NS_PER_PAGE } from '../mover.ts';

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

  /** True if memory went up; its uses are to be told with {@link used} then. */
  moved(start: number, end: number, fromNid: number, toNid: number): boolean {
    const [from, to] = [this.#nodes[fromNid], this.#nodes[toNid]];
    if (from === undefined || to === undefined || tierOf(from) === tierOf(to)) return false;
    if (tierOf(to) > tierOf(from)) {
      this.#wastedBytes += this.#settle(start, end);
      return false;
    }
    this.#pending.set(start, end, fromNid);
    this.#pendingBytes += end - start;
    return true;
  }

  /** An area is in use from now on: what was moved up for it and is used enough has paid off. */
  used(start: number, end: number, accessesPerPage: number, fastNid: number): void {
    const fastNs = this.#nodes[fastNid].accessNs;
    let paid: [number, number][] | undefined;
    this.#pending.forEach(start, end, (from, to, nid) => {
      if (nid === NO_VALUE) return;
      if (accessesPerPage * (this.#nodes[nid].accessNs - fastNs) < MIGRATION_NS_PER_PAGE) return;
      paid ??= [];
      paid.push([from, to]);
    });
    if (paid !== undefined) for (const [from, to] of paid) this.#settle(from, to);
  }

  /** Bytes of the range that had not paid off, and are settled now. */
  #settle(start: number, end: number): number {
    let bytes = 0;
    this.#pending.forEach(start, end, (from, to, nid) => {
      if (nid !== NO_VALUE) bytes += to - from;
    });
    if (bytes === 0) return 0;
    this.#pending.set(start, end, NO_VALUE);
    this.#pendingBytes -= bytes;
    return bytes;
  }
}
