/**
 * The pull hot path: results of checks into the bins and counts of their regions. About 30 ns a check, most
 * of it waiting for memory (`thermocline bench`, case aggregation-1000; `ingest.ts` for the habits).
 *
 * Even checks say how often a region is accessed, probes only where in it.
 */
import { BINS, halveBins, PER_BIN } from './bins.ts';
import type { CheckPlanner } from './check-planner.ts';
import { IS_DENSE, IS_SUSPECT, type RegionTable } from './region-table.ts';
import type { SpotTable } from './spot-table.ts';

/** Share of checks that hit up to which one more hit is a surprise, and probed around. */
const SURPRISING_SHARE = 0.1;
const LOG_BINS = Math.log2(BINS);

/** Counts the results of the planner's last plan: `hits[c]` is 1 where check `c` found an access. */
export function ingestChecks(
  table: RegionTable,
  planner: CheckPlanner,
  spots: SpotTable,
  hits: Uint8Array,
  intervalS: number,
): void {
  const { count, addresses, regionOf, isProbe } = planner;
  const { order, start, binShift, binTrials, nowTrials } = table;
  const perBin = PER_BIN;
  for (let c = 0; c < count; c++) {
    const slot = order[regionOf[c]];
    const per = perBin[binShift[slot]];
    const bin = (slot << LOG_BINS) + (Math.floor(addresses[c] * per) - Math.floor(start[slot] * per));
    if (binTrials[bin] === 255) halveBins(table, slot);
    binTrials[bin]++;
    nowTrials[slot] += 1 - isProbe[c];
    if (hits[c] !== 0) countHit(table, planner, spots, c, slot, bin, intervalS);
  }
}

function countHit(
  table: RegionTable,
  { addresses, isProbe, probes }: CheckPlanner,
  spots: SpotTable,
  c: number,
  slot: number,
  bin: number,
  intervalS: number,
): void {
  table.binHits[bin]++;
  if (isProbe[c] === 0) {
    table.nowHits[slot]++;
    if (table.rate[slot] * intervalS < SURPRISING_SHARE) probes.add(addresses[c], table.binShift[slot]);
  } else {
    if (table.unseen[slot] < 65535) table.unseen[slot]++;
    table.flags[slot] |= IS_SUSPECT;
  }
  if ((table.flags[slot] & IS_DENSE) === 0) spots.add(addresses[c], true);
}
