/** `thermocline compare`: per-page systems, regions, baselines and the oracle on the same accesses. */
import { type CompareReport, planTasks, summarize } from '../../lab/compare/compare.ts';
import { runTasks } from '../../lab/compare/pool.ts';
import { postedNumbers } from '../../lab/compare/posted.ts';
import type { CompareRow } from '../../lab/compare/row.ts';
import { openMachine, type TraceSource } from '../../lab/compare/run-contestant.ts';
import type { FastSize } from '../../machines/replayed/replayed-machine.ts';
import { ThermoError } from '../../memory/error.ts';
import { DEFAULT_ATTRS } from '../../monitor/monitor.ts';
import { rateOfShare } from '../../monitor/rate.ts';
import type { TraceFormat } from '../../records/access-parser.ts';
import { loadSchemes } from '../../schemes/load.ts';
import { resolveSchemes } from '../../schemes/resolve.ts';
import { renderCompare, renderPosted } from '../../view/compare-table.ts';
import { readMachineSpec } from '../machine-input.ts';
import { Progress } from '../progress.ts';
import type { Terminal } from '../terminal.ts';
import { readInput } from '../text-input.ts';
import { VERSION } from '../version.ts';

export interface CompareCommandOptions {
  readonly machine: string;
  readonly workload?: string;
  readonly size?: number;
  readonly trace?: string;
  readonly format?: TraceFormat;
  readonly fast: FastSize;
  readonly ips?: number;
  readonly fetches?: boolean;
  readonly trackers?: readonly string[];
  readonly seed: number;
  readonly seeds: number;
  readonly hot?: number;
  readonly jobs?: number;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** Hot is DAMON's "more than 5 of 20 samples", unless said otherwise. */
const HOT_SHARE = 0.25;

/** @returns the exit status */
export async function compareCommand(
  schemeFile: string | undefined,
  options: CompareCommandOptions,
  terminal: Terminal,
): Promise<number> {
  const { size, seed, seeds } = options;
  const machine = await readMachineSpec(options, terminal);
  const trace = traceOf(options);
  const opened = await openMachine({
    machine,
    seed,
    ...(size === undefined ? {} : { sizeBytes: size }),
    ...(trace === undefined ? {} : { trace }),
  });
  opened.close();
  const schemes = schemeFile === undefined ? undefined : await readSchemeText(schemeFile, terminal);
  // A mistake in the file is told before anything runs.
  if (schemes !== undefined) {
    resolveSchemes(loadSchemes(schemes.text, schemes.file, DEFAULT_ATTRS).schemes, opened);
  }
  const tasks = planTasks({
    machine,
    trackers: options.trackers,
    seeds: Array.from({ length: seeds }, (_, i) => seed + i),
    minRatePerS: options.hot ?? rateOfShare(HOT_SHARE, DEFAULT_ATTRS.sampleUs / 1e6),
    ...(size === undefined ? {} : { sizeBytes: size }),
    ...(trace === undefined ? {} : { trace }),
    ...(schemes === undefined ? {} : { schemes }),
  });
  const progress = new Progress(terminal, options.quiet === true);
  const rows = new Map<string, CompareRow>();
  const notes: string[] = [];
  await runTasks(tasks, {
    ...(options.jobs === undefined ? {} : { jobs: options.jobs }),
    shouldStop: terminal.isInterrupted,
    onDone: (result, done, all) => {
      const { task } = result;
      if ('row' in result) rows.set(`${task.tracker} ${task.seed}`, result.row);
      else notes.push(...result.errors.map((error) => `${task.tracker}: ${error}`));
      progress.update('comparing', done / all, `${done} of ${all}, last: ${task.tracker}`);
    },
  });
  progress.end();
  // Threads end in any order; the table has that of the tasks.
  const inOrder = tasks.flatMap(({ tracker, seed: each }) => rows.get(`${tracker} ${each}`) ?? []);
  const report: CompareReport = {
    schema: 'thermocline.compare/1',
    version: VERSION,
    machine: opened.name,
    workload: opened.workload,
    seeds: Array.from({ length: seeds }, (_, i) => seed + i),
    rows: summarize(inOrder),
    notes,
    interrupted: terminal.isInterrupted(),
  };
  print(report, options, terminal);
  if (report.interrupted) {
    terminal.stderr.write(`interrupted: ${rows.size} of ${tasks.length} runs are done\n`);
    return 130;
  }
  return notes.length > 0 ? 1 : 0;
}

/** @throws ThermoError THERMO_USAGE for standard input, which can be read only once */
function traceOf(options: CompareCommandOptions): TraceSource | undefined {
  const { trace: path, format, fast, ips, fetches } = options;
  if (path === undefined) return undefined;
  if (path === '-') {
    throw new ThermoError(
      'THERMO_USAGE',
      'standard input can be read once, and everybody replays the trace',
      {
        hint: 'expected --trace FILE',
      },
    );
  }
  return {
    path,
    fast,
    includeFetches: fetches === true,
    ...(format === undefined ? {} : { format }),
    ...(ips === undefined ? {} : { instructionsPerS: ips }),
  };
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
  if (posted.length > 0 && options.size === undefined && options.workload === undefined) {
    stdout.write(`\nposted numbers of the seed thread, and ours\n\n${renderPosted(posted, width)}`);
  }
}

async function readSchemeText(path: string, terminal: Terminal): Promise<{ text: string; file: string }> {
  return readInput(path, 'expected a scheme file such as schemes/promote-hot.yaml', terminal);
}
