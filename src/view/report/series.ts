/** A number that every snapshot has one of, as a distribution or over time. */
import { renderTable } from '../table.ts';

/** In the `--json` documents of `thermocline report wss` and `nr-regions`. */
export interface SnapshotSeries {
  readonly snapshots: number;
  /** At the beginning. */
  readonly skipped: number;
  readonly mean: number;
  readonly percentiles: readonly { readonly percent: number; readonly value: number }[];
  readonly values: readonly { readonly timeUs: number; readonly value: number }[];
}

const MAX_BAR = 59;

/**
 * Lines of a table with a bar a line.
 * @param rows name of the line, its value
 */
export function renderBars(
  title: string,
  valueTitle: string,
  rows: readonly (readonly [name: string, value: number])[],
  format: (value: number) => string,
  width: number,
): string[] {
  const highest = rows.reduce((max, [, value]) => Math.max(max, value), 0);
  const texts = rows.map(([, value]) => format(value));
  const used =
    Math.max(title.length, ...rows.map(([name]) => name.length)) +
    Math.max(valueTitle.length, ...texts.map((text) => text.length)) +
    6;
  const room = Math.max(0, Math.min(MAX_BAR, width - used));
  const bar = (value: number): string =>
    highest > 0 && room >= 5
      ? `|${'*'.repeat(Math.round((Math.max(0, value) / highest) * (room - 2))).padEnd(room - 2)}|`
      : '';
  return renderTable(
    [
      { title, align: 'right' },
      { title: valueTitle, align: 'right' },
      { title: '', align: 'left' },
    ],
    rows.map(([name, value], i) => [name, texts[i], bar(value)]),
  );
}
