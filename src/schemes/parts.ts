/**
 * Which parts of a range an action has anything to do in: memory that is not where a migration would put
 * it, resident memory for what changes its rank or evicts it, memory that was paged out for what brings
 * it back.
 */
import { PAGED_OUT } from '../memory/action.ts';
import { NO_VALUE, type RunVisitor } from '../memory/page-runs.ts';
import { roundDown } from '../memory/range.ts';
import type { ResolvedScheme } from './resolve.ts';
import { HOLE_BIT, PAGED_OUT_BIT, placeBit } from './unit-table.ts';
import { ACTIONS } from './vocabulary.ts';

/**
 * Memory is dealt out to weighted destinations in steps of this: the kernel deals whole folios, and
 * those are 2 MiB at most.
 */
export const INTERLEAVE_BYTES = 2 * 2 ** 20;

/** @param nids where a migration may put the part; empty for other actions */
export type PartVisitor = (start: number, end: number, nids: readonly number[]) => void;

type Placement = (start: number, end: number, visit: RunVisitor) => void;

const NOWHERE: readonly number[] = [];

export class PartFinder {
  readonly #resolved: ResolvedScheme;
  /** Of one destination: its nodes. */
  readonly #single: readonly number[] | undefined;
  readonly #totalWeight: number;
  /** Places in which there is nothing to do, as bits of a unit table; only where all dests agree. */
  readonly #idlePlaces: number;

  constructor(resolved: ResolvedScheme) {
    const { dests, scheme } = resolved;
    this.#resolved = resolved;
    this.#single = dests.length === 1 && !dests[0].isAccessing ? dests[0].nids : undefined;
    this.#totalWeight = dests.reduce((sum, dest) => sum + dest.weight, 0);
    const { effect } = ACTIONS[scheme.action];
    let idle = effect === 'fetches' ? 0 : HOLE_BIT | (effect === 'counts' ? 0 : PAGED_OUT_BIT);
    for (const nid of this.#single ?? []) idle |= placeBit(nid);
    if (effect === 'fetches') idle = ~PAGED_OUT_BIT;
    this.#idlePlaces = idle;
  }

  /** False if nothing can be to do in memory that lies only in these places. */
  mayHaveWork(places: number): boolean {
    return (places & ~this.#idlePlaces) !== 0;
  }

  /**
   * Visits the parts in address order.
   * @param accessingNid node whose CPUs access the memory, -1 if unknown
   */
  forEach(start: number, end: number, accessingNid: number, placement: Placement, visit: PartVisitor): void {
    const { dests } = this.#resolved;
    if (dests.length === 0 || this.#single !== undefined) {
      this.#within(start, end, this.#single ?? NOWHERE, placement, visit);
      return;
    }
    if (dests.length === 1) {
      const nids = accessingNid >= 0 ? [accessingNid] : dests[0].nids;
      this.#within(start, end, nids, placement, visit);
      return;
    }
    this.#forEachDealt(start, end, (from, to, nids) => this.#within(from, to, nids, placement, visit));
  }

  /**
   * Weighted destinations (damos_va_migrate_dests_add, reference section 3.4): the index of the step in
   * the address space modulo the sum of the weights tells the destination.
   */
  #forEachDealt(start: number, end: number, visit: PartVisitor): void {
    let from = start;
    let nids = this.#dealtTo(start);
    for (let at = roundDown(start, INTERLEAVE_BYTES) + INTERLEAVE_BYTES; at < end; at += INTERLEAVE_BYTES) {
      const next = this.#dealtTo(at);
      if (next === nids) continue;
      visit(from, at, nids);
      [from, nids] = [at, next];
    }
    visit(from, end, nids);
  }

  #dealtTo(address: number): readonly number[] {
    let left = Math.floor(address / INTERLEAVE_BYTES) % this.#totalWeight;
    for (const { nids, weight } of this.#resolved.dests) {
      if (left < weight) return nids;
      left -= weight;
    }
    return NOWHERE;
  }

  #within(
    start: number,
    end: number,
    nids: readonly number[],
    placement: Placement,
    visit: PartVisitor,
  ): void {
    const { fromNids, scheme } = this.#resolved;
    const { effect } = ACTIONS[scheme.action];
    let partStart = -1;
    placement(start, end, (from, to, nid) => {
      const isPagedOut = nid === PAGED_OUT;
      const hasWork =
        effect === 'fetches'
          ? isPagedOut
          : nid !== NO_VALUE &&
            (!isPagedOut || effect === 'counts') &&
            !nids.includes(nid) &&
            (fromNids === undefined || fromNids.includes(nid));
      if (hasWork && partStart < 0) partStart = from;
      if (!hasWork && partStart >= 0) {
        visit(partStart, from, nids);
        partStart = -1;
      }
      if (hasWork && to === end) visit(partStart, to, nids);
    });
  }
}
