/** The monitors by name, as `--monitor` chooses them. */
import type { RandomStream } from '../memory/random.ts';
import { DamonMonitor } from './damon/damon-monitor.ts';
import { EvidenceMonitor } from './evidence-monitor.ts';
import type { Monitor, MonitorAttrs } from './monitor.ts';

const CREATORS = {
  evidence: (attrs: MonitorAttrs, random: RandomStream): Monitor => new EvidenceMonitor(attrs, random),
  damon: (attrs: MonitorAttrs, random: RandomStream): Monitor => new DamonMonitor(attrs, random),
  'damon@7.2': (attrs: MonitorAttrs, random: RandomStream): Monitor =>
    new DamonMonitor(attrs, random, { version: '7.2' }),
  'damon@6.12': (attrs: MonitorAttrs, random: RandomStream): Monitor =>
    new DamonMonitor(attrs, random, { version: '6.12' }),
} as const;

export type MonitorName = keyof typeof CREATORS;

export const MONITOR_NAMES = Object.keys(CREATORS) as readonly MonitorName[];

export function createMonitor(name: MonitorName, attrs: MonitorAttrs, random: RandomStream): Monitor {
  return CREATORS[name](attrs, random);
}
