/** The one schema of a sweep's results: the same columns in every shard, whoever took part in it. */
import type { CompareRow } from '../compare/row.ts';
import type { StoredRun } from './run-store.ts';

export type Cell = number | string | null;

export interface ColumnSpec {
  readonly name: string;
  readonly type: 'STRING' | 'DOUBLE' | 'INT64';
}

export interface ResultColumn extends ColumnSpec {
  of(run: StoredRun): Cell;
}

const text = (name: string, of: ResultColumn['of']): ResultColumn => ({ name, type: 'STRING', of });
const number = (name: string, of: (row: CompareRow) => number | null): ResultColumn => ({
  name,
  type: 'DOUBLE',
  of: ({ outcome }) => {
    const value = outcome.kind === 'row' ? of(outcome.row) : null;
    // A mean of nothing is no number.
    return value !== null && Number.isFinite(value) ? value : null;
  },
});

const about = ({ outcome }: StoredRun) => (outcome.kind === 'row' ? outcome.row : outcome.not);

const WHAT: readonly ResultColumn[] = [
  text('tracker', ({ task }) => task.tracker),
  text('machine', (run) => about(run).machine),
  text('workload', (run) => about(run).workload),
  { name: 'seed', type: 'INT64', of: ({ task }) => task.seed },
  text('version', ({ version }) => version),
  text('status', ({ outcome }) => (outcome.kind === 'row' ? 'done' : 'not simulated')),
  text('note', ({ outcome }) => (outcome.kind === 'row' ? null : outcome.not.reason)),
  { name: 'hot_per_s', type: 'DOUBLE', of: ({ task }) => task.minRatePerS },
  { name: 'size_bytes', type: 'DOUBLE', of: ({ task }) => task.sizeBytes ?? null },
];

const CAME_OF_IT: readonly ResultColumn[] = [
  number('simulated_seconds', (row) => row.simulatedSeconds),
  number('wall_seconds', (row) => row.wallSeconds),
  number('accesses', (row) => row.accesses),
  number('fast_tier_share', (row) => row.fastTierShare),
  number('completion_seconds', (row) => row.completionSeconds),
  number('slowdown', (row) => row.slowdown),
  number('detection_half_seconds', (row) => row.detection.half),
  number('detection_most_seconds', (row) => row.detection.most),
  number('detection_found_share', (row) => row.detection.found),
  number('hot_set_precision', (row) => row.hotSet.precision),
  number('hot_set_recall', (row) => row.hotSet.recall),
  number('hot_set_f1', (row) => row.hotSet.f1),
  number('promoted_bytes', (row) => row.promotedBytes),
  number('demoted_bytes', (row) => row.demotedBytes),
  number('reclaim_demoted_bytes', (row) => row.reclaimDemotedBytes),
  number('failed_bytes', (row) => row.failedBytes),
  number('ping_pong_bytes', (row) => row.pingPongBytes),
  number('wasted_bytes', (row) => row.wastedBytes),
  {
    name: 'metadata_bytes',
    type: 'DOUBLE',
    of: ({ outcome }) => (outcome.kind === 'row' ? outcome.row : outcome.not).metadataBytes,
  },
  number('cpu_application_seconds', (row) => row.cpu.applicationSeconds),
  number('cpu_background_seconds', (row) => row.cpu.backgroundSeconds),
  number('cpu_migration_seconds', (row) => row.cpu.migrationSeconds),
  // Each tracker has its own counters and each workload its own threads: JSON fits all into one schema.
  text('threads', ({ outcome }) => (outcome.kind === 'row' ? JSON.stringify(outcome.row.threads) : null)),
  text('counters', ({ outcome }) => (outcome.kind === 'row' ? JSON.stringify(outcome.row.counters) : null)),
];

/** @param varied columns of the knobs, whether they are turned or not */
export function resultColumns(varied: readonly ColumnSpec[]): readonly ResultColumn[] {
  const settings = varied
    .filter(({ name }) => !WHAT.some((each) => each.name === name))
    .map((spec): ResultColumn => ({ ...spec, of: ({ cells }) => cells[spec.name] ?? null }));
  return [...WHAT, ...settings, ...CAME_OF_IT];
}
