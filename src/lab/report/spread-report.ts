/** How temperature and recency (time since the last access) are spread over the bytes of snapshots. */
import type { RegionRecord } from '../../memory/region-record.ts';
import type { Spread } from '../../view/report/spread.ts';
import { DEFAULT_PERCENTILES, histogram, type Weighed, weighedPercentiles } from './distribution.ts';
import { DEFAULT_TEMPERATURE, factsOf, type TemperatureWeights } from './region-facts.ts';

export type SpreadKind = 'temperature' | 'recency';

export function spreadReport(
  record: RegionRecord,
  kind: SpreadKind,
  percents: readonly number[] = DEFAULT_PERCENTILES,
  weights: TemperatureWeights = DEFAULT_TEMPERATURE,
): Spread {
  const values: Weighed[] = [];
  let unknownBytes = 0;
  for (const snapshot of record.snapshots) {
    for (let i = 0; i < snapshot.count; i++) {
      const facts = factsOf(snapshot, i, weights);
      const value = kind === 'temperature' ? facts.temperature : facts.idleUs;
      if (value === null) unknownBytes += facts.szBytes;
      else values.push({ value, bytes: facts.szBytes });
    }
  }
  const at = weighedPercentiles(values, percents);
  return {
    unit: kind === 'temperature' ? 'temperature' : 'us',
    snapshots: record.snapshots.length,
    szBytes: values.reduce((sum, { bytes }) => sum + bytes, 0),
    unknownBytes,
    percentiles: at.map((value, i) => ({ percent: percents[i], value })),
    histogram: histogram(values),
  };
}
