/** `thermocline compare --vary`: a sweep that can be interrupted, gone on with, and divided among machines. */
import { join } from 'node:path';
import type { CompareTask } from '../../lab/compare/run-contestant.ts';
import type { ColumnSpec } from '../../lab/sweep/columns.ts';
import { KNOBS } from '../../lab/sweep/knobs.ts';
import { frontsOf } from '../../lab/sweep/pictures.ts';
import { planSweep, shardOf } from '../../lab/sweep/plan.ts';
import { RunStore } from '../../lab/sweep/run-store.ts';
import {
  runSweep,
  SWEEP_SCHEMA,
  type SweepResult,
  sweepTable,
  tooLargeOf,
} from '../../lab/sweep/run-sweep.ts';
import { type SweepRow, summarizeSweep } from '../../lab/sweep/summary.ts';
import { parseVary, type Variation } from '../../lab/sweep/vary.ts';
import { ThermoError } from '../../memory/error.ts';
import type { FrontLine } from '../../view/front-table.ts';
import { renderSweep } from '../../view/sweep-table.ts';
import { type CompareCommandOptions, type Comparison, digestOf, show } from '../comparison.ts';
import type { Shard } from '../options.ts';
import { Progress } from '../progress.ts';
import type { Terminal } from '../terminal.ts';
import { VERSION } from '../version.ts';

/** The `--json` document; keys only ever get added. */
export interface SweepReport {
  readonly schema: typeof SWEEP_SCHEMA;
  readonly version: string;
  readonly seeds: readonly number[];
  /** Values by key. */
  readonly varied: Readonly<Record<string, readonly string[]>>;
  readonly shard: Shard | null;
  /** The file with all columns. */
  readonly table: string;
  readonly runs: { readonly planned: number; readonly found: number; readonly finished: number };
  readonly rows: readonly SweepRow[];
  readonly front: readonly FrontLine[];
  readonly errors: readonly string[];
  readonly interrupted: boolean;
}

const DEFAULT_OUT = 'thermocline-sweep';

/** @returns the exit status */
export async function sweepCommand(
  { base, seeds }: Comparison,
  options: CompareCommandOptions,
  terminal: Terminal,
): Promise<number> {
  const { vary = [], shard, out = DEFAULT_OUT } = options;
  const variations = vary.map(parseVary);
  refuseOnTrace(base, variations);
  const whole = planSweep({
    base,
    seeds,
    variations,
    trackers: options.trackers,
    version: VERSION,
    ...(base.trace === undefined ? {} : { traceDigest: await digestOf(base.trace.path) }),
  });
  const plan = shard === undefined ? whole : shardOf(whole, shard.index, shard.count);
  // Machines that cannot be built are told before anything is written.
  const tooLarge = await tooLargeOf(plan);
  const store = new RunStore(out);
  if (options.fresh === true) for (const { id } of plan) store.remove(id);
  const progress = new Progress(terminal, options.quiet === true);
  let found = 0;
  const result = await runSweep(plan, store, {
    ...(options.jobs === undefined ? {} : { jobs: options.jobs }),
    shouldStop: terminal.isInterrupted,
    version: VERSION,
    beyond: options.limit ? tooLarge : new Map(),
    onFound: (there, left, all) => {
      found = all - left;
      if (there === 0 || options.quiet === true) return;
      terminal.stderr.write(
        `${there} of ${all} runs are finished in ${out}${left > 0 ? ', going on with the rest' : ''}; --fresh runs them again\n`,
      );
    },
    onDone: (task, done, all) => {
      const [at, of] = [found + done, found + all];
      progress.update('sweeping', at / of, `${at} of ${of}, last: ${task.tracker}`);
    },
  });
  progress.end();
  const name = shard === undefined ? 'results.parquet' : `results-${shard.index}-of-${shard.count}.parquet`;
  const table = sweepTable(result.runs, columnsOf(variations), {
    version: VERSION,
    command: terminal.commandLine,
  });
  store.write(name, table);
  warnOfTwins(store, name, terminal);
  print(result, { table: join(out, name), planned: plan.length, seeds, variations }, options, terminal);
  if (terminal.isInterrupted()) {
    terminal.stderr.write(
      `interrupted: ${result.runs.length} of ${plan.length} runs are in ${join(out, name)}; the same command goes on from there\n`,
    );
    return 130;
  }
  return result.errors.length > 0 ? 1 : 0;
}

/** All knobs have their columns, turned or not, so that tables of different sweeps fit together. */
function columnsOf(variations: readonly Variation[]): readonly ColumnSpec[] {
  const columns = [...KNOBS, ...variations.map(({ knob }) => knob)].flatMap((knob) => knob.columns);
  return [...new Map(columns.map((column) => [column.name, column])).values()];
}

const OF_SIMULATED: readonly string[] = ['machine', 'workload', 'size'];

function refuseOnTrace({ trace }: Pick<CompareTask, 'trace'>, variations: readonly Variation[]): void {
  const key = variations.map(({ knob }) => knob.key).find((each) => OF_SIMULATED.includes(each));
  if (trace === undefined || key === undefined) return;
  throw new ThermoError(
    'THERMO_USAGE',
    `a trace has a machine of its own, so that its ${key} cannot be varied`,
    {
      hint: `leave out --trace or --vary ${key}`,
    },
  );
}

/** The whole and its shards, or shards of two divisions: a query over all of them would count twice. */
function warnOfTwins(store: RunStore, name: string, terminal: Terminal): void {
  const kind = (each: string): string => /-of-(\d+)\.parquet$/.exec(each)?.[1] ?? 'whole';
  const twins = store.tables().filter((each) => kind(each) !== kind(name));
  if (twins.length === 0) return;
  terminal.stderr.write(
    `${store.path} also holds ${twins.join(', ')}: a query over all tables in it counts runs twice\n`,
  );
}

interface Facts {
  readonly table: string;
  readonly planned: number;
  readonly seeds: readonly number[];
  readonly variations: readonly Variation[];
}

function print(
  { runs, found, errors }: SweepResult,
  { table, planned, seeds, variations }: Facts,
  options: CompareCommandOptions,
  terminal: Terminal,
): void {
  const { stdout, stderr, width } = terminal;
  for (const error of errors) stderr.write(`${error}\n`);
  const rows = summarizeSweep(runs);
  const keys = variations.map(({ knob }) => knob.key);
  if (options.json === true) {
    const report: SweepReport = {
      schema: SWEEP_SCHEMA,
      version: VERSION,
      seeds,
      varied: Object.fromEntries(
        variations.map(({ knob, choices }) => [knob.key, choices.map(({ text }) => text)]),
      ),
      shard: options.shard ?? null,
      table,
      runs: { planned, found, finished: runs.length },
      rows,
      front: frontsOf(rows),
      errors,
      interrupted: terminal.isInterrupted(),
    };
    stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  } else if (rows.length > 0) {
    stdout.write(renderSweep(rows, keys, width));
  }
  show(rows, options, terminal);
  if (options.quiet !== true) stderr.write(`all runs with all columns: ${table}\n`);
}
