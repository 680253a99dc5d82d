/**
 * `thermocline/testing`: property-test a monitor, a scheme or a machine of your own.
 *
 *     import fc from 'fast-check';
 *     import { monitorScriptArbitrary, runMonitorScript } from 'thermocline/testing';
 *     fc.assert(fc.property(monitorScriptArbitrary(4096), (steps) => runMonitorScript(createMyMonitor(), steps)));
 *
 * Needs fast-check beside thermocline.
 */
export {
  type AccessPattern,
  accessPatternArbitrary,
  attrsArbitrary,
  type MonitorStep,
  monitorScriptArbitrary,
  rangesArbitrary,
  regionTableArbitrary,
} from './arbitraries.ts';
export {
  bytesByNode,
  type Charge,
  checkBounds,
  checkCover,
  checkEstimates,
  checkQuota,
  checkRegions,
  checkSorted,
  InvariantViolation,
  MemoryBalance,
} from './invariants.ts';
export { runMonitorScript } from './monitor-script.ts';
