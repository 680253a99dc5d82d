/** Numbers that each snapshot has one of - working-set size, number of regions - and how they are distributed. */
import type { RecordedSnapshot, RegionRecord } from '../../memory/region-record.ts';
import type { SnapshotSeries } from '../../view/report/series.ts';
import { mean, plainPercentiles } from './distribution.ts';

export interface SeriesOptions {
  /** Snapshots at the beginning that do not count: monitoring is still finding its regions. */
  readonly skip: number;
  readonly percentiles: readonly number[];
}

/** damo leaves out the first 20. */
export const DEFAULT_SKIP = 20;

export interface WssOptions extends SeriesOptions {
  /** Samples with an access from which on a region is in the working set. */
  readonly minNrAccesses: number;
  readonly minRegionBytes: number;
}

export function workingSetOf(
  { count, start, end, nrAccesses }: RecordedSnapshot,
  { minNrAccesses, minRegionBytes }: Pick<WssOptions, 'minNrAccesses' | 'minRegionBytes'>,
): number {
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const sz = end[i] - start[i];
    if (nrAccesses[i] >= minNrAccesses && sz >= minRegionBytes) sum += sz;
  }
  return sum;
}

export function seriesOf(
  record: RegionRecord,
  { skip, percentiles }: SeriesOptions,
  valueIn: (snapshot: RecordedSnapshot) => number,
): SnapshotSeries {
  // One snapshot is better than none.
  const used = record.snapshots.slice(Math.min(skip, record.snapshots.length - 1));
  const values = used.map(valueIn);
  const startNs = record.snapshots[0].startNs;
  const at = plainPercentiles(values, percentiles);
  return {
    snapshots: values.length,
    skipped: record.snapshots.length - values.length,
    mean: Math.floor(mean(values)),
    percentiles: percentiles.map((percent, i) => ({ percent, value: at[i] })),
    values: values.map((value, i) => ({ timeUs: Number(used[i].endNs - startNs) / 1000, value })),
  };
}
