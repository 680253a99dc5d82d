/** Who accesses a region: counts of samples by node, of loads and of stores, in bytes that are halved when full. */
import type { AccessBatch } from '../memory/access-batch.ts';
import type { RegionTable } from './region-table.ts';

/** Nodes told apart; accesses by nodes of higher number are not counted by node. */
export const USER_NODES = 8;

/** Counts a sample; `nid` -1: its source does not know. */
export function countUser(table: RegionTable, slot: number, nid: number, isStore: number): void {
  const { users, loads, stores } = table;
  const kind = isStore === 1 ? stores : loads;
  if (kind[slot] === 255) {
    stores[slot] >>= 1;
    loads[slot] >>= 1;
  }
  kind[slot]++;
  if (nid < 0 || nid >= USER_NODES) return;
  const at = slot * USER_NODES;
  if (users[at + nid] === 255) halveNodes(users, at);
  users[at + nid]++;
}

/** Not the exported one: V8 looks that up anew for every sample. */
const NODES = USER_NODES;

/**
 * {@link countUser} for every `stride`th of the samples `from` to `from + n` of a batch; the slot of sample
 * `from + s` is `bins[s] >> logBins`, negative where there is none.
 */
export function countUsers(
  table: RegionTable,
  bins: Int32Array,
  logBins: number,
  batch: AccessBatch,
  from: number,
  n: number,
  stride: number,
): void {
  for (let s = 0; s < n; ) {
    s = countUntilFull(table, bins, logBins, batch, from, s, n, stride);
    if (s < n) halveNodes(table.users, (bins[s] >> logBins) * NODES);
  }
}

/** Counts samples until a node's counter is full, from `s` on; returns the first one not counted. */
function countUntilFull(
  table: RegionTable,
  bins: Int32Array,
  logBins: number,
  batch: AccessBatch,
  from: number,
  first: number,
  n: number,
  stride: number,
): number {
  const { users, loads, stores } = table;
  const { nid, isStore } = batch;
  for (let s = first; s < n; s += stride) {
    const slot = bins[s] >> logBins;
    if (slot < 0) continue;
    const node = nid[from + s];
    const isKnown = node >= 0 && node < NODES;
    const at = slot * NODES + node;
    if (isKnown && users[at] === 255) return s;
    // Both kinds, since a branch on which it is would be guessed wrong; at 256 one of them is full.
    const stored = isStore[from + s];
    const isFull = ((stores[slot] + stored) | (loads[slot] + 1 - stored)) >>> 8;
    stores[slot] = (stores[slot] >> isFull) + stored;
    loads[slot] = (loads[slot] >> isFull) + 1 - stored;
    if (isKnown) users[at]++;
  }
  return n;
}

function halveNodes(users: Uint8Array, at: number): void {
  for (let n = at; n < at + USER_NODES; n++) users[n] >>= 1;
}

/** Adds the counts of `right` to those of `left`. */
export function joinUsers(table: RegionTable, left: number, right: number): void {
  const { users, loads, stores } = table;
  const [a, b] = [left * USER_NODES, right * USER_NODES];
  for (let n = 0; n < USER_NODES; n++) users[a + n] = Math.min(255, users[a + n] + users[b + n]);
  loads[left] = Math.min(255, loads[left] + loads[right]);
  stores[left] = Math.min(255, stores[left] + stores[right]);
}

/** Node that most samples of a region came from, -1 if none told. */
export function topUser(table: RegionTable, slot: number): number {
  let nid = -1;
  let most = 0;
  for (let n = 0; n < USER_NODES; n++) {
    const count = table.users[slot * USER_NODES + n];
    if (count > most) {
      most = count;
      nid = n;
    }
  }
  return nid;
}

/** Share of a region's samples that are stores; NaN where none told. */
export function storeShareOf(table: RegionTable, slot: number): number {
  return table.stores[slot] / (table.stores[slot] + table.loads[slot]);
}
