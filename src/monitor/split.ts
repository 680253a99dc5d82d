/**
 * Cuts regions where the evidence says, the best gains first.
 *
 * Records are bounded, so a cut is paid for: with free ones, then with joins that lose less than it gains,
 * and last by moving an edge: what a cut leaves of its region goes to a neighbour that is like it.
 */
import { bestRun, type Run } from './best-run.ts';
import { binStart } from './bins.ts';
import { joinLoss, mergeForGains } from './merge.ts';
import { IS_DUE, IS_FRESH, IS_UNSETTLED, type RegionTable } from './region-table.ts';

/** How much a cut must gain for each nat that the joins lose which make room for it. */
const EXCHANGE = 2;
/** Share of the records kept free for moving edges. */
const RESERVE_SHARE = 0.02;
/** Loss in nats up to which what is left of a cut region is given to a neighbour. */
const ALIKE_NATS = 2;

interface Candidate extends Run {
  readonly slot: number;
  /** Addresses at which the run is cut out, ascending. */
  readonly cuts: readonly number[];
  /** Whether something of the region remains before and after the run. */
  readonly hasLeft: boolean;
  readonly hasRight: boolean;
}

/**
 * Finds what is to be cut in the slots `look[0..count)` and cuts it, as far as there is room.
 * @returns the number of parts, whose slots are then in `look`
 */
export function splitByEvidence(
  table: RegionTable,
  look: Uint16Array,
  count: number,
  sizeLimit: number,
): number {
  const candidates = findCandidates(table, look, count);
  if (candidates.length === 0) return 0;
  for (const { slot } of candidates) table.flags[slot] |= IS_DUE;
  makeRoom(table, candidates, sizeLimit);
  const chosen: Candidate[] = [];
  const others: Candidate[] = [];
  let room = freeRecords(table);
  for (const candidate of candidates) {
    if (candidate.cuts.length > room) {
      others.push(candidate);
      continue;
    }
    room -= candidate.cuts.length;
    chosen.push(candidate);
  }
  cutAll(table, chosen);
  for (const candidate of others) moveEdges(table, candidate, sizeLimit);
  return collectFresh(table, look);
}

/** The slots of the parts, which later cuts and joins may have changed. */
function collectFresh(table: RegionTable, look: Uint16Array): number {
  let count = 0;
  for (let i = 0; i < table.count; i++) {
    const slot = table.order[i];
    if ((table.flags[slot] & IS_FRESH) === 0) continue;
    table.flags[slot] &= ~IS_FRESH;
    look[count++] = slot;
  }
  return count;
}

function findCandidates(table: RegionTable, look: Uint16Array, count: number): Candidate[] {
  const candidates: Candidate[] = [];
  for (let k = 0; k < count; k++) {
    const slot = look[k];
    const run = bestRun(table, slot);
    if (run === undefined) continue;
    const [from, to] = [binStart(table, slot, run.from), binStart(table, slot, run.to)];
    const hasLeft = from > table.start[slot];
    const hasRight = to < table.end[slot];
    const cuts = [...(hasLeft ? [from] : []), ...(hasRight ? [to] : [])];
    candidates.push({ slot, cuts, hasLeft, hasRight, ...run });
  }
  return candidates.sort((a, b) => b.gain - a.gain || table.start[a.slot] - table.start[b.slot]);
}

/** Records that plain cuts may use. */
function freeRecords(table: RegionTable): number {
  return Math.max(0, table.capacity - table.count - reserve(table));
}

function reserve(table: RegionTable): number {
  return Math.ceil(RESERVE_SHARE * table.capacity);
}

/** Joins regions (none of the candidates) while the loss is worth the cuts it makes room for. */
function makeRoom(table: RegionTable, candidates: readonly Candidate[], sizeLimit: number): void {
  let room = freeRecords(table);
  const gains: number[] = [];
  for (const { cuts, gain } of candidates) {
    for (let c = 0; c < cuts.length; c++) {
      if (room > 0) room--;
      else gains.push(gain);
    }
  }
  mergeForGains(table, gains, sizeLimit, EXCHANGE);
}

/** Makes the cuts, from the last address on: what then moves in the table is least. */
function cutAll(table: RegionTable, chosen: Candidate[]): void {
  chosen.sort((a, b) => table.start[b.slot] - table.start[a.slot]);
  for (const candidate of chosen) cutOne(table, table.positionOf(candidate.slot), candidate);
}

function cutOne(table: RegionTable, i: number, { slot, cuts }: Candidate): void {
  table.flags[slot] = (table.flags[slot] & ~IS_DUE) | IS_FRESH;
  for (let c = cuts.length - 1; c >= 0; c--) table.split(i, cuts[c], true);
}

/** Cuts out a run and gives the rest of its region to the neighbours, if they are alike. */
function moveEdges(table: RegionTable, candidate: Candidate, sizeLimit: number): void {
  const { slot, cuts } = candidate;
  if (table.capacity - table.count < cuts.length) {
    table.flags[slot] = (table.flags[slot] & ~IS_DUE) | IS_UNSETTLED;
    return;
  }
  const i = table.positionOf(slot);
  cutOne(table, i, candidate);
  const meanSize = table.totalBytes / table.count;
  const joinIfAlike = (at: number): void => {
    if (at < 0 || at + 1 >= table.count) return;
    if (joinLoss(table, at, sizeLimit, meanSize) < ALIKE_NATS) table.merge(at);
  };
  if (candidate.hasRight) joinIfAlike(i + cuts.length);
  if (candidate.hasLeft) joinIfAlike(i - 1);
}
