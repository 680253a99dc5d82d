/** What `thermocline run` prints after the heat map: the facts of a run, for people. */
import { FAILURES, type Failure } from '../memory/action.ts';
import { formatBytes, formatCount, formatPercent, formatSeconds } from '../memory/units.ts';
import { foldLine } from './fold.ts';
import { type Fact, renderFacts, renderTable } from './table.ts';

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
  /**
   * Time that accesses took beyond what they would have taken if all had been fast, as a share of that;
   * null where the machine does not know.
   */
  readonly slowdown: number | null;
  /**
   * Modelled seconds without migration and with everything in DRAM; equal for a workload that runs for a
   * fixed time.
   */
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
  /** The part of what was moved that had been moved the other way less than a minute before. */
  readonly pingPongBytes: number;
  readonly pagedOutBytes: number;
  /** Brought back, by accesses or by schemes. */
  readonly pagedInBytes: number;
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
  /** False if the run was ended before the workload had. */
  readonly isComplete: boolean;
  /** What had to be left out or guessed, in words. */
  readonly warnings: readonly string[];
}

export interface SchemeFacts {
  readonly name: string;
  readonly action: string;
  readonly triedBytes: number;
  readonly appliedBytes: number;
  readonly failedBytes: number;
  readonly failedBy: Readonly<Record<Failure, number>>;
  /** Migrated, but to another node than asked for. */
  readonly elsewhereBytes: number;
  /** Made way for what was promoted. */
  readonly exchangedBytes: number;
  /** Of the last round: hot, but no exchange was worth it. */
  readonly notWorthBytes: number;
  /** Left out by filters. */
  readonly filteredOutBytes: number;
  readonly nrTried: number;
  readonly nrApplied: number;
  readonly nrSnapshots: number;
  /** Bytes of regions and spots that matched the pattern in the last round. */
  readonly matchedBytes: number;
  /** Time of one CPU that acting took. */
  readonly cpuSeconds: number;
  /** False if it rested at the end, by its watermarks. */
  readonly isActive: boolean;
  /** Limit per window; null without one. */
  readonly quotaBytes: number | null;
  /** What the goals and the time quota made of it in the last window; null for no limit. */
  readonly effectiveBytes: number | null;
  /** Length of the window. */
  readonly quotaSeconds: number;
  /** Windows in which there was more to do than the quota allowed. */
  readonly quotaExceeded: number;
}

export function renderRunSummary(run: RunFacts, width: number): string {
  const { baseline } = run;
  const saved = baseline.static - run.completionSeconds;
  const possible = baseline.static - baseline.allFast;
  // A workload of fixed time ends when it ends, whatever memory does.
  const isTimed = possible === 0;
  const budget = run.monitoring.budgetShare;
  const isPartial = !run.isComplete;
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
          isPartial
            ? run.interrupted
              ? 'interrupted'
              : 'not reached'
            : formatSeconds(run.completionSeconds),
          isPartial
            ? `after ${formatSeconds(run.simulatedSeconds)}`
            : isTimed
              ? 'modelled; the workload runs for a fixed time'
              : `modelled; ${formatPercent(saved / possible)} of the possible gain`,
        ],
        ...only(!isTimed, [
          ['  nothing migrated', formatSeconds(baseline.static)],
          ['  all in DRAM', formatSeconds(baseline.allFast)],
        ]),
        ...only(run.slowdown !== null, [
          ['slowdown', formatPercent(run.slowdown ?? 0), 'of accesses, against all in the fast tier'],
        ]),
        ['promoted', formatBytes(run.promotedBytes)],
        [
          'demoted',
          formatBytes(run.demotedBytes),
          run.reclaimDemotedBytes > 0
            ? `${formatBytes(run.reclaimDemotedBytes)} of it by the machine's own reclaim`
            : '',
        ],
        ...only(run.pagedOutBytes + run.pagedInBytes > 0, [
          ['paged out', formatBytes(run.pagedOutBytes), `${formatBytes(run.pagedInBytes)} came back`],
        ]),
        ['ping-pong', formatBytes(run.pingPongBytes), 'moved back within a minute'],
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

function only(isShown: boolean, facts: readonly Fact[]): readonly Fact[] {
  return isShown ? facts : [];
}

function renderSchemes(run: RunFacts, width: number): string[] {
  const rows = run.schemes.map((scheme) => [
    scheme.name,
    formatBytes(scheme.triedBytes),
    formatBytes(scheme.appliedBytes),
    formatBytes(scheme.failedBytes),
    quotaOf(scheme),
    usedOf(scheme, run.simulatedSeconds),
    formatCount(scheme.quotaExceeded),
  ]);
  const titles = ['scheme', 'tried', 'applied', 'failed', 'quota', 'used', 'exceeded'];
  const table = renderTable(
    titles.map((title, i) => ({ title, align: i === 0 ? 'left' : 'right' })),
    rows,
  );
  const notes = run.schemes.flatMap((scheme) =>
    notesOf(scheme).flatMap((note) => foldLine(`${scheme.name}: ${note}`, width)),
  );
  if (table.every((line) => line.length <= width)) return [...table, ...notes];
  const lists = rows.flatMap((row) => [
    row[0],
    ...titles.slice(1).map((title, i) => `  ${title.padEnd(9)}${row[i + 1]}`),
  ]);
  return [...lists, ...notes];
}

function quotaOf({ quotaBytes, quotaSeconds, effectiveBytes }: SchemeFacts): string {
  const window = formatSeconds(quotaSeconds);
  if (quotaBytes !== null && effectiveBytes === quotaBytes) return `${formatBytes(quotaBytes)}/${window}`;
  return effectiveBytes === null ? '-' : `tuned: ${formatBytes(effectiveBytes)}/${window}`;
}

function usedOf(
  { quotaBytes, quotaSeconds, effectiveBytes, triedBytes }: SchemeFacts,
  seconds: number,
): string {
  if (quotaBytes === null) return effectiveBytes === null ? 'no quota' : 'by goal';
  // Windows follow each other without gaps at most, so this is the share of what could have been tried.
  const windows = Math.max(1, Math.ceil(seconds / quotaSeconds));
  return formatPercent(triedBytes / (windows * quotaBytes));
}

const FAILURE_WORDS: Readonly<Record<Failure, string>> = {
  destination_full: 'found no room',
  not_mapped: 'was not there any more',
  busy: 'was in use',
};

function notesOf(scheme: SchemeFacts): string[] {
  const reasons = FAILURES.filter((reason) => scheme.failedBy[reason] > 0).map(
    (reason) => `${formatBytes(scheme.failedBy[reason])} ${FAILURE_WORDS[reason]}`,
  );
  return [
    ...reasons,
    ...(scheme.elsewhereBytes > 0 ? [`${formatBytes(scheme.elsewhereBytes)} went elsewhere`] : []),
    ...(scheme.exchangedBytes > 0 ? [`${formatBytes(scheme.exchangedBytes)} made way`] : []),
    ...(scheme.filteredOutBytes > 0 ? [`${formatBytes(scheme.filteredOutBytes)} left out by filters`] : []),
    ...(scheme.isActive ? [] : ['rested at the end, by its watermarks']),
  ];
}
