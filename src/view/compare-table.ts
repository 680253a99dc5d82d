/** What `thermocline compare` prints: one line per tracker, then their counters beside what was posted. */
import { formatBytes, formatCount, formatPercent, formatSeconds } from '../memory/units.ts';
import { foldLine } from './fold.ts';
import { renderTable } from './table.ts';

/** What the table shows of a row. */
export interface CompareLine {
  readonly tracker: string;
  readonly completionSeconds: number;
  readonly threads: readonly { readonly name: string; readonly seconds: number }[];
  readonly fastTierShare: number;
  readonly efficiency: number | null;
  readonly hotSet: { readonly precision: number; readonly recall: number };
  readonly detection: { readonly most: number | null };
  readonly promotedBytes: number;
  readonly demotedBytes: number;
  readonly wastedBytes: number;
  readonly pingPongBytes: number;
  readonly metadataBytes: number;
  readonly cpu: {
    readonly applicationSeconds: number;
    readonly backgroundSeconds: number;
    readonly migrationSeconds: number;
  };
  readonly counters: Readonly<Record<string, number>>;
  readonly spread: Readonly<Record<string, { readonly min: number; readonly max: number }>>;
}

/** A number that somebody posted for a tracker. */
export interface PostedNumber {
  readonly tracker: string;
  readonly counter: string;
  readonly posted: number;
  /** Ours, undefined where the model has no cause for it. */
  readonly ours: number | undefined;
  readonly note?: string;
}

type Column = readonly [title: string, cell: (line: CompareLine) => string];

/** What came out of it. */
const OUTCOME: readonly Column[] = [
  ['fast', (line) => formatPercent(line.fastTierShare)],
  ['of oracle', (line) => (line.efficiency === null ? '-' : formatPercent(line.efficiency))],
  ['precision', (line) => (isBlind(line) ? '-' : line.hotSet.precision.toFixed(3))],
  ['recall', (line) => (isBlind(line) ? '-' : line.hotSet.recall.toFixed(3))],
  ['known in', (line) => (line.detection.most === null ? '-' : formatSeconds(line.detection.most))],
];

/** What it took. */
const COST: readonly Column[] = [
  ['promoted', (line) => formatBytes(line.promotedBytes)],
  ['demoted', (line) => formatBytes(line.demotedBytes)],
  ['in vain', (line) => formatBytes(line.wastedBytes)],
  ['ping-pong', (line) => formatBytes(line.pingPongBytes)],
  ['metadata', (line) => formatBytes(line.metadataBytes)],
  ['app CPU', (line) => formatSeconds(line.cpu.applicationSeconds)],
  ['kernel CPU', (line) => formatSeconds(line.cpu.backgroundSeconds + line.cpu.migrationSeconds)],
];

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
  const perThread: Column[] =
    threads.length > 1 && threads.length <= 3
      ? threads.map(({ name }, i) => [name, (line) => formatSeconds(line.threads[i]?.seconds ?? Number.NaN)])
      : [];
  const time: Column = [
    'time',
    (line) => withSpread(line, 'completionSeconds', formatSeconds(line.completionSeconds)),
  ];
  const outcome = [time, ...perThread, ...OUTCOME];
  const tables = [tableOf(lines, [...outcome, ...COST])];
  if (!fits(tables, width)) tables.splice(0, 1, tableOf(lines, outcome), tableOf(lines, COST));
  if (fits(tables, width)) return `${[...head, ...tables.flatMap((table) => [...table, ''])].join('\n')}`;
  const columns = [...outcome, ...COST];
  const longest = Math.max(...columns.map(([title]) => title.length));
  const lists = lines.flatMap((line) => [
    line.tracker,
    ...columns.map(([title, cell]) => `  ${title.padEnd(longest)}  ${cell(line)}`),
  ]);
  return `${[...head, ...lists].join('\n')}\n`;
}

function tableOf(lines: readonly CompareLine[], columns: readonly Column[]): string[] {
  return renderTable(
    [{ title: 'tracker', align: 'left' }, ...columns.map(([title]) => ({ title, align: 'right' as const }))],
    lines.map((line) => [line.tracker, ...columns.map(([, cell]) => cell(line))]),
  );
}

function fits(tables: readonly (readonly string[])[], width: number): boolean {
  return tables.every((table) => table.every((text) => text.length <= width));
}

/** Looks at nothing: a baseline. */
function isBlind({ metadataBytes, detection }: CompareLine): boolean {
  return metadataBytes === 0 && detection.most === null;
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

function withSpread(line: CompareLine, key: string, text: string): string {
  const spread = line.spread[key];
  if (spread === undefined || spread.max - spread.min < 0.05) return text;
  return `${text} ±${((spread.max - spread.min) / 2).toFixed(1)}`;
}
