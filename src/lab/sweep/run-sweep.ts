/** Runs what is not yet there of a sweep, and puts all of it into one table. */
import type { LabMachine } from '../../machines/lab-machine.ts';
import { encodeParquet } from '../../records/parquet.ts';
import { type PoolOptions, runTasks } from '../compare/pool.ts';
import { type CompareTask, openMachine } from '../compare/run-contestant.ts';
import { beyondSimulation, type NotSimulated, notSimulated } from '../compare/simulated-size.ts';
import { type ColumnSpec, resultColumns } from './columns.ts';
import type { SweepRun } from './plan.ts';
import type { RunStore, StoredRun } from './run-store.ts';

export const SWEEP_SCHEMA = 'thermocline.sweep/1';

export interface SweepResult {
  /** In the order of the plan, as far as they are done. */
  readonly runs: readonly StoredRun[];
  /** How many were there already. */
  readonly found: number;
  /** What could not be run, in words. */
  readonly errors: readonly string[];
}

export interface RunSweepOptions extends Pick<PoolOptions, 'jobs' | 'shouldStop'> {
  readonly version: string;
  /** By id, what is not to be simulated, as {@link tooLargeOf} tells. */
  readonly beyond: ReadonlyMap<string, NotSimulated>;
  /** Once, before anything runs: how many are there, how many are left, how many there are in all. */
  readonly onFound: (found: number, left: number, all: number) => void;
  readonly onDone: (task: CompareTask, done: number, all: number) => void;
}

export async function runSweep(
  plan: readonly SweepRun[],
  store: RunStore,
  options: RunSweepOptions,
): Promise<SweepResult> {
  const { version } = options;
  const outcomes = new Map<string, StoredRun['outcome']>();
  for (const { id } of plan) {
    const row = store.find(id);
    if (row !== undefined) outcomes.set(id, { kind: 'row', row });
  }
  const found = outcomes.size;
  for (const [id, not] of options.beyond) {
    if (!outcomes.has(id)) outcomes.set(id, { kind: 'not simulated', not });
  }
  const left = plan.filter(({ id }) => !outcomes.has(id));
  options.onFound(found, left.length, plan.length);
  const byTask = new Map(left.map((run) => [run.task, run]));
  const errors: string[] = [];
  const tooLarge: SweepRun[] = [];
  await runTasks([...byTask.keys()], {
    ...(options.jobs === undefined ? {} : { jobs: options.jobs }),
    shouldStop: options.shouldStop,
    onDone: (result, done, all) => {
      const run = byTask.get(result.task);
      if (run === undefined) return;
      if (result.kind === 'row') {
        outcomes.set(run.id, { kind: 'row', row: store.add(run.id, version, run.task, result.row) });
      } else if (result.kind === 'too large') tooLarge.push(run);
      else errors.push(...result.errors.map((error) => `${run.task.tracker}: ${error}`));
      options.onDone(run.task, done, all);
    },
  });
  for (const { id, task } of tooLarge) {
    outcomes.set(id, { kind: 'not simulated', not: await didNotFit(task) });
  }
  const runs = plan.flatMap((run): StoredRun[] => {
    const outcome = outcomes.get(run.id);
    return outcome === undefined ? [] : [{ ...run, version, outcome }];
  });
  return { runs, found, errors };
}

/** @param command the command line, for whoever finds the file */
export function sweepTable(
  runs: readonly StoredRun[],
  varied: readonly ColumnSpec[],
  facts: { readonly version: string; readonly command: string },
): Uint8Array {
  const columns = resultColumns(varied).map(({ name, type, of }) => ({ name, type, values: runs.map(of) }));
  return encodeParquet(columns, {
    'thermocline.schema': SWEEP_SCHEMA,
    'thermocline.version': facts.version,
    'thermocline.command': facts.command,
  });
}

/**
 * What would take hours, by id. Machines are only opened to see how large they are, each once.
 * @throws ThermoError for a machine that cannot be built
 */
export async function tooLargeOf(
  plan: readonly Pick<SweepRun, 'id' | 'task'>[],
): Promise<ReadonlyMap<string, NotSimulated>> {
  const machines = new Map<string, LabMachine>();
  const found = new Map<string, NotSimulated>();
  for (const { id, task } of plan) {
    // A trace is as large as what the traced program used.
    if (task.trace !== undefined) continue;
    const key = JSON.stringify([task.machine, task.sizeBytes ?? null]);
    const machine = machines.get(key) ?? (await openMachine(task));
    machines.set(key, machine);
    const not = beyondSimulation(task.tracker, machine);
    if (not !== undefined) found.set(id, not);
  }
  for (const machine of machines.values()) machine.close();
  return found;
}

/** For tasks that a worker had no memory for. */
export async function didNotFit(task: CompareTask): Promise<NotSimulated> {
  const machine = await openMachine(task);
  const not = notSimulated(task.tracker, machine, 'not simulated: its records do not fit into memory');
  machine.close();
  return not;
}
