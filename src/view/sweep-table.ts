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

const RESULTS = [
  'seeds',
  'time',
  'fast',
  'of oracle',
  'promoted',
  'metadata',
  'find CPU',
  'move CPU',
] as const;

/** @param keys what was varied, in the order of the columns */
export function renderSweep(lines: readonly SweepLine[], keys: readonly string[], width: number): string {
  const settings = keys.filter((key) => key !== 'tracker');
  const titles = ['tracker', ...settings, ...RESULTS];
  const rows = lines.map((line) => cellsOf(line, settings));
  const table = renderTable(
    titles.map((title, i) => ({ title, align: i === 0 ? ('left' as const) : ('right' as const) })),
    rows,
  );
  const isWide = table.some((line) => line.length > width);
  const longest = Math.max(...titles.map((title) => title.length));
  const shown = isWide
    ? rows.flatMap(([tracker, ...rest]) => [
        tracker,
        ...rest.flatMap((text, i) => (text === '-' ? [] : [`  ${titles[i + 1].padEnd(longest)}  ${text}`])),
      ])
    : table;
  const notes = lines.some(({ means }) => means === null)
    ? [
        '',
        ...foldLine('without a time: not simulated at this size (--no-limit); metadata by arithmetic', width),
      ]
    : [];
  return `${[...shown, ...notes].join('\n')}\n`;
}

function cellsOf(
  { tracker, settings, seeds, means, efficiency, metadataBytes }: SweepLine,
  keys: readonly string[],
): string[] {
  const cpu = means?.cpu;
  return [
    tracker,
    ...keys.map((key) => settings[key] ?? '-'),
    String(seeds),
    means === null ? '-' : formatSeconds(means.completionSeconds),
    means === null ? '-' : formatPercent(means.fastTierShare),
    efficiency === null ? '-' : formatPercent(efficiency),
    means === null ? '-' : formatBytes(means.promotedBytes),
    metadataBytes === null ? '-' : formatBytes(metadataBytes),
    cpu === undefined ? '-' : formatSeconds(cpu.applicationSeconds + cpu.backgroundSeconds),
    cpu === undefined ? '-' : formatSeconds(cpu.migrationSeconds),
  ];
}
