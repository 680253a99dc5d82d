/** Many trackers on the same accesses: tasks in, one table out. */

import type { MachineSpec } from '../../machines/simulated/machine-spec.ts';
import { chooseContestants } from './contestants.ts';
import type { CompareRow } from './row.ts';
import type { CompareTask, TraceSource } from './run-contestant.ts';

/** The `--json` document of `thermocline compare`; keys only ever get added. */
export interface CompareReport {
  readonly schema: 'thermocline.compare/1';
  readonly version: string;
  readonly machine: string;
  readonly workload: string;
  readonly seeds: readonly number[];
  readonly rows: readonly SummaryRow[];
  /** What could not be run, or has to be said about what was. */
  readonly notes: readonly string[];
  readonly interrupted: boolean;
}

/** Means over the seeds; counters too. */
export interface SummaryRow extends CompareRow {
  /** Share of what the oracle gains over doing nothing, in fast-tier accesses; null without both. */
  readonly efficiency: number | null;
  readonly spread: Readonly<Record<string, { readonly min: number; readonly max: number }>>;
}

export interface CompareOptions {
  readonly machine: MachineSpec;
  readonly sizeBytes?: number;
  readonly trace?: TraceSource;
  /** undefined: all. */
  readonly trackers: readonly string[] | undefined;
  readonly seeds: readonly number[];
  readonly schemes?: { readonly text: string; readonly file: string };
  readonly minRatePerS: number;
}

/** @throws ThermoError THERMO_USAGE for unknown trackers */
export function planTasks(options: CompareOptions): CompareTask[] {
  const { machine, sizeBytes, trace, seeds, schemes, minRatePerS } = options;
  return chooseContestants(options.trackers).flatMap(({ name }) =>
    seeds.map((seed) => ({
      tracker: name,
      machine,
      seed,
      minRatePerS,
      ...(sizeBytes === undefined ? {} : { sizeBytes }),
      ...(trace === undefined ? {} : { trace }),
      ...(schemes === undefined ? {} : { schemes }),
    })),
  );
}

const SPREAD_KEYS = [
  'completionSeconds',
  'fastTierShare',
  'promotedBytes',
  'demotedBytes',
  'metadataBytes',
] as const;

/** One row per tracker, in the order of the tasks. */
export function summarize(rows: readonly CompareRow[]): SummaryRow[] {
  const byTracker = new Map<string, CompareRow[]>();
  for (const row of rows) byTracker.set(row.tracker, [...(byTracker.get(row.tracker) ?? []), row]);
  const means = [...byTracker.values()].map((each) => ({
    ...meanOf(each),
    spread: spreadOf(each),
  }));
  const shareOf = (name: string): number | undefined =>
    means.find(({ tracker }) => tracker === name)?.fastTierShare;
  const [none, best] = [shareOf('static'), shareOf('oracle')];
  return means.map((row) => ({
    ...row,
    efficiency:
      none === undefined || best === undefined || best <= none
        ? null
        : (row.fastTierShare - none) / (best - none),
  }));
}

/** Least and most of the numbers that differ between seeds. */
export function spreadOf(rows: readonly CompareRow[]): SummaryRow['spread'] {
  return Object.fromEntries(
    SPREAD_KEYS.map((key) => {
      const values = rows.map((row) => row[key]);
      return [key, { min: Math.min(...values), max: Math.max(...values) }];
    }),
  );
}

/** Numbers become means, wherever they are; everything else is the first one's. */
export function meanOf<T>(values: readonly T[]): T {
  const first = values.find((value) => value !== null) ?? values[0];
  if (typeof first === 'number') {
    // All of them are numbers, or null where there was none to tell.
    const numbers = values.filter((value): value is T & number => typeof value === 'number');
    return (numbers.reduce((sum, value) => sum + value, 0) / numbers.length) as T;
  }
  if (typeof first !== 'object' || first === null) return first;
  if (Array.isArray(first)) {
    return first.map((_, i) => meanOf(values.map((value) => (value as readonly unknown[])[i]))) as T;
  }
  return Object.fromEntries(
    Object.keys(first).map((key) => [
      key,
      meanOf(values.map((value) => (value as Record<string, unknown>)[key])),
    ]),
  ) as T;
}
