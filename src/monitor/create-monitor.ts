/** The monitors by name, as `--monitor` chooses them. */
import type { RandomStream } from '../memory/random.ts';
import { DamonMonitor } from './damon/damon-monitor.ts';
import { EvidenceMonitor } from './evidence-monitor.ts';
import { GridMonitor } from './grid-monitor.ts';
import type { Monitor, MonitorAttrs } from './monitor.ts';

const CREATORS = {
  evidence: (attrs: MonitorAttrs, random: RandomStream): Monitor => new EvidenceMonitor(attrs, random),
  damon: (attrs: MonitorAttrs, random: RandomStream): Monitor => new DamonMonitor(attrs, random),
  'damon@7.2': (attrs: MonitorAttrs, random: RandomStream): Monitor =>
    new DamonMonitor(attrs, random, { version: '7.2' }),
  'damon@6.12': (attrs: MonitorAttrs, random: RandomStream): Monitor =>
    new DamonMonitor(attrs, random, { version: '6.12' }),
  grid: (attrs: MonitorAttrs, random: RandomStream): Monitor => new GridMonitor(attrs, random),
  'damon@push-rfc': (attrs: MonitorAttrs, random: RandomStream): Monitor =>
    new DamonMonitor(attrs, random, { pushCredit: 'one-per-interval' }),
  'damon@push-aug': (attrs: MonitorAttrs, random: RandomStream): Monitor =>
    new DamonMonitor(attrs, random, { pushCredit: 'every-sample' }),
} as const;

export type MonitorName = keyof typeof CREATORS;

export const MONITOR_NAMES = Object.keys(CREATORS) as readonly MonitorName[];

/** Monitors that check each region once per sampling interval and take no samples: no rate to tune. */
export const FIXED_RATE_MONITORS: ReadonlySet<MonitorName> = new Set(['damon', 'damon@7.2', 'damon@6.12']);

export function createMonitor(name: MonitorName, attrs: MonitorAttrs, random: RandomStream): Monitor {
  return CREATORS[name](attrs, random);
}
