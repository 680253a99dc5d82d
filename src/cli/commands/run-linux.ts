/** `thermocline run SCHEMES --machine linux`: the same scheme file on the machine that this runs on. */
import { Engine } from '../../engine/engine.ts';
import type { EngineState } from '../../engine/state.ts';
import type { PlannedAction } from '../../machines/linux/dry-mover.ts';
import { vmstat } from '../../machines/linux/node-memory.ts';
import type { Action } from '../../memory/action.ts';
import { ThermoError } from '../../memory/error.ts';
import { RandomStream } from '../../memory/random.ts';
import { formatBytes, formatSeconds } from '../../memory/units.ts';
import { createMonitor } from '../../monitor/create-monitor.ts';
import { DEFAULT_ATTRS, type Monitor, type MonitorAttrs } from '../../monitor/monitor.ts';
import { type ResolvedScheme, resolveSchemes } from '../../schemes/resolve.ts';
import { type OpenedLinux, openLinux } from '../../sources/open-linux.ts';
import type { Allowance, SourceChoice } from '../../sources/source-names.ts';
import { type LiveFacts, renderLiveSummary } from '../../view/live-summary.ts';
import { type RunMonitorOptions, resolveMonitor } from '../monitor-settings.ts';
import { Progress } from '../progress.ts';
import { readSchemes } from '../scheme-input.ts';
import type { Terminal } from '../terminal.ts';
import { VERSION } from '../version.ts';

export interface RunLinuxOptions extends RunMonitorOptions {
  readonly pid?: number;
  readonly source?: readonly SourceChoice[];
  readonly allow?: readonly Allowance[];
  readonly apply?: boolean;
  /** Time after which the run ends, us. */
  readonly for?: number;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** The `--json` document. */
export interface LiveReport extends LiveFacts {
  readonly schema: 'thermocline.live/1';
  readonly version: string;
}

/** Actions on memory that nobody uses. */
const COOLING: ReadonlySet<Action> = new Set(['migrate_cold', 'pageout', 'cold', 'lru_deprio']);
/** Works on every kernel with DAMON, sees both tiers, and changes no setting. */
const DEFAULT_SOURCES: readonly SourceChoice[] = [{ name: 'damon' }];
/** The kernel's counters of who moved and what was hinted. */
const COUNTERS =
  /^(pgmigrate_|pgpromote_|pgdemote_|numa_hint_faults$|numa_pte_updates$|numa_pages_migrated$)/;

/** @returns the exit status */
export async function runLinuxCommand(
  schemeFile: string,
  options: RunLinuxOptions,
  terminal: Terminal,
): Promise<number> {
  if (options.pid === undefined) {
    throw new ThermoError('THERMO_USAGE', 'a live run needs to know what to watch', {
      hint: 'give --pid with the number of a process',
    });
  }
  const defaults = {
    sampleUs: options.sample ?? DEFAULT_ATTRS.sampleUs,
    aggrUs: options.aggr ?? DEFAULT_ATTRS.aggrUs,
  };
  const loaded = await readSchemes(schemeFile, defaults, terminal);
  const chosen = resolveMonitor(options, loaded.monitor, loaded.monitorAt);
  const sources = options.source ?? DEFAULT_SOURCES;
  // Checks of pages of our own choice need a source that answers them.
  const answersPages = sources.some(({ name }) => name === 'page_idle');
  const attrs: MonitorAttrs = { ...chosen.attrs, ...(answersPages ? {} : { pullPerS: 0 }) };
  if (attrs.intervalsGoal !== undefined || chosen.overheadShare !== undefined) {
    throw new ThermoError(
      'THERMO_MONITOR_CONFIG',
      'intervals and rates cannot be tuned on a live machine yet',
      {
        hint: 'leave out --intervals-goal and --overhead, and choose --sample and --aggr',
      },
    );
  }
  const monitor = createMonitor(chosen.name, attrs, new RandomStream(options.seed, 'monitor'));
  if (monitor.recordAreas === undefined) {
    throw new ThermoError(
      'THERMO_MONITOR_CONFIG',
      `the monitor ${monitor.name} takes no counts of the kernel's DAMON`,
      {
        hint: 'say --monitor evidence',
      },
    );
  }
  const isDryRun = options.apply !== true;
  const opened = openLinux({
    pid: options.pid,
    sources,
    allow: options.allow ?? [],
    apply: !isDryRun,
    tell: (planned) => {
      if (!options.json) terminal.stdout.write(`${describePlan(planned)}\n`);
    },
    sampleUs: attrs.sampleUs,
    aggrUs: attrs.aggrUs,
    minNrRegions: attrs.minNrRegions,
    maxNrRegions: attrs.maxNrRegions,
  });
  const takeBack = (): void => opened.close();
  terminal.onExit(takeBack);
  try {
    for (const line of opened.recovered) terminal.stderr.write(`thermocline: ${line}\n`);
    const schemes = resolveSchemes(loaded.schemes, opened.machine);
    checkSources(sources, schemes);
    const meter = new CostMeter(opened);
    const progress = new Progress(terminal, options.quiet === true);
    const untilUs = options.for ?? Number.POSITIVE_INFINITY;
    const engine = new Engine({
      machine: opened.machine,
      monitor,
      schemes,
      onPublished: ({ state }) =>
        progress.update(
          'watching',
          Number.NaN,
          `${formatSeconds(state.timeUs / 1e6)}, ${state.nrRegions} regions`,
        ),
      shouldStop: () => terminal.isInterrupted() || opened.machine.nowUs() >= untilUs,
    });
    const state = await engine.run();
    progress.end();
    const report = buildReport(opened, monitor, state, meter, isDryRun, terminal.isInterrupted());
    terminal.stdout.write(
      options.json ? `${JSON.stringify(report, null, 2)}\n` : renderLiveSummary(report, terminal.width),
    );
    return report.interrupted ? 130 : 0;
  } finally {
    takeBack();
  }
}

/** @throws ThermoError THERMO_MACHINE_CONFIG for schemes that would take memory in use for cold */
function checkSources(sources: readonly SourceChoice[], schemes: readonly ResolvedScheme[]): void {
  const cools = schemes.find(({ scheme }) => COOLING.has(scheme.action));
  if (cools === undefined || sources.some(({ name }) => name !== 'faults')) return;
  throw new ThermoError(
    'THERMO_MACHINE_CONFIG',
    `${cools.scheme.name}: hint faults alone do not see the fast tier, and memory in use would look cold`,
    { where: cools.scheme.where.action, hint: 'add a source that does: --source damon,faults' },
  );
}

function describePlan({ action, start, end, fromNid, targetNid }: PlannedAction): string {
  const where = `${start.toString(16)}-${end.toString(16)}`;
  const way = targetNid >= 0 ? ` node${fromNid} -> node${targetNid}` : '';
  return `would ${action} ${formatBytes(end - start)} at ${where}${way}`;
}

/** CPU time and kernel counters since the run began. */
class CostMeter {
  readonly #opened: OpenedLinux;
  readonly #startMs = performance.now();
  readonly #cpu = process.cpuUsage();
  readonly #counters: ReadonlyMap<string, number>;

  constructor(opened: OpenedLinux) {
    this.#opened = opened;
    this.#counters = vmstat(opened.tree);
  }

  shares(): { readonly ownCpuShare: number; readonly kernelCpuShare: number } {
    const us = (performance.now() - this.#startMs) * 1000;
    const { user, system } = process.cpuUsage(this.#cpu);
    const kernelNs = this.#opened.sources.reduce((sum, source) => sum + (source.externalCpuNs?.() ?? 0), 0);
    return { ownCpuShare: (user + system) / us, kernelCpuShare: kernelNs / 1000 / us };
  }

  kernel(): Record<string, number> {
    const increases: Record<string, number> = {};
    for (const [name, value] of vmstat(this.#opened.tree)) {
      const increase = value - (this.#counters.get(name) ?? 0);
      if (COUNTERS.test(name) && increase !== 0) increases[name] = increase;
    }
    return increases;
  }
}

function buildReport(
  { machine, mover, sources, recovered }: OpenedLinux,
  monitor: Monitor,
  state: EngineState,
  meter: CostMeter,
  isDryRun: boolean,
  interrupted: boolean,
): LiveReport {
  const { moves } = machine;
  return {
    schema: 'thermocline.live/1',
    version: VERSION,
    machine: machine.name,
    workload: machine.workload,
    tracker: monitor.name,
    isDryRun,
    seconds: machine.nowUs() / 1e6,
    promotedBytes: moves.promotedBytes,
    demotedBytes: moves.demotedBytes,
    failedBytes: moves.failedBytes,
    pingPongBytes: moves.pingPongBytes,
    pages: Object.fromEntries(mover?.byStatus ?? []),
    retriedPages: mover?.retried ?? 0,
    moveSeconds: (mover?.moveNs ?? 0) / 1e9,
    regions: { peak: monitor.peakRegions, limit: monitor.attrs.maxNrRegions },
    pullChecks: state.pullChecks,
    pushSamples: state.pushSamples,
    droppedSamples: state.droppedSamples,
    monitoring: { ...meter.shares(), sampleUs: monitor.attrs.sampleUs, aggrUs: monitor.attrs.aggrUs },
    sources: sources.map((source) => ({
      name: source.name,
      cost: source.cost,
      blindSpots: source.blindSpots,
      facts: source.facts(),
    })),
    schemes: state.schemes.map((scheme) => ({
      name: scheme.name,
      action: scheme.action,
      triedBytes: scheme.szTried,
      appliedBytes: scheme.szApplied,
      failedBytes: scheme.szFailed,
      failedBy: scheme.szFailedBy,
      quotaExceeded: scheme.nrQuotaExceeded,
    })),
    kernel: meter.kernel(),
    recovered,
    interrupted,
    isComplete: machine.isDone(),
    warnings: machine.warnings(),
  };
}
