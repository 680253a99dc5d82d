/** A record of regions in memory, for reports; says what was read and what could not be. */
import type { RegionRecord } from '../memory/region-record.ts';
import { formatCount } from '../memory/units.ts';
import type { RegionCounts } from './region-counts.ts';
import { loadRegions, type RegionInput, type RegionInputOptions } from './region-input.ts';

export interface LoadedRecord extends RegionInput {
  readonly records: readonly RegionRecord[];
  /** What was left out, in words. */
  readonly warnings: readonly string[];
}

/** @throws ThermoError as {@link readRegions} */
export async function loadRecord(options: RegionInputOptions): Promise<LoadedRecord> {
  const loaded = await loadRegions(options);
  return { ...loaded, warnings: describeRegionCounts(loaded.counts) };
}

/** What could not be read, in words. */
export function describeRegionCounts(counts: RegionCounts): string[] {
  const warnings: string[] = [];
  if (counts.unreadable > 0) {
    const where = counts.firstUnreadableLine > 0 ? ` (first: line ${counts.firstUnreadableLine})` : '';
    warnings.push(
      `${formatCount(counts.unreadable)} lines or parts could not be read and were left out${where}`,
    );
  }
  if (counts.addressesTooLarge > 0) {
    warnings.push(`${formatCount(counts.addressesTooLarge)} regions beyond address 2^53 left out`);
  }
  return warnings;
}
