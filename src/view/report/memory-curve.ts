/** How much memory serves how many of the accesses: a table, and a curve of a few lines. */
import { formatBytes, formatPercent } from '../../memory/units.ts';
import { renderTable } from '../table.ts';

/** In the `--json` document of `thermocline report memory-for-accesses`. */
export interface MemoryCurve {
  /** In which anything was accessed. */
  readonly snapshots: number;
  /** Watched, on average. */
  readonly totalBytes: number;
  readonly shares: readonly {
    readonly percent: number;
    /** Mean over the snapshots, the least and the most. */
    readonly bytes: number;
    readonly min: number;
    readonly max: number;
  }[];
  readonly curve: readonly { readonly percent: number; readonly bytes: number }[];
}

const CURVE_LINES = 10;
const MAX_CURVE_WIDTH = 60;

export function renderMemoryCurve(curve: MemoryCurve, isRaw: boolean, width: number): string[] {
  const bytes = (value: number): string => (isRaw ? String(Math.round(value)) : formatBytes(value));
  if (curve.snapshots === 0) return ['nothing was accessed'];
  const rows = curve.shares.map((share) => [
    isRaw ? String(share.percent) : `${share.percent} %`,
    bytes(share.bytes),
    isRaw ? String(share.bytes / curve.totalBytes) : formatPercent(share.bytes / curve.totalBytes),
    bytes(share.min),
    bytes(share.max),
  ]);
  const titles = ['accesses', 'memory', 'of all', 'least', 'most'];
  const tableOf = (columns: number): string[] =>
    renderTable(
      titles.slice(0, columns).map((title) => ({ title, align: 'right' })),
      rows.map((row) => row.slice(0, columns)),
    );
  const whole = tableOf(titles.length);
  // The extremes are what a narrow terminal can do without.
  const table = isRaw || whole.every((line) => line.length <= width) ? whole : tableOf(3);
  return isRaw ? table : [...table, '', ...plot(curve, width)];
}

/** Accesses served (upwards) by so much of the memory (to the right). */
function plot({ curve, totalBytes }: MemoryCurve, width: number): string[] {
  const columns = Math.max(10, Math.min(MAX_CURVE_WIDTH, width - 8));
  const full = curve[curve.length - 1].bytes;
  const served = Array.from({ length: columns }, (_, column) => {
    const room = ((column + 1) / columns) * full;
    return curve.reduce((best, { percent, bytes }) => (bytes <= room ? Math.max(best, percent) : best), 0);
  });
  const lines = Array.from({ length: CURVE_LINES }, (_, line) => {
    const floor = 100 - ((line + 1) * 100) / CURVE_LINES;
    const label = line === 0 ? '100 %' : line === CURVE_LINES >> 1 ? '50 %' : '';
    return `${label.padStart(5)} |${served
      .map((percent) => (percent > floor ? '#' : ' '))
      .join('')
      .trimEnd()}`;
  });
  const right = `${formatBytes(full)} of ${formatBytes(totalBytes)}`;
  return [
    ...lines,
    `      +${'-'.repeat(columns)}`,
    `       0${right.padStart(Math.max(right.length + 1, columns - 1))}`,
  ];
}
