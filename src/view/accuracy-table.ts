/** What `thermocline accuracy` prints: per field one line per time and monitor, and what each spent. */
import { formatBytes, formatCount, formatEventRate } from '../memory/units.ts';
import { foldLine } from './fold.ts';
import { renderTable } from './table.ts';

/** Shares in 0..1. */
export interface Score {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  readonly bestF1: number;
  readonly hotShare: number;
}

/** Over seeds. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** A row of the `--json` document; keys only ever get added. */
export interface AccuracyRow {
  readonly field: string;
  readonly monitor: string;
  /** A time such as "10s", or "mean": over all aggregations up to the last time. */
  readonly at: string;
  readonly f1: Spread;
  readonly precision: Spread;
  readonly recall: Spread;
  /** F1 at the best of all thresholds. */
  readonly bestF1: Spread;
  readonly hotShare: Spread;
  /** Medians; checks and samples are sums since the start. */
  readonly regions: number;
  readonly spots: number;
  readonly pullChecks: number;
  readonly pushSamples: number;
  readonly metadataBytes: number;
}

/** A number of somebody else's, for a field and a time; what was not measured is left out. */
export interface ReferenceRow {
  readonly field: string;
  readonly monitor: string;
  readonly at: string;
  readonly f1: Spread;
  readonly precision?: number;
  readonly recall?: number;
  readonly bestF1?: number;
  readonly hotShare?: number;
  readonly regions?: number;
}

export interface FieldFacts {
  readonly name: string;
  readonly sizeBytes: number;
  readonly hotPerS: number;
  /** At the start, median over seeds. */
  readonly hotBytes: number;
}

/** By importance: what does not fit into the width is left out from the end. */
const SCORE_TITLES = [
  'at',
  'monitor',
  'F1',
  'min..max',
  'precision',
  'recall',
  'regions',
  'best F1',
  'hot-share',
];
/** Time, monitor and F1 stay, however narrow it is. */
const FEWEST_TITLES = 3;

/** Text for people; `rows` and `reference` in the order in which they are to appear. */
export function renderAccuracy(
  fields: readonly FieldFacts[],
  rows: readonly AccuracyRow[],
  reference: readonly ReferenceRow[],
  width: number,
): string {
  const blocks = fields.map((field) => {
    const { name, sizeBytes, hotBytes, hotPerS } = field;
    const rate = formatEventRate(Number(hotPerS.toPrecision(3)));
    const own = rows.filter((row) => row.field === name);
    const title = `${name}: ${formatBytes(hotBytes)} of ${formatBytes(sizeBytes)} hot, at ${rate} per page or more`;
    return [
      ...foldLine(title, width),
      ...renderScores(
        own,
        reference.filter((row) => row.field === name),
        width,
      ),
      ...renderSpent(own),
    ];
  });
  return `${blocks.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function renderScores(
  own: readonly AccuracyRow[],
  reference: readonly ReferenceRow[],
  width: number,
): string[] {
  const times = [...new Set(own.map((row) => row.at))];
  const cells = times.flatMap((at) => [
    ...own.filter((row) => row.at === at).map(ownCells),
    ...reference.filter((row) => row.at === at).map(referenceCells),
  ]);
  for (let count = SCORE_TITLES.length; ; count--) {
    const lines = renderTable(
      SCORE_TITLES.slice(0, count).map((title, i) => ({ title, align: i < 2 ? 'left' : 'right' })),
      cells.map((row) => row.slice(0, count)),
    );
    if (count === FEWEST_TITLES || lines.every((line) => line.length <= width)) return lines;
  }
}

/** What each monitor had spent at the last time. */
function renderSpent(own: readonly AccuracyRow[]): string[] {
  const last = new Map(own.map((row) => [row.monitor, row]));
  const at = own.filter((row) => row.at !== 'mean').at(-1)?.at;
  const titles = [`spent in ${at}`, 'checks', 'samples', 'metadata'];
  return renderTable(
    titles.map((title, i) => ({ title, align: i === 0 ? 'left' : 'right' })),
    [...last.values()].map((row) => [
      row.monitor,
      formatCount(row.pullChecks),
      formatCount(row.pushSamples),
      formatBytes(row.metadataBytes),
    ]),
  );
}

function ownCells(row: AccuracyRow): string[] {
  const spots = row.spots > 0 ? `+${formatCount(row.spots)}` : '';
  return [
    row.at,
    row.monitor,
    share(row.f1.median),
    range(row.f1),
    share(row.precision.median),
    share(row.recall.median),
    `${formatCount(row.regions)}${spots}`,
    share(row.bestF1.median),
    share(row.hotShare.median),
  ];
}

function referenceCells(row: ReferenceRow): string[] {
  return [
    row.at,
    row.monitor,
    share(row.f1.median),
    range(row.f1),
    share(row.precision),
    share(row.recall),
    row.regions === undefined ? '-' : formatCount(row.regions),
    share(row.bestF1),
    share(row.hotShare),
  ];
}

function share(value: number | undefined): string {
  return value === undefined ? '-' : value.toFixed(3);
}

function range({ min, max }: Spread): string {
  return `${share(min)}..${share(max)}`;
}
