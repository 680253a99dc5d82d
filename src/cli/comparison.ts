/** What `compare` and its sweeps share: the trackers' machine and schemes, and the pictures of the result. */
import { createHash } from 'node:crypto';
import { createReadStream, writeFileSync } from 'node:fs';
import { type CompareTask, openMachine, type TraceSource } from '../lab/compare/run-contestant.ts';
import { defaultHotPerS } from '../lab/hot-set-score.ts';
import { costPlotOf, frontsOf, pageRowsOf } from '../lab/sweep/pictures.ts';
import type { SweepRow } from '../lab/sweep/summary.ts';
import { ThermoError } from '../memory/error.ts';
import { DEFAULT_ATTRS } from '../monitor/monitor.ts';
import { readError } from '../records/read-error.ts';
import { writeError } from '../records/write-error.ts';
import { loadSchemes } from '../schemes/load.ts';
import { resolveSchemes } from '../schemes/resolve.ts';
import { renderComparePage } from '../view/compare-page.ts';
import { renderFronts } from '../view/front-table.ts';
import { renderCostPlot } from '../view/plot/cost-plot.ts';
import { readMachineSpec, type TargetOptions } from './machine-input.ts';
import type { Shard } from './options.ts';
import type { Terminal } from './terminal.ts';
import { readInput } from './text-input.ts';
import { VERSION } from './version.ts';

export interface CompareCommandOptions extends TargetOptions {
  readonly trackers?: readonly string[];
  readonly seed: number;
  readonly seeds: number;
  readonly hot?: number;
  readonly jobs?: number;
  readonly json?: boolean;
  readonly quiet?: boolean;
  /** As {@link parseVary} reads them: not among the options, since it knows all trackers. */
  readonly vary?: readonly string[];
  readonly out?: string;
  readonly shard?: Shard;
  readonly fresh?: boolean;
  /** False: nothing is too large to be simulated. */
  readonly limit: boolean;
  readonly plot?: string;
  readonly html?: string;
  readonly pareto?: boolean;
}

export interface Comparison {
  readonly base: Omit<CompareTask, 'tracker' | 'seed' | 'settings'>;
  readonly seeds: readonly number[];
  /** Names of what is run when nothing is varied. */
  readonly machine: string;
  readonly workload: string;
}

/** Everything that is wrong with machine, trace and scheme file is told before anything runs. */
export async function openComparison(
  schemeFile: string | undefined,
  options: CompareCommandOptions,
  terminal: Terminal,
): Promise<Comparison> {
  const { size, seed, seeds } = options;
  const machine = await readMachineSpec(options, terminal);
  const trace = traceOf(options);
  const on = {
    machine,
    ...(size === undefined ? {} : { sizeBytes: size }),
    ...(trace === undefined ? {} : { trace }),
  };
  const opened = await openMachine({ ...on, seed });
  opened.close();
  const schemes = schemeFile === undefined ? undefined : await readSchemeText(schemeFile, terminal);
  if (schemes !== undefined) {
    resolveSchemes(loadSchemes(schemes.text, schemes.file, DEFAULT_ATTRS).schemes, opened);
  }
  return {
    base: {
      ...on,
      minRatePerS: options.hot ?? defaultHotPerS(DEFAULT_ATTRS.sampleUs),
      ...(schemes === undefined ? {} : { schemes }),
    },
    seeds: Array.from({ length: seeds }, (_, i) => seed + i),
    machine: opened.name,
    workload: opened.workload,
  };
}

/** @throws ThermoError THERMO_USAGE for standard input, which can be read only once */
function traceOf(options: CompareCommandOptions): TraceSource | undefined {
  const { trace: path, format, fast, ips, fetches, address, pid, fields } = options;
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
    ...(address === undefined ? {} : { address }),
    ...(pid === undefined ? {} : { pid }),
    ...(fields === undefined ? {} : { fields }),
  };
}

async function readSchemeText(path: string, terminal: Terminal): Promise<{ text: string; file: string }> {
  return readInput(path, 'expected a scheme file such as schemes/promote-hot.yaml', terminal);
}

/** Tells a trace from another of the same name. */
export async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  } catch (error) {
    throw readError(error, path, 'expected a trace');
  }
  return hash.digest('hex');
}

/** Writes the picture that was asked for, and prints the front beside it. */
export function show(rows: readonly SweepRow[], options: CompareCommandOptions, terminal: Terminal): void {
  const { plot, html, pareto, json } = options;
  if (rows.length === 0) return;
  const page = (): string =>
    renderComparePage(costPlotOf(rows, VERSION), pageRowsOf(rows), terminal.commandLine);
  if (html !== undefined) writePicture(html, page(), '--html');
  if (plot !== undefined) {
    const isPage = /\.html$/i.test(plot);
    writePicture(plot, isPage ? page() : renderCostPlot(costPlotOf(rows, VERSION)), '--plot');
  }
  if (json === true || (plot === undefined && html === undefined && pareto !== true)) return;
  terminal.stdout.write(`\n${renderFronts(frontsOf(rows), terminal.width)}`);
}

function writePicture(path: string, text: string, option: string): void {
  try {
    writeFileSync(path, text);
  } catch (error) {
    throw writeError(error, path, `name another file with ${option}`);
  }
}
