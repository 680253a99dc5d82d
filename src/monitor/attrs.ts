/** Checks monitoring attributes before any monitor uses them. */
import { ThermoError } from '../memory/error.ts';
import { PAGE_SIZE } from '../memory/range.ts';
import type { IntervalsGoal, MonitorAttrs, SourceWeights } from './monitor.ts';
import { MAX_REGIONS } from './region-table.ts';

function fail(message: string, hint: string): never {
  throw new ThermoError('THERMO_MONITOR_CONFIG', message, { hint });
}

/** Throws THERMO_MONITOR_CONFIG unless the attributes fit together (as damon_set_attrs, and our bounds). */
export function validateAttrs(attrs: MonitorAttrs): void {
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
  validatePullRate(pullPerS);
  if (attrs.weights !== undefined) validateSourceWeights(attrs.weights);
  if (attrs.intervalsGoal === undefined) return;
  validateGoal(attrs.intervalsGoal);
  const { aggrs, minSampleUs, maxSampleUs } = attrs.intervalsGoal;
  if (aggrs > 0 && (sampleUs < minSampleUs || sampleUs > maxSampleUs)) {
    fail(
      `the sampling interval (${sampleUs} us) lies outside ${minSampleUs} us to ${maxSampleUs} us, in which it is tuned`,
      'change --sample, or min and max of --intervals-goal',
    );
  }
}

/** @throws ThermoError THERMO_MONITOR_CONFIG */
export function validatePullRate(pullPerS: number): void {
  if (!(pullPerS >= 0 && pullPerS <= 1e8)) fail(`${pullPerS} pull checks per second`, 'expected 0 to 100M/s');
}

/** @throws ThermoError THERMO_MONITOR_CONFIG unless both are 0 to 1, and one is above 0 */
export function validateSourceWeights({ pull, push }: SourceWeights): void {
  for (const [name, weight] of Object.entries({ pull, push })) {
    if (!(weight >= 0 && weight <= 1)) fail(`${name} has the weight ${weight}`, 'expected 0 to 1');
  }
  if (pull === 0 && push === 0)
    fail('no evidence counts: both weights are 0', 'give pull or push a weight up to 1');
}

/** A goal of 0 aggregations is off. @throws ThermoError THERMO_MONITOR_CONFIG */
export function validateGoal({ accessBp, aggrs, minSampleUs, maxSampleUs }: IntervalsGoal): void {
  if (!(Number.isInteger(aggrs) && aggrs >= 0))
    fail(`the intervals cannot be tuned every ${aggrs} aggregations`, 'expected a whole number, 0 for never');
  if (aggrs === 0) return;
  if (!(Number.isInteger(accessBp) && accessBp >= 1 && accessBp <= 10000)) {
    fail(`${accessBp} bp is no share of the accesses to observe`, 'expected 0.01 % to 100 %');
  }
  if (!(minSampleUs >= 1 && minSampleUs <= maxSampleUs && Number.isFinite(maxSampleUs))) {
    fail(
      `the tuned sampling interval cannot lie between ${minSampleUs} us and ${maxSampleUs} us`,
      'expected 1us <= min <= max',
    );
  }
}

/** Whether all attributes that the kernel knows are equal; the rate of pull checks is ours. */
export function areSameForKernel(a: MonitorAttrs, b: MonitorAttrs): boolean {
  const [goal, other] = [a.intervalsGoal, b.intervalsGoal];
  return (
    a.sampleUs === b.sampleUs &&
    a.aggrUs === b.aggrUs &&
    a.minNrRegions === b.minNrRegions &&
    a.maxNrRegions === b.maxNrRegions &&
    goal?.accessBp === other?.accessBp &&
    goal?.aggrs === other?.aggrs &&
    goal?.minSampleUs === other?.minSampleUs &&
    goal?.maxSampleUs === other?.maxSampleUs
  );
}

/** Address ranges that a monitor of so many regions can watch: each edge may need records of its own. */
export function maxRangesFor(maxNrRegions: number): number {
  return Math.max(1, Math.floor(maxNrRegions / 4));
}
