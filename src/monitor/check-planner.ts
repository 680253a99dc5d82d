/**
 * Chooses the pages for pull checks: part stratified over all watched memory (explore), the rest
 * where the evidence says that something is going on (exploit).
 *
 * Both parts are one systematic sample over weights: the checks of an interval lie in equal strata of
 * the cumulative weight, each at a random place of its stratum. So every page of a region is equally
 * likely, a region's checks are spread over it, and addresses come out ascending.
 */

import type { RandomStream } from '../memory/random.ts';
import { PAGE_SIZE } from '../memory/range.ts';
import type { CheckPlan } from './monitor.ts';
import type { RegionTable } from './region-table.ts';

/** Share of the checks that goes to all memory alike. Half, as measured best in the prototype. */
const EXPLORE_SHARE = 0.5;
/** Weight of a region without any hit or sample beside 1 for one with. */
const QUIET_WEIGHT = 0.02;

export class CheckPlanner implements CheckPlan {
  count = 0;
  addresses: Float64Array;
  /** Position in address order of the region of each check. */
  regionOf: Uint16Array;
  readonly #cumulative: Float64Array;
  readonly #random: RandomStream;
  #carry = 0;

  constructor(maxRegions: number, random: RandomStream) {
    this.addresses = new Float64Array(64);
    this.regionOf = new Uint16Array(64);
    this.#cumulative = new Float64Array(maxRegions + 1);
    this.#random = random;
  }

  get metadataBytes(): number {
    return this.#cumulative.byteLength + this.addresses.byteLength + this.regionOf.byteLength;
  }

  /** Recomputes the weights; to be called whenever the layout or the evidence changed. */
  reweigh(table: RegionTable): void {
    const { count, order, start, end } = table;
    let total = 0;
    let active = 0;
    for (let i = 0; i < count; i++) {
      const slot = order[i];
      total += end[slot] - start[slot];
      active += exploitWeight(table, slot);
    }
    let sum = 0;
    this.#cumulative[0] = 0;
    for (let i = 0; i < count; i++) {
      const slot = order[i];
      const explore = (EXPLORE_SHARE * (end[slot] - start[slot])) / total;
      sum += explore + ((1 - EXPLORE_SHARE) * exploitWeight(table, slot)) / active;
      this.#cumulative[i + 1] = sum;
    }
  }

  /** Plans `mean` checks on average (fractions carry over). */
  plan(table: RegionTable, mean: number): CheckPlan {
    this.#carry += mean;
    const count = Math.floor(this.#carry);
    this.#carry -= count;
    this.count = count;
    if (this.addresses.length < count) {
      this.addresses = new Float64Array(count * 2);
      this.regionOf = new Uint16Array(count * 2);
    }
    const cumulative = this.#cumulative;
    const scale = cumulative[table.count] / count;
    let i = 0;
    for (let check = 0; check < count; check++) {
      const position = (check + this.#random.unit()) * scale;
      while (i < table.count - 1 && cumulative[i + 1] <= position) i++;
      const slot = table.order[i];
      const pages = (table.end[slot] - table.start[slot]) / PAGE_SIZE;
      const within = (position - cumulative[i]) / (cumulative[i + 1] - cumulative[i]);
      const page = Math.min(pages - 1, Math.floor(within * pages));
      this.addresses[check] = table.start[slot] + page * PAGE_SIZE;
      this.regionOf[check] = i;
    }
    return this;
  }
}

function exploitWeight(table: RegionTable, slot: number): number {
  return table.rate[slot] > 0 ? 1 : QUIET_WEIGHT;
}
