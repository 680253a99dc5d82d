/**
 * How often NUMA balancing scans a process (kernel/sched/fair.c: task_nr_scan_windows, task_scan_min,
 * task_scan_max, update_task_scan_period; reference tiering-systems section 3.2). Milliseconds throughout.
 *
 * Left out: the longer maximum of tasks that share memory with others (numa_group).
 */
import { PAGE_SIZE } from '../memory/range.ts';

/** debugfs sched/numa_balancing, and MAX_SCAN_WINDOW. */
export interface ScanKnobs {
  readonly scanDelayMs: number;
  readonly scanPeriodMinMs: number;
  readonly scanPeriodMaxMs: number;
  readonly scanSizeMb: number;
}

export const SCAN_DEFAULTS: ScanKnobs = {
  scanDelayMs: 1_000,
  scanPeriodMinMs: 1_000,
  scanPeriodMaxMs: 60_000,
  scanSizeMb: 256,
};

/** MAX_SCAN_WINDOW, MB per second. */
const MAX_SCAN_WINDOW_MB = 2_560;
const MIB = 2 ** 20;

/** Pages of one call, NUMA_PERIOD_SLOTS and NUMA_PERIOD_THRESHOLD. */
const SLOTS = 10;
const THRESHOLD = 7;

export function scanPages({ scanSizeMb }: ScanKnobs): number {
  return (scanSizeMb * MIB) / PAGE_SIZE;
}

/** Windows of scan_size that the resident memory of a process makes. */
export function scanWindows(rssBytes: number, { scanSizeMb }: ScanKnobs): number {
  return Math.max(1, Math.ceil(rssBytes / (scanSizeMb * MIB)));
}

export function scanPeriodMin(rssBytes: number, knobs: ScanKnobs): number {
  const windowsPerS = knobs.scanSizeMb < MAX_SCAN_WINDOW_MB ? MAX_SCAN_WINDOW_MB / knobs.scanSizeMb : 1;
  const floor = Math.floor(1_000 / Math.floor(windowsPerS));
  return Math.max(floor, Math.floor(knobs.scanPeriodMinMs / scanWindows(rssBytes, knobs)));
}

export function scanPeriodMax(rssBytes: number, knobs: ScanKnobs): number {
  return Math.max(
    scanPeriodMin(rssBytes, knobs),
    Math.floor(knobs.scanPeriodMaxMs / scanWindows(rssBytes, knobs)),
  );
}

/** Hint faults that a task recorded since the period was last adapted, pages. */
export interface RecordedFaults {
  readonly local: number;
  readonly remote: number;
  readonly isPrivate: number;
  readonly shared: number;
  readonly failed: number;
}

/** The period after a full pass, between `min` and `max`. */
export function adaptedPeriod(period: number, faults: RecordedFaults, min: number, max: number): number {
  const { local, remote, isPrivate, shared, failed } = faults;
  if (local + shared === 0 || failed > 0) return Math.min(max, period * 2);
  const slot = Math.ceil(period / SLOTS);
  const localRatio = ratioOf(local, remote);
  const privateRatio = ratioOf(isPrivate, shared);
  let slots: number;
  if (privateRatio >= THRESHOLD) slots = Math.max(1, privateRatio - THRESHOLD);
  else if (localRatio >= THRESHOLD) slots = Math.max(1, localRatio - THRESHOLD);
  else slots = Math.max(localRatio, privateRatio) - THRESHOLD;
  return Math.min(max, Math.max(min, period + slots * slot));
}

/** Share of `part` in tenths, rounded down. */
function ratioOf(part: number, rest: number): number {
  return part + rest > 0 ? Math.floor((part * SLOTS) / (part + rest)) : 0;
}
