/** What `thermocline compare` prints: one line per tracker, then their counters beside what was posted. */
import { formatCount, formatPercent, formatSeconds } from '../memory/units.ts';
import { COST, type CompareColumn, type CompareLine, OUTCOME, TIME } from './compare-columns.ts';
import { foldLine } from './fold.ts';
import { renderTable } from './table.ts';

/** A number that somebody posted for a tracker. */
export interface PostedNumber {
  readonly tracker: string;
  readonly counter: string;
  readonly posted: number;
  /** Ours, undefined where the model has no cause for it. */
  readonly ours: number | undefined;
  readonly note?: string;
}

export function renderCompare(
  lines: readonly CompareLine[],
  facts: { readonly machine: string; readonly workload: string; readonly seeds: number },
  width: number,
): string {
  const head = [
    ...foldLine(`${facts.machine}: ${facts.workload}`, width),
    ...foldLine(
      `modelled; ${facts.seeds === 1 ? 'one seed' : `means of ${facts.seeds} seeds`}; time of the last thread`,
      width,
    ),
    '',
  ];
  const threads = lines[0]?.threads ?? [];
  const perThread: CompareColumn[] =
    threads.length > 1 && threads.length <= 3
      ? threads.map(({ name }, i) => ({
          title: name,
          value: (line) => line.threads[i]?.seconds ?? null,
          text: (line) => formatSeconds(line.threads[i]?.seconds ?? Number.NaN),
        }))
      : [];
  const outcome = [TIME, ...perThread, ...OUTCOME];
  const tables = [tableOf(lines, [...outcome, ...COST])];
  if (!fits(tables, width)) tables.splice(0, 1, tableOf(lines, outcome), tableOf(lines, COST));
  if (fits(tables, width)) return `${[...head, ...tables.flatMap((table) => [...table, ''])].join('\n')}`;
  const columns = [...outcome, ...COST];
  const longest = Math.max(...columns.map(({ title }) => title.length));
  const lists = lines.flatMap((line) => [
    line.tracker,
    ...columns.map(({ title, text }) => `  ${title.padEnd(longest)}  ${text(line)}`),
  ]);
  return `${[...head, ...lists].join('\n')}\n`;
}

function tableOf(lines: readonly CompareLine[], columns: readonly CompareColumn[]): string[] {
  return renderTable(
    [
      { title: 'tracker', align: 'left' },
      ...columns.map(({ title }) => ({ title, align: 'right' as const })),
    ],
    lines.map((line) => [line.tracker, ...columns.map(({ text }) => text(line))]),
  );
}

function fits(tables: readonly (readonly string[])[], width: number): boolean {
  return tables.every((table) => table.every((text) => text.length <= width));
}

/** Posted numbers beside ours. */
export function renderPosted(numbers: readonly PostedNumber[], width: number): string {
  const rows = numbers.map(({ tracker, counter, posted, ours }) => [
    tracker,
    counter,
    formatCount(posted),
    ours === undefined ? '-' : formatCount(Math.round(ours)),
    ours === undefined || posted === 0 ? '-' : formatPercent(ours / posted - 1),
  ]);
  const titles = ['tracker', 'counter', 'posted', 'ours', 'off'];
  const table = renderTable(
    titles.map((title, i) => ({ title, align: i < 2 ? ('left' as const) : ('right' as const) })),
    rows,
  );
  const lines = fits([table], width)
    ? table
    : rows.flatMap(([tracker, counter, posted, ours, off]) => [
        `${tracker} ${counter}`,
        `  posted ${posted}, ours ${ours}, off ${off}`,
      ]);
  const notes = numbers.flatMap(({ tracker, counter, note }) =>
    note === undefined ? [] : foldLine(`${tracker} ${counter}: ${note}`, width),
  );
  return `${[...lines, ...notes].join('\n')}\n`;
}
