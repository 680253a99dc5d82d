/** What holds of monitoring: the command line first, then the scheme file, then the defaults. */
import { type TextPosition, ThermoError } from '../memory/error.ts';
import type { PushSetting } from '../memory/push-setting.ts';
import { validateAttrs } from '../monitor/attrs.ts';
import { FIXED_RATE_MONITORS, type MonitorName } from '../monitor/create-monitor.ts';
import { DEFAULT_ATTRS, type MonitorAttrs } from '../monitor/monitor.ts';
import type { MonitorSettings, OverheadSetting } from '../schemes/monitor-block.ts';
import type { MonitorOptions } from './options.ts';

export const DEFAULT_MONITOR: MonitorName = 'evidence';

const NO_PUSH: PushSetting = { kind: 'off' };

export interface RunMonitorOptions extends MonitorOptions {
  readonly monitor?: MonitorName;
  readonly overhead?: OverheadSetting;
}

export interface RunMonitor {
  readonly name: MonitorName;
  readonly attrs: MonitorAttrs;
  /** undefined: as the machine takes samples by itself. */
  readonly push: PushSetting | undefined;
  /** Share of one CPU; undefined: rates are not tuned. */
  readonly overheadShare: number | undefined;
}

/**
 * @param fileAt where the file speaks of monitoring
 * @throws ThermoError if rates are to be tuned that the monitor does not have, or attributes contradict
 *   each other
 */
export function resolveMonitor(
  options: RunMonitorOptions,
  file: MonitorSettings,
  fileAt?: TextPosition,
): RunMonitor {
  try {
    return resolve(options, file);
  } catch (error) {
    if (!(error instanceof ThermoError) || error.code !== 'THERMO_MONITOR_CONFIG') throw error;
    throw new ThermoError(error.code, error.message, { where: fileAt, hint: error.hint });
  }
}

function resolve(options: RunMonitorOptions, file: MonitorSettings): RunMonitor {
  const name = options.monitor ?? file.name ?? DEFAULT_MONITOR;
  const hasFixedRate = FIXED_RATE_MONITORS.has(name);
  const overhead = options.overhead ?? file.overhead ?? 'off';
  if (overhead !== 'off' && hasFixedRate) {
    const isUsage = options.monitor !== undefined || options.overhead !== undefined;
    throw new ThermoError(
      isUsage ? 'THERMO_USAGE' : 'THERMO_MONITOR_CONFIG',
      `the overhead is tuned by the rates of checks and samples, and the monitor ${name} has none`,
      {
        hint: 'choose another monitor, or say --overhead off, and make the intervals longer with --sample or --intervals-goal',
      },
    );
  }
  const attrs = resolveAttrs(options, file);
  validateAttrs(attrs);
  return {
    name,
    attrs,
    // A monitor that takes no samples shall not pay for them unless asked to.
    push: options.push ?? file.push ?? (hasFixedRate ? NO_PUSH : undefined),
    overheadShare: overhead === 'off' ? undefined : overhead,
  };
}

/** A goal or weights of the command line replace those of the file as a whole. */
export function resolveAttrs(options: MonitorOptions, file: MonitorSettings): MonitorAttrs {
  const intervalsGoal = options.intervalsGoal ?? file.intervalsGoal;
  const weights = options.weights ?? file.weights;
  return {
    sampleUs: options.sample ?? file.sampleUs ?? DEFAULT_ATTRS.sampleUs,
    aggrUs: options.aggr ?? file.aggrUs ?? DEFAULT_ATTRS.aggrUs,
    minNrRegions: options.minRegions ?? file.minNrRegions ?? DEFAULT_ATTRS.minNrRegions,
    maxNrRegions: options.maxRegions ?? file.maxNrRegions ?? DEFAULT_ATTRS.maxNrRegions,
    minRegionSz: file.minRegionSz ?? DEFAULT_ATTRS.minRegionSz,
    pullPerS: options.pull ?? file.pullPerS ?? DEFAULT_ATTRS.pullPerS,
    ...(intervalsGoal ? { intervalsGoal } : {}),
    ...(weights ? { weights } : {}),
  };
}
