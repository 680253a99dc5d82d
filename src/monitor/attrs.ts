/** Checks monitoring attributes before any monitor uses them. */
import { ThermoError } from '../memory/error.ts';
import { PAGE_SIZE } from '../memory/range.ts';
import type { MonitorAttrs } from './monitor.ts';
import { MAX_REGIONS } from './region-table.ts';

/** Throws THERMO_MONITOR_CONFIG unless the attributes fit together (as damon_set_attrs, and our bounds). */
export function validateAttrs(attrs: MonitorAttrs): void {
  const fail = (message: string, hint: string): never => {
    throw new ThermoError('THERMO_MONITOR_CONFIG', message, { hint });
  };
  const { sampleUs, aggrUs, minNrRegions, maxNrRegions, minRegionSz, pullPerS } = attrs;
  if (!(sampleUs >= 1)) fail(`the sampling interval is ${sampleUs} us`, 'expected at least 1us');
  if (!(aggrUs >= sampleUs)) {
    fail(
      `the aggregation interval (${aggrUs} us) is shorter than the sampling interval (${sampleUs} us)`,
      'expected aggregation >= sampling',
    );
  }
  if (minNrRegions < 3) fail(`the minimum number of regions is ${minNrRegions}`, 'expected at least 3');
  if (maxNrRegions < minNrRegions) {
    fail(`at most ${maxNrRegions} regions is below the minimum of ${minNrRegions}`, 'expected min <= max');
  }
  if (maxNrRegions > MAX_REGIONS)
    fail(`${maxNrRegions} regions are too many`, `expected at most ${MAX_REGIONS}`);
  if (minRegionSz < PAGE_SIZE || !Number.isInteger(Math.log2(minRegionSz))) {
    fail(`the minimum region size is ${minRegionSz} bytes`, 'expected a power of two from 4096 on');
  }
  if (!(pullPerS >= 0 && pullPerS <= 1e8)) fail(`${pullPerS} pull checks per second`, 'expected 0 to 100M/s');
}

/** Address ranges that a monitor of so many regions can watch: each edge may need records of its own. */
export function maxRangesFor(maxNrRegions: number): number {
  return Math.max(1, Math.floor(maxNrRegions / 4));
}
