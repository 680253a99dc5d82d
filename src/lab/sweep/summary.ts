/** Means of a sweep: one row per tracker, setting, machine and size. */
import { meanOf, spreadOf } from '../compare/compare.ts';
import type { CompareRow } from '../compare/row.ts';
import { environmentOf } from './plan.ts';
import type { StoredRun } from './run-store.ts';

/** Means over the seeds that are done. */
export interface SweepRow {
  readonly tracker: string;
  /** By key, of what was varied and the tracker listens to. */
  readonly settings: Readonly<Record<string, string>>;
  readonly machine: string;
  readonly workload: string;
  /** null: as large as the machine is by itself. */
  readonly sizeBytes: number | null;
  readonly minRatePerS: number;
  readonly seeds: number;
  /** null: not simulated at this size. */
  readonly means: CompareRow | null;
  readonly spread: Readonly<Record<string, { readonly min: number; readonly max: number }>>;
  /** Share of the oracle's gain over doing nothing; null without both on the same machine. */
  readonly efficiency: number | null;
  /** Also of who is not simulated, as far as arithmetic tells. */
  readonly metadataBytes: number | null;
  /** Why it is not simulated. */
  readonly note: string | null;
}

/** In the order of the runs. */
export function summarizeSweep(runs: readonly StoredRun[]): SweepRow[] {
  const groups = new Map<string, StoredRun[]>();
  for (const run of runs) {
    const key = JSON.stringify([run.task.tracker, run.settings, environmentOf(run)]);
    groups.set(key, [...(groups.get(key) ?? []), run]);
  }
  const means = [...groups.values()].map((group) => ({ group, row: meansOf(group) }));
  const shareOf = (name: string, environment: string): number | undefined =>
    means.find(
      ({ group, row }) =>
        group[0].task.tracker === name && row !== null && environmentOf(group[0]) === environment,
    )?.row?.fastTierShare;
  return means.map(({ group, row }): SweepRow => {
    const [first] = group;
    const environment = environmentOf(first);
    const [none, best] = [shareOf('static', environment), shareOf('oracle', environment)];
    const not = first.outcome.kind === 'row' ? undefined : first.outcome.not;
    const about = row ?? not;
    return {
      tracker: first.task.tracker,
      settings: first.settings,
      machine: about?.machine ?? '',
      workload: about?.workload ?? '',
      sizeBytes: first.task.sizeBytes ?? null,
      minRatePerS: first.task.minRatePerS,
      seeds: group.length,
      means: row,
      spread: row === null ? {} : spreadOf(rowsOf(group)),
      efficiency:
        row === null || none === undefined || best === undefined || best <= none
          ? null
          : (row.fastTierShare - none) / (best - none),
      metadataBytes: row?.metadataBytes ?? not?.metadataBytes ?? null,
      note: row === null ? (not?.reason ?? null) : null,
    };
  });
}

function meansOf(group: readonly StoredRun[]): CompareRow | null {
  const rows = rowsOf(group);
  return rows.length === 0 ? null : meanOf(rows);
}

function rowsOf(group: readonly StoredRun[]): CompareRow[] {
  return group.flatMap(({ outcome }) => (outcome.kind === 'row' ? [outcome.row] : []));
}
