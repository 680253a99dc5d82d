/** What `thermocline run --machine linux` prints at its end: the facts of a live run, for people. */
import type { Failure } from '../memory/action.ts';
import { formatBytes, formatCount, formatPercent, formatSeconds } from '../memory/units.ts';
import { type Fact, renderFacts, renderTable } from './table.ts';

/** The `--json` document, but for its head. */
export interface LiveFacts {
  readonly machine: string;
  readonly workload: string;
  readonly tracker: string;
  /** True: nothing was moved, and what schemes "applied" is what would have been. */
  readonly isDryRun: boolean;
  readonly seconds: number;
  readonly promotedBytes: number;
  readonly demotedBytes: number;
  readonly failedBytes: number;
  readonly pingPongBytes: number;
  /** Pages by what became of them: moved, or the name of the error. */
  readonly pages: Readonly<Record<string, number>>;
  /** Pages that were tried again because they were busy. */
  readonly retriedPages: number;
  /** Time in calls that moved pages, on a thread of its own. */
  readonly moveSeconds: number;
  readonly regions: { readonly peak: number; readonly limit: number };
  readonly pullChecks: number;
  readonly pushSamples: number;
  readonly droppedSamples: number;
  readonly monitoring: {
    /** Shares of one CPU, measured: this process, and kernel threads that work for it. */
    readonly ownCpuShare: number;
    readonly kernelCpuShare: number;
    readonly sampleUs: number;
    readonly aggrUs: number;
  };
  readonly sources: readonly {
    readonly name: string;
    readonly cost: string;
    readonly blindSpots: readonly string[];
    readonly facts: Readonly<Record<string, number | string>>;
  }[];
  readonly schemes: readonly LiveSchemeFacts[];
  /** Increase of the kernel's own counters during the run, whole machine. */
  readonly kernel: Readonly<Record<string, number>>;
  /** Taken back after an earlier run had crashed. */
  readonly recovered: readonly string[];
  readonly interrupted: boolean;
  /** True if the process ended. */
  readonly isComplete: boolean;
  readonly warnings: readonly string[];
}

export interface LiveSchemeFacts {
  readonly name: string;
  readonly action: string;
  readonly triedBytes: number;
  readonly appliedBytes: number;
  readonly failedBytes: number;
  readonly failedBy: Readonly<Record<Failure, number>>;
  readonly quotaExceeded: number;
}

export function renderLiveSummary(run: LiveFacts, width: number): string {
  const would = run.isDryRun ? 'would be ' : '';
  const facts: Fact[] = [
    ['machine', run.machine],
    ['workload', run.workload],
    ['tracker', run.tracker, `${run.regions.peak} of ${run.regions.limit} regions`],
    ['time', formatSeconds(run.seconds), ending(run)],
    [`${would}promoted`, formatBytes(run.promotedBytes)],
    [`${would}demoted`, formatBytes(run.demotedBytes)],
    ['failed', formatBytes(run.failedBytes), pagesLine(run)],
    [
      'evidence',
      `${formatCount(run.pullChecks)} checks, ${formatCount(run.pushSamples)} samples`,
      `${formatCount(run.droppedSamples)} lost`,
    ],
    [
      'cost',
      `${formatPercent(run.monitoring.ownCpuShare)} of one CPU`,
      `and ${formatPercent(run.monitoring.kernelCpuShare)} in kernel threads`,
    ],
    ...run.sources.map(
      ({ name, facts: told }): Fact => [
        `source ${name}`,
        Object.entries(told)
          .map(([key, value]) => `${key} ${value}`)
          .join(', '),
      ],
    ),
  ];
  const table = renderTable(
    [
      { title: 'scheme', align: 'left' },
      { title: 'tried', align: 'right' },
      { title: run.isDryRun ? 'would apply' : 'applied', align: 'right' },
      { title: 'failed', align: 'right' },
      { title: 'quota full', align: 'right' },
    ],
    run.schemes.map((scheme) => [
      scheme.name,
      formatBytes(scheme.triedBytes),
      formatBytes(scheme.appliedBytes),
      formatBytes(scheme.failedBytes),
      String(scheme.quotaExceeded),
    ]),
  );
  const notes = [...run.recovered, ...run.warnings].map((note) => `note: ${note}`);
  return `${[...renderFacts(facts, width), '', ...table, ...(notes.length > 0 ? ['', ...notes] : [])].join('\n')}\n`;
}

function ending({ interrupted, isComplete, isDryRun }: LiveFacts): string {
  const why = isComplete ? 'the process ended' : interrupted ? 'stopped' : 'time was up';
  return isDryRun ? `${why}; dry run, nothing was moved (give --apply)` : why;
}

function pagesLine({ pages, retriedPages }: LiveFacts): string {
  const parts = Object.entries(pages).map(([name, count]) => `${name} ${formatCount(count)}`);
  return [...parts, ...(retriedPages > 0 ? [`retried ${formatCount(retriedPages)}`] : [])].join(', ');
}
