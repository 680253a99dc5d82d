/** What is computed from a recorded region, by damo's formulas (docs/records.md lists them). */
import { PAGE_SIZE } from '../../memory/range.ts';
import type { RecordedSnapshot, RegionRecord } from '../../memory/region-record.ts';
import type { RegionFacts, SnapshotTotals } from '../../view/report/facts.ts';

/** How size, access rate and age make a temperature; damo's default weights. */
export interface TemperatureWeights {
  readonly size: number;
  readonly rate: number;
  readonly age: number;
}

export const DEFAULT_TEMPERATURE: TemperatureWeights = { size: 0, rate: 100, age: 100 };

export function factsOf(
  snapshot: RecordedSnapshot,
  i: number,
  weights: TemperatureWeights = DEFAULT_TEMPERATURE,
): RegionFacts {
  const { maxNrAccesses, aggrUs, ageUnitUs } = snapshot;
  const start = snapshot.start[i];
  const end = snapshot.end[i];
  const nrAccesses = snapshot.nrAccesses[i];
  const szBytes = end - start;
  const age = snapshot.age[i];
  const ageUs = ageUnitUs === null || Number.isNaN(age) ? null : age * ageUnitUs;
  const rateShare = maxNrAccesses === null ? null : nrAccesses / maxNrAccesses;
  const heat =
    rateShare === null || ageUs === null
      ? null
      : weights.size * szBytes + weights.rate * rateShare * 100 + weights.age * ageUs;
  const passed = snapshot.szFilterPassed[i];
  return {
    start,
    end,
    szBytes,
    nrAccesses,
    rateShare,
    accessHz: aggrUs === null ? null : nrAccesses / (aggrUs / 1e6),
    ageUs,
    temperature: heat === null ? null : nrAccesses === 0 ? -heat : heat,
    idleUs: nrAccesses > 0 ? 0 : ageUs === null || aggrUs === null ? null : ageUs + aggrUs,
    szFilterPassed: Number.isNaN(passed) ? null : passed,
    ...(snapshot.probeHits === undefined ? {} : { probeHits: snapshot.probeHits[i] }),
  };
}

/** Totals of a snapshot. */
export function totalsOf(snapshot: RecordedSnapshot): SnapshotTotals {
  const { count, aggrUs, maxNrAccesses } = snapshot;
  let szBytes = 0;
  let passed = 0;
  let hasPassed = false;
  let touched = 0;
  let touchedPassed = 0;
  for (let i = 0; i < count; i++) {
    const sz = snapshot.end[i] - snapshot.start[i];
    szBytes += sz;
    touched += sz * snapshot.nrAccesses[i];
    const through = snapshot.szFilterPassed[i];
    if (Number.isNaN(through)) continue;
    hasPassed = true;
    passed += through;
    touchedPassed += through * snapshot.nrAccesses[i];
  }
  const perS = (bytes: number): number | null =>
    aggrUs === null ? null : Math.trunc(bytes / (aggrUs / 1e6));
  return {
    nrRegions: count,
    szBytes,
    szFilterPassed: hasPassed ? passed : null,
    bandwidthBytesPerS: perS(touched),
    bandwidthFilterPassedBytesPerS: hasPassed ? perS(touchedPassed) : null,
    positiveShare: maxNrAccesses === null || szBytes === 0 ? null : touched / (szBytes * maxNrAccesses),
  };
}

/** Bytes of the largest snapshot; at least a page. */
export function watchedBytes({ snapshots }: RegionRecord): number {
  let most = PAGE_SIZE;
  for (const { count, start, end } of snapshots) {
    let bytes = 0;
    for (let i = 0; i < count; i++) bytes += end[i] - start[i];
    most = Math.max(most, bytes);
  }
  return most;
}
