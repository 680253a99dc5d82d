/** Who accesses a region: counts of samples by node, of loads and of stores, in bytes that are halved when full. */
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
  if (users[at + nid] === 255) for (let n = at; n < at + USER_NODES; n++) users[n] >>= 1;
  users[at + nid]++;
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
