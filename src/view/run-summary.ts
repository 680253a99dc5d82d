/** What `thermocline run` prints after the heat map: the facts of a run, for people. */
import { formatBytes, formatCount, formatPercent, formatSeconds } from '../memory/units.ts';
import { foldLine } from './fold.ts';
import { renderFacts, renderTable } from './table.ts';

/** The `--json` document of `thermocline run`, but for its head; keys only ever get added. */
export interface RunFacts {
  readonly machine: string;
  readonly workload: string;
  readonly tracker: string;
  readonly seed: number;
  readonly simulatedSeconds: number;
  /** The only value that differs between runs of equal seed. */
  wallSeconds: number;
  readonly accesses: number;
  readonly fastTierShare: number;
  /** Modelled. */
  readonly completionSeconds: number;
  /** Modelled seconds without migration and with everything in DRAM. */
  readonly baseline: {
    readonly static: number;
    readonly allFast: number;
    readonly staticFastTierShare: number;
  };
  readonly promotedBytes: number;
  readonly demotedBytes: number;
  /** The part of demotedBytes that the machine's own reclaim (kswapd) did, not a scheme. */
  readonly reclaimDemotedBytes: number;
  readonly failedBytes: number;
  readonly regions: { readonly peak: number; readonly limit: number };
  readonly metadataBytes: number;
  readonly pullChecks: number;
  readonly pushSamples: number;
  readonly droppedSamples: number;
  readonly monitoring: {
    /** Share of one CPU, modelled, and the budget for it, null without one. */
    readonly cpuShare: number;
    readonly budgetShare: number | null;
    /** Intervals at the end of the run. */
    readonly sampleUs: number;
    readonly aggrUs: number;
  };
  readonly schemes: readonly SchemeFacts[];
  readonly hotSet: {
    readonly precision: number;
    readonly recall: number;
    readonly f1: number;
    readonly minRatePerS: number;
  };
  /** True if the run was stopped before its end (Ctrl-C). */
  readonly interrupted: boolean;
  /** What had to be left out or guessed, in words. */
  readonly warnings: readonly string[];
}

export interface SchemeFacts {
  readonly name: string;
  readonly action: string;
  readonly triedBytes: number;
  readonly appliedBytes: number;
  readonly failedBytes: number;
  /** Limit per window; null without one. */
  readonly quotaBytes: number | null;
  /** Length of the window. */
  readonly quotaSeconds: number;
  /** Windows in which there was more to do than the quota allowed. */
  readonly quotaExceeded: number;
}

export function renderRunSummary(run: RunFacts, width: number): string {
  const { baseline } = run;
  const saved = baseline.static - run.completionSeconds;
  const possible = baseline.static - baseline.allFast;
  const budget = run.monitoring.budgetShare;
  const isPartial = run.interrupted;
  const lines = [
    ...renderFacts(
      [
        ['machine', run.machine],
        ['workload', run.workload],
        ['tracker', run.tracker, `seed ${run.seed}`],
        [
          'fast-tier share',
          formatPercent(run.fastTierShare),
          `of ${formatCount(run.accesses)} accesses; ${formatPercent(baseline.staticFastTierShare)} if nothing is migrated`,
        ],
        [
          'completion time',
          isPartial ? 'interrupted' : formatSeconds(run.completionSeconds),
          isPartial
            ? `after ${formatSeconds(run.simulatedSeconds)}`
            : `modelled; ${formatPercent(possible > 0 ? saved / possible : 0)} of the possible gain`,
        ],
        ['  nothing migrated', formatSeconds(baseline.static)],
        ['  all in DRAM', formatSeconds(baseline.allFast)],
        ['promoted', formatBytes(run.promotedBytes)],
        [
          'demoted',
          formatBytes(run.demotedBytes),
          run.reclaimDemotedBytes > 0
            ? `${formatBytes(run.reclaimDemotedBytes)} of it by the machine's own reclaim`
            : '',
        ],
        ['failed', formatBytes(run.failedBytes)],
        ['regions', `${formatCount(run.regions.peak)} at most`, `limit ${formatCount(run.regions.limit)}`],
        ['metadata', formatBytes(run.metadataBytes)],
        [
          'evidence',
          `${formatCount(run.pullChecks)} pull checks`,
          `${formatCount(run.pushSamples)} push samples${run.droppedSamples > 0 ? `, ${formatCount(run.droppedSamples)} lost` : ''}`,
        ],
        [
          'monitoring',
          `${formatPercent(run.monitoring.cpuShare, 2)} of a CPU`,
          `modelled${budget === null ? '' : `, budget ${formatPercent(budget, 2)}`}; intervals ${formatSeconds(run.monitoring.sampleUs / 1e6)} and ${formatSeconds(run.monitoring.aggrUs / 1e6)} at the end`,
        ],
        [
          'hot set',
          `F1 ${run.hotSet.f1.toFixed(3)}`,
          `precision ${run.hotSet.precision.toFixed(3)}, recall ${run.hotSet.recall.toFixed(3)}, at ${run.hotSet.minRatePerS.toFixed(1)} accesses/s per page`,
        ],
        [
          'time',
          `${formatSeconds(run.simulatedSeconds)} modelled`,
          `${formatSeconds(run.wallSeconds)} on the clock`,
        ],
      ],
      width,
    ),
    '',
    ...renderSchemes(run, width),
    ...run.warnings.flatMap((warning) => foldLine(`warning: ${warning}`, width)),
  ];
  return `${lines.join('\n')}\n`;
}

function renderSchemes(run: RunFacts, width: number): string[] {
  const quotaUse = (scheme: SchemeFacts): string => {
    if (scheme.quotaBytes === null) return 'no quota';
    // Windows follow each other without gaps at most, so this is the share of what could have been tried.
    const windows = Math.max(1, Math.ceil(run.simulatedSeconds / scheme.quotaSeconds));
    return formatPercent(scheme.triedBytes / (windows * scheme.quotaBytes));
  };
  const rows = run.schemes.map((scheme) => [
    scheme.name,
    formatBytes(scheme.triedBytes),
    formatBytes(scheme.appliedBytes),
    formatBytes(scheme.failedBytes),
    scheme.quotaBytes === null
      ? '-'
      : `${formatBytes(scheme.quotaBytes)}/${formatSeconds(scheme.quotaSeconds)}`,
    quotaUse(scheme),
    formatCount(scheme.quotaExceeded),
  ]);
  const titles = ['scheme', 'tried', 'applied', 'failed', 'quota', 'used', 'exceeded'];
  const table = renderTable(
    titles.map((title, i) => ({ title, align: i === 0 ? 'left' : 'right' })),
    rows,
  );
  if (table.every((line) => line.length <= width)) return table;
  return rows.flatMap((row) => [
    row[0],
    ...titles.slice(1).map((title, i) => `  ${title.padEnd(9)}${row[i + 1]}`),
  ]);
}
