/**
 * Gives a region that has become smaller the finest bins that fit, and what is known of where inside
 * its old bins the events lay: the spot table remembers single pages for a while.
 */
import { PAGE_SIZE } from '../memory/range.ts';
import { BINS, binCount, binPages, clearBins, PER_BIN, shiftFor } from './bins.ts';
import type { RegionTable } from './region-table.ts';
import type { SpotTable } from './spot-table.ts';

export function refine(table: RegionTable, slot: number, spots: SpotTable): void {
  const shift = shiftFor(table.start[slot], table.end[slot]);
  if (shift >= table.binShift[slot]) return;
  let [hits, trials, pushes] = [0, 0, 0];
  for (let b = slot * BINS; b < (slot + 1) * BINS; b++) {
    hits += table.binHits[b];
    trials += table.binTrials[b];
    pushes += table.binPushes[b];
  }
  const exposureS = table.binExposureS[slot];
  clearBins(table, slot);
  table.binShift[slot] = shift;
  let found = 0;
  if (hits + pushes > 0) found = placeKnown(table, slot, hits, pushes, spots);
  // Events that nobody remembers the place of are left out, and with them their trials and exposure.
  const known = hits + pushes > 0 ? found / (hits + pushes) : 1;
  table.binExposureS[slot] = exposureS * known;
  spreadTrials(table, slot, (trials - hits) * known);
}

/** Puts events that the spot table remembers into their bins; returns their number. */
function placeKnown(
  table: RegionTable,
  slot: number,
  hits: number,
  pushes: number,
  spots: SpotTable,
): number {
  const per = PER_BIN[table.binShift[slot]];
  const first = Math.floor(table.start[slot] * per);
  let [hitsLeft, pushesLeft] = [hits, pushes];
  spots.forEachIn(table.start[slot], table.end[slot], (e) => {
    const pages = spots.pages(e);
    const seen = [];
    for (let p = 0; p < 16; p++) {
      const address = spots.address(e) + p * PAGE_SIZE;
      if ((pages & (1 << p)) !== 0 && address >= table.start[slot] && address < table.end[slot])
        seen.push(address);
    }
    if (seen.length === 0) return;
    // The table has counts per block and a bit per page: repeated events go round the pages.
    const newHits = Math.min(hitsLeft, spots.hits(e));
    const newPushes = Math.min(pushesLeft, spots.pushes(e));
    for (let k = 0; k < newHits + newPushes; k++) {
      const bin = slot * BINS + Math.floor(seen[k % seen.length] * per) - first;
      if (k < newHits) {
        table.binHits[bin] = Math.min(255, table.binHits[bin] + 1);
        table.binTrials[bin] = Math.max(table.binTrials[bin], table.binHits[bin]);
      } else table.binPushes[bin] = Math.min(255, table.binPushes[bin] + 1);
    }
    hitsLeft -= newHits;
    pushesLeft -= newPushes;
  });
  return hits - hitsLeft + pushes - pushesLeft;
}

/** Checks that found nothing were spread evenly over the region. */
function spreadTrials(table: RegionTable, slot: number, trials: number): void {
  const count = binCount(table, slot);
  const pages = table.sz(slot) / PAGE_SIZE;
  let [due, given] = [0, 0];
  for (let b = 0; b < count; b++) {
    due += (trials * binPages(table, slot, b)) / pages;
    const whole = Math.round(due) - given;
    given += whole;
    table.binTrials[slot * BINS + b] = Math.min(255, table.binTrials[slot * BINS + b] + whole);
  }
}
