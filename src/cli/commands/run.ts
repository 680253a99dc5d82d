/** `thermocline run`: a scheme file on a simulated machine or a replayed trace. */
import { isDeepStrictEqual } from 'node:util';
import { type RunReport, type RunResult, runSchemes } from '../../lab/run.ts';
import type { ModelledMachine } from '../../machines/machine.ts';
import { openRecording } from '../../machines/replayed/open-recording.ts';
import { createMachine } from '../../machines/simulated/machine-spec.ts';
import { ThermoError } from '../../memory/error.ts';
import { SEED_PUSH } from '../../memory/push-setting.ts';
import { RandomStream } from '../../memory/random.ts';
import { totalBytes } from '../../memory/range.ts';
import { formatSeconds } from '../../memory/units.ts';
import { maxRangesFor } from '../../monitor/attrs.ts';
import { createMonitor } from '../../monitor/create-monitor.ts';
import { DEFAULT_ATTRS, type Monitor } from '../../monitor/monitor.ts';
import { resolveSchemes } from '../../schemes/resolve.ts';
import { type HeatMapData, renderHeatMap } from '../../view/heatmap.ts';
import { renderRunSummary } from '../../view/run-summary.ts';
import { readMachineSpec, type TargetOptions } from '../machine-input.ts';
import { type RunMonitor, type RunMonitorOptions, resolveMonitor } from '../monitor-settings.ts';
import { OutputDirectory } from '../output-directory.ts';
import { Progress } from '../progress.ts';
import { writeRunPage } from '../run-html.ts';
import { RunRecorder } from '../run-recorder.ts';
import { readSchemes } from '../scheme-input.ts';
import { SchemeWatch } from '../scheme-watch.ts';
import type { Terminal } from '../terminal.ts';
import { Turns } from '../turns.ts';
import { VERSION } from '../version.ts';

export interface RunCommandOptions extends RunMonitorOptions, TargetOptions {
  /** Modelled time after which the run ends, us. */
  readonly for?: number;
  /** Follow changes of the scheme file. */
  readonly reload?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
  /** Directory, or false for none. */
  readonly out?: string | false;
  /** File of the report as a page. */
  readonly html?: string;
  /** Directory of a record of regions. */
  readonly record?: string;
  readonly recordSamples?: boolean;
  /** Time between two snapshots of the record, us. */
  readonly recordEvery?: number;
}

const DEFAULT_OUT = 'thermocline-out';
const HEAT_LINES = 20;

/** @returns the exit status */
export async function runCommand(
  schemeFile: string,
  options: RunCommandOptions,
  terminal: Terminal,
): Promise<number> {
  const startMs = performance.now();
  const defaults = {
    sampleUs: options.sample ?? DEFAULT_ATTRS.sampleUs,
    aggrUs: options.aggr ?? DEFAULT_ATTRS.aggrUs,
  };
  const loaded = await readSchemes(schemeFile, defaults, terminal);
  const chosen = resolveMonitor(options, loaded.monitor, loaded.monitorAt);
  const monitor = createMonitor(chosen.name, chosen.attrs, new RandomStream(options.seed, 'monitor'));
  const progress = new Progress(terminal, options.quiet === true);
  const outPath = options.out ?? (options.json ? false : DEFAULT_OUT);
  let out: OutputDirectory | undefined;
  let machine: ModelledMachine | undefined;
  let recorder: RunRecorder | undefined;
  try {
    machine = await openMachine(options, chosen, terminal, progress);
    const schemes = resolveSchemes(loaded.schemes, machine);
    const watch = options.reload ? openWatch(schemeFile, chosen, machine, options, terminal) : undefined;
    recorder = openRecorder(options, monitor, machine, terminal);
    out = outPath === false ? undefined : new OutputDirectory(outPath);
    const result = await runOn(machine, {
      monitor,
      chosen,
      schemes,
      options,
      terminal,
      progress,
      out,
      watch,
      recorder,
    });
    progress.end();
    result.report.wallSeconds = (performance.now() - startMs) / 1000;
    print(result, machine, options, terminal);
    if (result.report.interrupted) {
      out?.discard();
      terminal.stderr.write(
        options.record === undefined
          ? 'interrupted: nothing was left on disk\n'
          : `interrupted: the record in ${options.record} goes up to here\n`,
      );
      return 130;
    }
    if (options.html !== undefined && result.history !== undefined) {
      writeRunPage(options.html, result, result.history, machine, terminal.commandLine);
    }
    if (out !== undefined) {
      writeResult(out, result, machine);
      if (!options.json)
        terminal.stdout.write(`\nfiles: ${out.path}/ (run.json, heatmap.txt, journal.ndjson)\n`);
    }
    return 0;
  } catch (error) {
    progress.end();
    out?.discard();
    if (terminal.isInterrupted()) return 130;
    throw error;
  } finally {
    recorder?.finish();
    machine?.close();
  }
}

async function openMachine(
  options: RunCommandOptions,
  { attrs, push }: RunMonitor,
  terminal: Terminal,
  progress: Progress,
): Promise<ModelledMachine> {
  if (options.trace === undefined) {
    return createMachine(await readMachineSpec(options, terminal), {
      seed: options.seed,
      ...(push ? { push } : {}),
      ...(options.size === undefined ? {} : { sizeBytes: options.size }),
    });
  }
  return openRecording({
    path: options.trace,
    format: options.format,
    stdin: terminal.stdin,
    includeFetches: options.fetches === true,
    address: options.address,
    pid: options.pid,
    fields: options.fields,
    fast: options.fast,
    instructionsPerS: options.ips,
    truthWindowUs: attrs.aggrUs,
    push: push ?? SEED_PUSH,
    maxRanges: maxRangesFor(attrs.maxNrRegions),
    seed: options.seed,
    onProgress: (share) => progress.update('reading', share, ''),
    shouldStop: terminal.isInterrupted,
  });
}

interface Context {
  readonly monitor: Monitor;
  readonly chosen: RunMonitor;
  readonly schemes: ReturnType<typeof resolveSchemes>;
  readonly options: RunCommandOptions;
  readonly terminal: Terminal;
  readonly progress: Progress;
  readonly out: OutputDirectory | undefined;
  readonly watch: SchemeWatch | undefined;
  readonly recorder: RunRecorder | undefined;
}

function openRecorder(
  { record, recordSamples = false, recordEvery = 0, seed }: RunCommandOptions,
  monitor: Monitor,
  machine: ModelledMachine,
  terminal: Terminal,
): RunRecorder | undefined {
  if (record === undefined) {
    if (!recordSamples) return undefined;
    throw new ThermoError('THERMO_USAGE', '--record-samples needs a record', { hint: 'add --record DIR' });
  }
  const facts = {
    'thermocline.version': VERSION,
    'thermocline.command': terminal.commandLine,
    'thermocline.machine': machine.name,
    'thermocline.workload': machine.workload,
    'thermocline.monitor': monitor.name,
    'thermocline.seed': String(seed),
    'thermocline.nodes': JSON.stringify(machine.nodes),
    ...(machine.push.kind === 'period' ? { 'thermocline.period': String(machine.push.accesses) } : {}),
  };
  const options = { path: record, withSamples: recordSamples, everyUs: recordEvery, facts };
  return new RunRecorder(options, monitor, machine.workload);
}

/** @throws ThermoError THERMO_USAGE for what cannot be read twice */
function openWatch(
  path: string,
  chosen: RunMonitor,
  machine: ModelledMachine,
  options: RunCommandOptions,
  terminal: Terminal,
): SchemeWatch {
  if (path === '-') {
    throw new ThermoError('THERMO_USAGE', 'standard input cannot be read again', {
      hint: 'give --reload a file',
    });
  }
  let { attrs } = chosen;
  return new SchemeWatch({
    path,
    takeUndo: terminal.listenForUndo(),
    say: (text) => terminal.stderr.write(text),
    read: async () => {
      const loaded = await readSchemes(path, chosen.attrs, terminal);
      const next = resolveMonitor(options, loaded.monitor, loaded.monitorAt);
      if (next.name !== chosen.name) {
        throw new ThermoError(
          'THERMO_MONITOR_CONFIG',
          `the monitor cannot become ${next.name} while ${chosen.name} runs`,
          {
            hint: 'stop the run and start it anew',
          },
        );
      }
      // Attributes that say the same stay the same: what tuning has made of them is kept.
      if (!isDeepStrictEqual(next.attrs, attrs)) attrs = next.attrs;
      return { schemes: resolveSchemes(loaded.schemes, machine), attrs };
    },
  });
}

async function runOn(machine: ModelledMachine, context: Context): Promise<RunResult> {
  const { monitor, chosen, schemes, options, terminal, progress, out, watch, recorder } = context;
  const turns = new Turns();
  let sequence = 0;
  return runSchemes({
    machine,
    monitor,
    schemes,
    seed: options.seed,
    version: VERSION,
    ...(chosen.overheadShare === undefined ? {} : { overheadShare: chosen.overheadShare }),
    withHistory: options.html !== undefined,
    shouldStop: terminal.isInterrupted,
    ...(options.for === undefined ? {} : { untilUs: options.for }),
    onPublished: ({ state, patches }) => {
      out?.append(
        'journal.ndjson',
        `${JSON.stringify({ seq: sequence++, timeUs: state.timeUs, patches })}\n`,
      );
      progress.update('running', machine.progress(), `${formatSeconds(state.timeUs / 1e6)} modelled`);
    },
    ...(recorder === undefined ? {} : { onAggregated: (timeUs) => recorder.aggregated(timeUs) }),
    ...(recorder?.withSamples === true
      ? { onSamples: (timeUs, batch) => recorder.sampled(timeUs, batch) }
      : {}),
    pause: (engine) => watch?.look(engine) ?? turns.pause(),
  });
}

function print(
  result: RunResult,
  machine: ModelledMachine,
  options: RunCommandOptions,
  terminal: Terminal,
): void {
  if (options.json) {
    terminal.stdout.write(`${JSON.stringify(result.report, null, 2)}\n`);
    return;
  }
  const { width, colorDepth } = terminal;
  terminal.stdout.write(
    `${renderHeatMap(heatData(result, machine), { width, height: HEAT_LINES, depth: colorDepth })}\n`,
  );
  terminal.stdout.write(renderRunSummary(result.report, width));
}

function heatData(result: RunResult, machine: ModelledMachine): HeatMapData {
  const ranges = machine.ranges();
  return {
    columns: result.heat.columns(),
    rows: result.heat.rows,
    totalBytes: totalBytes(ranges),
    firstAddress: ranges[0]?.start ?? 0,
  };
}

function writeResult(out: OutputDirectory, result: RunResult, machine: ModelledMachine): void {
  const report: RunReport = result.report;
  out.write('run.json', `${JSON.stringify(report, null, 2)}\n`);
  out.write(
    'heatmap.txt',
    renderHeatMap(heatData(result, machine), { width: 120, height: 40, depth: 'none' }),
  );
  out.commit();
}
