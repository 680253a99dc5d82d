/** Regions snapshot by snapshot, with everything that is computed of them. */
import type { RecordedSnapshot, RegionRecord } from '../../memory/region-record.ts';
import type { RecordReport, RegionFacts, RegionKey, SnapshotReport, Strip } from '../../view/report/facts.ts';
import { DEFAULT_TEMPERATURE, factsOf, type TemperatureWeights, totalsOf } from './region-facts.ts';

export interface RegionReportOptions {
  readonly weights?: TemperatureWeights;
  readonly sort?: RegionKey;
  readonly descending?: boolean;
  /** Neighbours that are equal in accesses and age are shown as one, as damo does. */
  readonly merge?: boolean;
}

/** Characters of the strip, and the widest gap in it that is drawn as a gap. */
const STRIP_COLUMNS = 80;
const MAX_GAP_COLUMNS = 4;

/** @param whole the record of which a part was selected */
export function regionReport(
  selected: RegionRecord,
  whole: RegionRecord,
  options: RegionReportOptions,
): RecordReport {
  const numberOf = new Map(whole.snapshots.map(({ endNs }, i) => [endNs, i]));
  return {
    head: selected.head,
    nrSnapshots: whole.snapshots.length,
    startNs: String(whole.snapshots[0].startNs),
    snapshots: selected.snapshots.map((snapshot, i) =>
      reportOf(snapshot, numberOf.get(snapshot.endNs) ?? i, options),
    ),
  };
}

function reportOf(snapshot: RecordedSnapshot, index: number, options: RegionReportOptions): SnapshotReport {
  const { weights = DEFAULT_TEMPERATURE, sort = 'address', descending = false } = options;
  const facts = Array.from({ length: snapshot.count }, (_, i) => factsOf(snapshot, i, weights));
  const regions = options.merge === false ? facts : mergeEqual(facts, weights);
  const strips = stripsOf(facts);
  if (sort !== 'address' || descending) {
    regions.sort((a, b) => (keyOf(a, sort) - keyOf(b, sort) || a.start - b.start) * (descending ? -1 : 1));
  }
  return {
    index,
    startNs: String(snapshot.startNs),
    endNs: String(snapshot.endNs),
    sampleUs: snapshot.sampleUs,
    aggrUs: snapshot.aggrUs,
    maxNrAccesses: snapshot.maxNrAccesses,
    damosStats: snapshot.damosStats,
    ...totalsOf(snapshot),
    strips,
    regions,
  };
}

function keyOf(region: RegionFacts, key: RegionKey): number {
  switch (key) {
    case 'address':
      return region.start;
    case 'size':
      return region.szBytes;
    case 'rate':
      return region.nrAccesses;
    case 'age':
      return region.ageUs ?? 0;
    case 'temperature':
      return region.temperature ?? 0;
  }
}

function mergeEqual(regions: readonly RegionFacts[], weights: TemperatureWeights): RegionFacts[] {
  const merged: RegionFacts[] = [];
  for (const region of regions) {
    const last = merged[merged.length - 1];
    const isSame =
      last !== undefined &&
      last.end === region.start &&
      last.nrAccesses === region.nrAccesses &&
      last.ageUs === region.ageUs &&
      region.probeHits === undefined;
    if (!isSame) {
      merged.push(region);
      continue;
    }
    const szBytes = last.szBytes + region.szBytes;
    const sign = region.nrAccesses === 0 ? -1 : 1;
    merged[merged.length - 1] = {
      ...last,
      end: region.end,
      szBytes,
      temperature: last.temperature === null ? null : last.temperature + sign * weights.size * region.szBytes,
      szFilterPassed:
        last.szFilterPassed === null || region.szFilterPassed === null
          ? null
          : last.szFilterPassed + region.szFilterPassed,
    };
  }
  return merged;
}

/** The mean temperature along the addresses, or the mean count where there is no age; wide gaps left out. */
function stripsOf(regions: readonly RegionFacts[], columns = STRIP_COLUMNS): Strip[] {
  const sorted = [...regions].sort((a, b) => a.start - b.start);
  const covered = sorted.reduce((sum, { szBytes }) => sum + szBytes, 0);
  const areas: { start: number; end: number; regions: RegionFacts[] }[] = [];
  for (const region of sorted) {
    const last = areas[areas.length - 1];
    if (last !== undefined && region.start - last.end <= (MAX_GAP_COLUMNS * covered) / columns) {
      last.end = Math.max(last.end, region.end);
      last.regions.push(region);
    } else areas.push({ start: region.start, end: region.end, regions: [region] });
  }
  const spanned = areas.reduce((sum, { start, end }) => sum + end - start, 0);
  return areas.map(({ start, end, regions: inside }) => {
    const count = Math.max(1, Math.round((columns * (end - start)) / spanned));
    return { start, end, cells: meansAlong(inside, start, end, count) };
  });
}

function meansAlong(regions: readonly RegionFacts[], start: number, end: number, columns: number): number[] {
  const sum = new Float64Array(columns);
  const weight = new Float64Array(columns);
  const cell = (end - start) / columns;
  for (const region of regions) {
    const value = region.temperature ?? region.nrAccesses;
    const last = Math.min(columns - 1, Math.ceil((region.end - start) / cell) - 1);
    for (let i = Math.max(0, Math.floor((region.start - start) / cell)); i <= last; i++) {
      const bytes = Math.min(region.end, start + (i + 1) * cell) - Math.max(region.start, start + i * cell);
      if (bytes <= 0) continue;
      sum[i] += value * bytes;
      weight[i] += bytes;
    }
  }
  return Array.from(sum, (total, i) => (weight[i] > 0 ? total / weight[i] : Number.NaN));
}
