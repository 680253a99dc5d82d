/**
 * Brings what was measured to new intervals (DAMON's damon_update_monitoring_result, for evidence).
 *
 * Ages keep their time. Hits are a share of sampling intervals of a certain length: they become the hits
 * that the same rate would have had in intervals of the new one. Samples know no intervals.
 */
import { BINS } from './bins.ts';
import type { MonitorAttrs } from './monitor.ts';
import { hitShare, rateOfShare } from './rate.ts';
import { HITS, type RegionTable, TRIALS } from './region-table.ts';

export function rescale(table: RegionTable, old: MonitorAttrs, now: MonitorAttrs): void {
  const samplesOf = ({ sampleUs, aggrUs }: MonitorAttrs): number =>
    Math.max(1, Math.floor(aggrUs / sampleUs));
  for (let i = 0; i < table.count; i++) {
    const slot = table.order[i];
    table.age[slot] = Math.floor((table.age[slot] * old.aggrUs) / now.aggrUs);
    const share = hitShare(table.rate[slot], old.sampleUs / 1e6);
    if (share > 0) {
      table.lastScore[slot] *=
        (samplesOf(now) * hitShare(table.rate[slot], now.sampleUs / 1e6)) / (samplesOf(old) * share);
    }
    if (old.sampleUs === now.sampleUs) continue;
    for (const sums of [table.past, table.recent]) rescaleSums(sums, slot * 4, old, now);
    for (let b = slot * BINS; b < (slot + 1) * BINS; b++) {
      table.binHits[b] = Math.round(rescaledHits(table.binHits[b], table.binTrials[b], old, now));
    }
    table.nowHits[slot] = Math.round(rescaledHits(table.nowHits[slot], table.nowTrials[slot], old, now));
  }
}

function rescaleSums(sums: Float32Array, at: number, old: MonitorAttrs, now: MonitorAttrs): void {
  sums[at + HITS] = rescaledHits(sums[at + HITS], sums[at + TRIALS], old, now);
}

/** Where every check hit, the rate is taken as that of all but half a check. */
function rescaledHits(hits: number, trials: number, old: MonitorAttrs, now: MonitorAttrs): number {
  if (hits <= 0 || trials <= 0) return 0;
  const rate = rateOfShare(Math.min(hits / trials, 1 - 0.5 / Math.max(1, trials)), old.sampleUs / 1e6);
  return Math.min(trials, trials * hitShare(rate, now.sampleUs / 1e6));
}
