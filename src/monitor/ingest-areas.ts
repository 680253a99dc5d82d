/**
 * Checks of whole areas into the bins and counts of regions. Where in its area a check fell is not known,
 * only that any page was equally likely: so the checks of an area are put at even distances, from a random
 * beginning, and its hits at even distances among them. Both say as little about places as is known, and
 * invent no edge inside an area.
 */
import type { AreaChecks } from '../memory/area-checks.ts';
import type { RandomStream } from '../memory/random.ts';
import { PAGE_SIZE } from '../memory/range.ts';
import { BINS, halveBins, PER_BIN } from './bins.ts';
import type { RegionIndex } from './region-index.ts';
import type { RegionTable } from './region-table.ts';

/** @returns checks inside the regions */
export function ingestAreas(
  table: RegionTable,
  index: RegionIndex,
  areas: AreaChecks,
  random: RandomStream,
): number {
  let counted = 0;
  for (let a = 0; a < areas.count; a++) {
    const start = areas.start[a];
    const pages = Math.floor((areas.end[a] - start) / PAGE_SIZE);
    const trials = areas.trials[a];
    const hits = Math.min(trials, areas.hits[a]);
    if (pages <= 0 || trials <= 0) continue;
    const beginning = random.unit();
    const phase = Math.floor(random.unit() * trials);
    for (let k = 0; k < trials; k++) {
      const page = Math.floor(((k + beginning) / trials) * pages);
      const i = index.locate(start + page * PAGE_SIZE);
      if (i < 0) continue;
      counted++;
      const at = (k + phase) % trials;
      const isHit = Math.floor(((at + 1) * hits) / trials) > Math.floor((at * hits) / trials);
      countCheck(table, table.order[i], start + page * PAGE_SIZE, isHit);
    }
  }
  return counted;
}

function countCheck(table: RegionTable, slot: number, address: number, isHit: boolean): void {
  const per = PER_BIN[table.binShift[slot]];
  const bin = slot * BINS + Math.floor(address * per) - Math.floor(table.start[slot] * per);
  if (table.binTrials[bin] === 255) halveBins(table, slot);
  table.binTrials[bin]++;
  table.nowTrials[slot]++;
  if (!isHit) return;
  table.binHits[bin]++;
  table.nowHits[slot]++;
}
