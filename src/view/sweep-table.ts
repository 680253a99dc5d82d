/** What a sweep prints: one line per tracker and setting, means over the seeds. */
import { formatBytes, formatPercent, formatSeconds } from '../memory/units.ts';
import type { CompareLine } from './compare-columns.ts';
import { foldLine } from './fold.ts';
import { renderTable } from './table.ts';

/** What the table shows of a row. */
export interface SweepLine {
  readonly tracker: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly seeds: number;
  /** null: not simulated at this size. */
  readonly means: Pick<CompareLine, 'completionSeconds' | 'fastTierShare' | 'promotedBytes' | 'cpu'> | null;
  readonly efficiency: number | null;
  readonly metadataBytes: number | null;
}

type SweepColumn = readonly [title: string, cell: (line: SweepLine) => string];

const ofMeans =
  (format: (means: NonNullable<SweepLine['means']>) => string): SweepColumn[1] =>
  ({ means }) =>
    means === null ? '-' : format(means);

const FAST: SweepColumn = ['fast', ofMeans((means) => formatPercent(means.fastTierShare))];
const TIME: SweepColumn = ['time', ofMeans((means) => formatSeconds(means.completionSeconds))];
const OF_ORACLE: SweepColumn = [
  'of oracle',
  ({ efficiency }) => (efficiency === null ? '-' : formatPercent(efficiency)),
];
const PROMOTED: SweepColumn = ['promoted', ofMeans((means) => formatBytes(means.promotedBytes))];
const METADATA: SweepColumn = [
  'metadata',
  ({ metadataBytes }) => (metadataBytes === null ? '-' : formatBytes(metadataBytes)),
];
const FIND: SweepColumn = [
  'find CPU',
  ofMeans(({ cpu }) => formatSeconds(cpu.applicationSeconds + cpu.backgroundSeconds)),
];
const MOVE: SweepColumn = ['move CPU', ofMeans(({ cpu }) => formatSeconds(cpu.migrationSeconds))];

/** The widest that fits is taken; the table file has all columns. */
const RESULTS: readonly (readonly SweepColumn[])[] = [
  [TIME, FAST, OF_ORACLE, PROMOTED, METADATA, FIND, MOVE],
  [TIME, FAST, OF_ORACLE, METADATA, FIND],
  [FAST, OF_ORACLE, METADATA],
  [FAST],
];

/** @param keys what was varied, in the order of the columns */
export function renderSweep(lines: readonly SweepLine[], keys: readonly string[], width: number): string {
  const settings = keys
    .filter((key) => key !== 'tracker')
    .map((key): SweepColumn => [key, (line) => line.settings[key] ?? '-']);
  const seeds = lines.map((line) => line.seeds);
  const [least, most] = [Math.min(...seeds), Math.max(...seeds)];
  const head = foldLine(
    `modelled; ${most === 1 ? 'one seed' : `means of ${least === most ? most : `${least} to ${most}`} seeds`}; time of the last thread`,
    width,
  );
  const tables = RESULTS.map((results) => tableOf(lines, [...settings, ...results]));
  const fitting = tables.find((table) => table.every((line) => line.length <= width));
  const notes = lines.some(({ means }) => means === null)
    ? [
        '',
        ...foldLine('without a time: not simulated at this size (--no-limit); metadata by arithmetic', width),
      ]
    : [];
  const shown = fitting ?? listOf(lines, [...settings, ...RESULTS[0]]);
  return `${[...head, '', ...shown, ...notes].join('\n')}\n`;
}

function tableOf(lines: readonly SweepLine[], columns: readonly SweepColumn[]): string[] {
  return renderTable(
    [{ title: 'tracker', align: 'left' }, ...columns.map(([title]) => ({ title, align: 'right' as const }))],
    lines.map((line) => [line.tracker, ...columns.map(([, cell]) => cell(line))]),
  );
}

function listOf(lines: readonly SweepLine[], columns: readonly SweepColumn[]): string[] {
  const longest = Math.max(...columns.map(([title]) => title.length));
  return lines.flatMap((line) => [
    line.tracker,
    ...columns.flatMap(([title, cell]) =>
      cell(line) === '-' ? [] : [`  ${title.padEnd(longest)}  ${cell(line)}`],
    ),
  ]);
}
