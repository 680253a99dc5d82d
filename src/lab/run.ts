/**
 * One run: a scheme file on a modelled machine, measured against the truth and against doing nothing.
 */
import { Engine } from '../engine/engine.ts';
import type { EngineState, StateChange } from '../engine/state.ts';
import type { ModelledMachine } from '../machines/machine.ts';
import type { AccessBatch } from '../memory/access-batch.ts';
import { formatTimeExact } from '../memory/units.ts';
import { samplesPerAggr } from '../monitor/damon/formulas.ts';
import type { Monitor } from '../monitor/monitor.ts';
import type { EvidenceQuality } from '../monitor/quality.ts';
import { rateOfShare } from '../monitor/rate.ts';
import type { ResolvedScheme } from '../schemes/resolve.ts';
import type { RunFacts } from '../view/run-summary.ts';
import { HEAT_COLUMNS, HEAT_ROWS, HeatGrid } from './heat-grid.ts';
import { defaultHotPerS, HotSetScore } from './hot-set-score.ts';
import { RunHistory } from './run-history.ts';

/** The `--json` document of `thermocline run`. */
export interface RunReport extends RunFacts {
  readonly schema: 'thermocline.run/1';
  /** How good the evidence was in the last aggregation interval; null for monitors that do not know. */
  readonly evidence: EvidenceQuality | null;
  readonly version: string;
  /** Only of workloads that allocate while they run. */
  readonly allocation?: {
    readonly allocatedBytes: number;
    /** The part of reclaimDemotedBytes that threads did themselves, and their waiting for it. */
    readonly directDemotedBytes: number;
    readonly stallSeconds: number;
  };
}

export interface RunOptions {
  readonly machine: ModelledMachine;
  readonly monitor: Monitor;
  readonly schemes: readonly ResolvedScheme[];
  readonly seed: number;
  readonly version: string;
  /** Share of one CPU that monitoring may cost; left out: the rates stay as they are. */
  readonly overheadShare?: number;
  readonly onPublished?: (change: StateChange) => void;
  /** Gather what happens over time, too. */
  readonly withHistory?: boolean;
  /** As of the engine: to write a record. */
  readonly onAggregated?: (timeUs: number) => void;
  readonly onSamples?: (timeUs: number, batch: AccessBatch) => void;
  /** True when the user wants the run to end early. */
  readonly shouldStop?: () => boolean;
  /** Machine time at which the run ends, if the workload has not. */
  readonly untilUs?: number;
  /** Between two aggregations, when the engine may be configured. */
  readonly pause?: (engine: Engine) => Promise<void> | undefined;
}

export interface RunResult {
  readonly report: RunReport;
  readonly heat: HeatGrid;
  readonly state: EngineState;
  /** Only if it was asked for. */
  readonly history?: RunHistory;
}

export async function runSchemes(options: RunOptions): Promise<RunResult> {
  const { machine, monitor, schemes } = options;
  const minRatePerS = hotThreshold(schemes, monitor.attrs.sampleUs);
  const score = new HotSetScore(machine.truth, minRatePerS);
  const heat = new HeatGrid(machine.ranges(), HEAT_ROWS, HEAT_COLUMNS);
  const history = options.withHistory ? new RunHistory(machine, machine.ranges(), minRatePerS) : undefined;
  const { untilUs = Number.POSITIVE_INFINITY } = options;
  const isStopped = (): boolean => options.shouldStop?.() ?? false;
  const engine: Engine = new Engine({
    machine,
    monitor,
    schemes,
    ...(options.overheadShare === undefined ? {} : { overheadShare: options.overheadShare }),
    onAggregated: (timeUs) => {
      heat.add(timeUs, monitor.regions);
      score.add(monitor.regions, monitor.spots);
      history?.aggregated(timeUs, monitor);
      options.onAggregated?.(timeUs);
    },
    ...(options.onSamples ? { onSamples: options.onSamples } : {}),
    onPublished: (change) => {
      history?.published(change.state);
      options.onPublished?.(change);
    },
    shouldStop: () => isStopped() || machine.nowUs() >= untilUs,
    pause: () => options.pause?.(engine),
  });
  const state = await engine.run();
  const report = buildReport(options, state, score, minRatePerS);
  return { report, heat, state, ...(history === undefined ? {} : { history }) };
}

/** The lowest rate from which a scheme of the file promotes; without one, the default. */
export function hotThreshold(schemes: readonly ResolvedScheme[], sampleUs: number): number {
  const rates = schemes
    .filter(({ scheme }) => scheme.action === 'migrate_hot')
    .map(({ scheme }) => scheme.pattern.minRatePerS.value)
    .filter((rate) => rate > 0);
  return rates.length > 0 ? Math.min(...rates) : defaultHotPerS(sampleUs);
}

function buildReport(
  options: RunOptions,
  state: EngineState,
  score: HotSetScore,
  minRatePerS: number,
): RunReport {
  const { machine, monitor, seed } = options;
  // Those that run at the end.
  const { schemes } = state.configuration;
  const { accesses, fastAccesses } = machine.truth.totals();
  const baseline = machine.truth.baseline();
  const { moves } = machine;
  const { accessS, allFastS } = machine.systemGauge();
  return {
    schema: 'thermocline.run/1',
    version: options.version,
    machine: machine.name,
    workload: machine.workload,
    tracker: monitor.name,
    seed,
    simulatedSeconds: machine.nowUs() / 1e6,
    wallSeconds: 0,
    accesses: Math.round(accesses),
    fastTierShare: accesses > 0 ? fastAccesses / accesses : 0,
    completionSeconds: machine.truth.completionSeconds(),
    slowdown: allFastS > 0 ? accessS / allFastS - 1 : null,
    baseline: {
      static: baseline.staticSeconds,
      allFast: baseline.allFastSeconds,
      staticFastTierShare: baseline.staticFastTierShare,
    },
    promotedBytes: moves.promotedBytes,
    demotedBytes: moves.demotedBytes + moves.reclaimDemotedBytes,
    reclaimDemotedBytes: moves.reclaimDemotedBytes,
    failedBytes: moves.failedBytes,
    pingPongBytes: moves.pingPongBytes,
    pagedOutBytes: moves.pagedOutBytes,
    pagedInBytes: moves.pagedInBytes,
    ...(moves.allocatedBytes === 0
      ? {}
      : {
          allocation: {
            allocatedBytes: moves.allocatedBytes,
            directDemotedBytes: moves.directDemotedBytes,
            stallSeconds: moves.allocationStallUs / 1e6,
          },
        }),
    regions: { peak: monitor.peakRegions, limit: monitor.attrs.maxNrRegions },
    metadataBytes: monitor.metadataBytes,
    pullChecks: state.pullChecks,
    pushSamples: state.pushSamples,
    droppedSamples: state.droppedSamples,
    evidence: state.evidence,
    monitoring: {
      cpuShare: cpuShare(machine, state),
      budgetShare: options.overheadShare ?? null,
      sampleUs: monitor.attrs.sampleUs,
      aggrUs: monitor.attrs.aggrUs,
    },
    schemes: state.schemes.map((scheme, i) => {
      const { quota } = schemes[i].scheme;
      return {
        name: scheme.name,
        action: scheme.action,
        triedBytes: scheme.szTried,
        appliedBytes: scheme.szApplied,
        failedBytes: scheme.szFailed,
        failedBy: scheme.szFailedBy,
        elsewhereBytes: scheme.szElsewhere,
        exchangedBytes: scheme.szExchanged,
        notWorthBytes: scheme.szNotWorth,
        filteredOutBytes: scheme.szFilteredOut,
        nrTried: scheme.nrTried,
        nrApplied: scheme.nrApplied,
        nrSnapshots: scheme.nrSnapshots,
        matchedBytes: scheme.szMatched,
        cpuSeconds: scheme.cpuUs / 1e6,
        isActive: scheme.isActive,
        quotaBytes: Number.isFinite(quota.szBytes) ? quota.szBytes : null,
        effectiveBytes: scheme.effectiveBytes,
        quotaSeconds: quota.resetIntervalUs / 1e6,
        quotaExceeded: scheme.nrQuotaExceeded,
      };
    }),
    hotSet: { ...score.result(), minRatePerS },
    interrupted: !machine.isDone() && (options.shouldStop?.() ?? false),
    isComplete: machine.isDone(),
    warnings: [...machine.warnings(), ...saturationWarnings(monitor, schemes)],
  };
}

/**
 * DAMON's checks cannot tell rates above a few per sampling interval: after its intervals were stretched
 * too far, a scheme that asks for more acts on nothing, and the user should know why.
 */
function saturationWarnings(monitor: Monitor, schemes: readonly ResolvedScheme[]): string[] {
  const { sampleUs, aggrUs, intervalsGoal } = monitor.attrs;
  if (intervalsGoal === undefined || !monitor.name.startsWith('damon')) return [];
  const highest = rateOfShare(1 - 0.5 / samplesPerAggr(sampleUs, aggrUs), sampleUs / 1e6);
  return schemes
    .filter(({ scheme }) => scheme.pattern.minRatePerS.value >= highest)
    .map(
      ({ scheme }) =>
        `sampling every ${formatTimeExact(sampleUs)} tells no rate above ${highest.toFixed(1)} accesses/s per page, and ${scheme.name} asks for ${scheme.pattern.minRatePerS.value.toFixed(1)}: lower max in --intervals-goal`,
    );
}

/** Share of one CPU that checks and samples, also lost ones, cost on the mean of the run. */
function cpuShare({ costs }: ModelledMachine, state: EngineState): number {
  const { pullChecks, pushSamples, droppedSamples } = state;
  const ns = pullChecks * costs.pullCheckNs + (pushSamples + droppedSamples) * costs.pushSampleNs;
  return ns / (state.timeUs * 1e3);
}
