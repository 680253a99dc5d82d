/** `thermocline compare`: per-page systems, regions, baselines and the oracle on the same accesses. */
import { type CompareReport, planTasks, summarize } from '../../lab/compare/compare.ts';
import { runTasks } from '../../lab/compare/pool.ts';
import { postedNumbers } from '../../lab/compare/posted.ts';
import type { CompareRow } from '../../lab/compare/row.ts';
import type { CompareTask } from '../../lab/compare/run-contestant.ts';
import type { NotSimulated } from '../../lab/compare/simulated-size.ts';
import type { StoredRun } from '../../lab/sweep/run-store.ts';
import { didNotFit, tooLargeOf } from '../../lab/sweep/run-sweep.ts';
import { summarizeSweep } from '../../lab/sweep/summary.ts';
import { renderCompare, renderPosted } from '../../view/compare-table.ts';
import { type CompareCommandOptions, openComparison, show } from '../comparison.ts';
import { Progress } from '../progress.ts';
import type { Terminal } from '../terminal.ts';
import { VERSION } from '../version.ts';
import { sweepCommand } from './sweep.ts';

/** @returns the exit status */
export async function compareCommand(
  schemeFile: string | undefined,
  options: CompareCommandOptions,
  terminal: Terminal,
): Promise<number> {
  const { vary, out, shard, fresh } = options;
  const comparison = await openComparison(schemeFile, options, terminal);
  if ([vary, out, shard, fresh].some((option) => option !== undefined)) {
    return sweepCommand(comparison, options, terminal);
  }
  const { base, seeds } = comparison;
  const tasks = planTasks({ ...base, trackers: options.trackers, seeds });
  const progress = new Progress(terminal, options.quiet === true);
  const rows = new Map<CompareTask, CompareRow>();
  const errors: string[] = [];
  const not = new Map<CompareTask, NotSimulated>();
  const beyond = options.limit
    ? await tooLargeOf(tasks.map((task, i) => ({ id: String(i), task })))
    : new Map();
  for (const [id, reason] of beyond) not.set(tasks[Number(id)], reason);
  const tooLarge: CompareTask[] = [];
  await runTasks(
    tasks.filter((task) => !not.has(task)),
    {
      ...(options.jobs === undefined ? {} : { jobs: options.jobs }),
      shouldStop: terminal.isInterrupted,
      onDone: (result, done, all) => {
        const { task } = result;
        if (result.kind === 'row') rows.set(task, result.row);
        else if (result.kind === 'too large') tooLarge.push(task);
        else errors.push(...result.errors.map((error) => `${task.tracker}: ${error}`));
        progress.update('comparing', done / all, `${done} of ${all}, last: ${task.tracker}`);
      },
    },
  );
  progress.end();
  for (const task of tooLarge) not.set(task, await didNotFit(task));
  const remarks = [...new Set([...not].map(([task, { reason }]) => `${task.tracker}: ${reason}`))];
  // Threads end in any order; the table has that of the tasks.
  const report: CompareReport = {
    schema: 'thermocline.compare/1',
    version: VERSION,
    machine: comparison.machine,
    workload: comparison.workload,
    seeds,
    rows: summarize(tasks.flatMap((task) => rows.get(task) ?? [])),
    notes: [...errors, ...remarks],
    interrupted: terminal.isInterrupted(),
  };
  print(report, options, terminal);
  show(summarizeSweep(asRuns(tasks, rows, not)), options, terminal);
  if (report.interrupted) {
    terminal.stderr.write(`interrupted: ${rows.size} of ${tasks.length} runs are done\n`);
    return 130;
  }
  return errors.length > 0 ? 1 : 0;
}

/** A comparison is a sweep in which nothing is varied. */
function asRuns(
  tasks: readonly CompareTask[],
  rows: ReadonlyMap<CompareTask, CompareRow>,
  not: ReadonlyMap<CompareTask, NotSimulated>,
): StoredRun[] {
  return tasks.flatMap((task, i): StoredRun[] => {
    const [row, reason] = [rows.get(task), not.get(task)];
    const run = { id: String(i), version: VERSION, task, cells: {}, settings: {} };
    if (row !== undefined) return [{ ...run, outcome: { kind: 'row', row } }];
    return reason === undefined ? [] : [{ ...run, outcome: { kind: 'not simulated', not: reason } }];
  });
}

function print(report: CompareReport, options: CompareCommandOptions, terminal: Terminal): void {
  const { stdout, stderr, width } = terminal;
  for (const note of report.notes) stderr.write(`${note}\n`);
  if (options.json) {
    stdout.write(`${JSON.stringify(report, null, 2)}\n`);
    return;
  }
  if (report.rows.length === 0) return;
  stdout.write(renderCompare(report.rows, { ...report, seeds: report.seeds.length }, width));
  const posted = postedNumbers(report.machine, report.rows);
  if (posted.length > 0 && options.size === undefined) {
    stdout.write(`\nposted numbers of the seed thread, and ours\n\n${renderPosted(posted, width)}`);
  }
}
