/** Which snapshots and regions of a record a report is about. */
import type { AddressRange } from '../../memory/range.ts';
import type { RecordedSnapshot, RegionRecord } from '../../memory/region-record.ts';
import { DEFAULT_TEMPERATURE, factsOf, type TemperatureWeights } from './region-facts.ts';

/** Both ends count. */
export interface Bounds {
  readonly min: number;
  readonly max: number;
}

export interface Selection {
  readonly sizeBytes?: Bounds;
  /** 0..1. */
  readonly rateShare?: Bounds;
  readonly ageUs?: Bounds;
  readonly temperature?: Bounds;
  /** Regions are cut to them; none: everywhere. */
  readonly addresses?: readonly AddressRange[];
  /** Numbers of snapshots, from 0; negative: from the end. */
  readonly snapshots?: Bounds;
  /** Time since the record began, us. */
  readonly timeUs?: Bounds;
  readonly snapshotBytes?: Bounds;
  readonly target?: string;
  readonly weights?: TemperatureWeights;
}

/** The part of the records that was asked for; records of which nothing is left are left out. */
export function selectRecords(records: readonly RegionRecord[], selection: Selection): RegionRecord[] {
  return records
    .filter(({ head }) => selection.target === undefined || head.targetId === selection.target)
    .map((record) => ({ head: record.head, snapshots: selectSnapshots(record.snapshots, selection) }))
    .filter(({ snapshots }) => snapshots.length > 0);
}

function selectSnapshots(
  snapshots: readonly RecordedSnapshot[],
  { snapshots: numbers, timeUs, snapshotBytes, ...regions }: Selection,
): RecordedSnapshot[] {
  const startNs = snapshots[0]?.startNs ?? 0n;
  const fromEnd = (i: number): number => (i < 0 ? snapshots.length + i : i);
  return snapshots
    .filter((snapshot, i) => {
      const us = Number(snapshot.endNs - startNs) / 1000;
      return (
        (numbers === undefined || (i >= fromEnd(numbers.min) && i <= fromEnd(numbers.max))) &&
        isWithin(us, timeUs) &&
        (snapshotBytes === undefined || isWithin(sizeOf(snapshot), snapshotBytes))
      );
    })
    .map((snapshot) => selectRegions(snapshot, regions));
}

function sizeOf({ count, start, end }: RecordedSnapshot): number {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += end[i] - start[i];
  return sum;
}

function selectRegions(snapshot: RecordedSnapshot, selection: Selection): RecordedSnapshot {
  const { sizeBytes, rateShare, ageUs, temperature, addresses, weights = DEFAULT_TEMPERATURE } = selection;
  if (!sizeBytes && !rateShare && !ageUs && !temperature && !addresses) return snapshot;
  const kept: { readonly i: number; readonly start: number; readonly end: number }[] = [];
  for (let i = 0; i < snapshot.count; i++) {
    const facts = factsOf(snapshot, i, weights);
    if (
      !isWithin(facts.szBytes, sizeBytes) ||
      !isWithin(facts.rateShare, rateShare) ||
      !isWithin(facts.ageUs, ageUs) ||
      !isWithin(facts.temperature, temperature)
    ) {
      continue;
    }
    for (const part of addresses ?? [facts]) {
      const start = Math.max(part.start, facts.start);
      const end = Math.min(part.end, facts.end);
      if (start < end) kept.push({ i, start, end });
    }
  }
  const { probeHits, ratePerS, ...rest } = snapshot;
  const share = ({ i, start, end }: (typeof kept)[number]): number =>
    (end - start) / (snapshot.end[i] - snapshot.start[i]);
  return {
    ...rest,
    count: kept.length,
    start: Float64Array.from(kept, ({ start }) => start),
    end: Float64Array.from(kept, ({ end }) => end),
    nrAccesses: Float64Array.from(kept, ({ i }) => snapshot.nrAccesses[i]),
    age: Float64Array.from(kept, ({ i }) => snapshot.age[i]),
    szFilterPassed: Float64Array.from(kept, (each) => snapshot.szFilterPassed[each.i] * share(each)),
    ...(ratePerS === undefined ? {} : { ratePerS: Float64Array.from(kept, ({ i }) => ratePerS[i]) }),
    ...(probeHits === undefined ? {} : { probeHits: kept.map(({ i }) => probeHits[i]) }),
  };
}

/** Values that are not known are within no bounds. */
function isWithin(value: number | null, bounds: Bounds | undefined): boolean {
  return bounds === undefined || (value !== null && value >= bounds.min && value <= bounds.max);
}
