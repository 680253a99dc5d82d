/**
 * A heat map for the terminal: time to the right, addresses upward, colour (or density) for the
 * access rate on a logarithmic scale. Two rows share a line of half blocks where there is colour.
 */
import { formatBytes, formatSeconds } from '../memory/units.ts';
import { foldLine } from './fold.ts';
import { COLOR_RESET, type ColorDepth, colorPair, DENSITY } from './palette.ts';

export interface HeatMapData {
  readonly columns: readonly { readonly timeUs: number; readonly cells: Float64Array }[];
  readonly rows: number;
  /** Size of the watched memory, for the address axis. */
  readonly totalBytes: number;
  /** Lowest address, for the axis; ranges with gaps are laid end to end. */
  readonly firstAddress: number;
}

export interface HeatMapOptions {
  /** Columns of the terminal. */
  readonly width: number;
  /** Lines of the picture without axes. */
  readonly height: number;
  readonly depth: ColorDepth;
}

/** Rates a factor of this below the highest are shown as nothing. */
const DYNAMIC_RANGE = 1e4;
const MIN_PLOT_WIDTH = 10;

export function renderHeatMap(data: HeatMapData, options: HeatMapOptions): string {
  if (data.columns.length === 0) return 'heat map: nothing was recorded\n';
  const labels = [data.totalBytes, data.totalBytes / 2, 0].map((bytes) => `+${formatBytes(bytes)}`);
  const gutter = Math.max(...labels.map((label) => label.length)) + 1;
  const width = Math.max(MIN_PLOT_WIDTH, Math.min(data.columns.length, options.width - gutter - 1));
  const rows = options.depth === 'none' ? options.height : options.height * 2;
  const grid = resample(data, width, rows);
  const highest = grid.reduce((max, column) => column.reduce((a, b) => Math.max(a, b), max), 0);
  const level = (rate: number): number =>
    rate <= 0 || highest <= 0 ? 0 : Math.max(0, 1 + Math.log(rate / highest) / Math.log(DYNAMIC_RANGE));
  const lines: string[] = [];
  for (let line = 0; line < options.height; line++) {
    const label =
      line === 0
        ? labels[0]
        : line === options.height >> 1
          ? labels[1]
          : line === options.height - 1
            ? labels[2]
            : '';
    lines.push(`${label.padStart(gutter - 1)} ${renderLine(grid, line, rows, level, options.depth)}`);
  }
  const end = formatSeconds((data.columns.at(-1)?.timeUs ?? 0) / 1e6);
  const axis = `0 s${end.padStart(Math.max(end.length + 1, width - 3))}`;
  lines.push(`${' '.repeat(gutter)}${axis}`);
  const scale = `accesses/s per page: ${legend(highest, options.depth)}`;
  const base = data.firstAddress > 0 ? `, addresses from 0x${data.firstAddress.toString(16)}` : '';
  lines.push(...foldLine(`${scale}${base}`, options.width));
  return `${lines.join('\n')}\n`;
}

function renderLine(
  grid: readonly Float64Array[],
  line: number,
  rows: number,
  level: (rate: number) => number,
  depth: ColorDepth,
): string {
  let text = '';
  let last = '';
  for (const column of grid) {
    // Row 0 of the data is the lowest address: the bottom line.
    if (depth === 'none') {
      const value = level(column[rows - 1 - line]);
      text +=
        DENSITY[value <= 0 ? 0 : Math.min(DENSITY.length - 1, 1 + Math.floor(value * (DENSITY.length - 1)))];
      continue;
    }
    const upper = quantize(level(column[rows - 1 - 2 * line]));
    const lower = quantize(level(column[rows - 2 - 2 * line]));
    const pair = colorPair(upper, lower, depth);
    text += `${pair === last ? '' : pair}▀`;
    last = pair;
  }
  return depth === 'none' ? text.trimEnd() : `${text}${COLOR_RESET}`;
}

/** Fewer different colours make fewer escape sequences. */
function quantize(level: number): number {
  return Math.round(level * 31) / 31;
}

/** Brings rows and columns to the size of the picture: the mean over time, the hottest over addresses. */
function resample(data: HeatMapData, width: number, rows: number): Float64Array[] {
  const grid: Float64Array[] = [];
  const { columns } = data;
  for (let x = 0; x < width; x++) {
    const from = Math.floor((x * columns.length) / width);
    const to = Math.max(from + 1, Math.floor(((x + 1) * columns.length) / width));
    const out = new Float64Array(rows);
    for (let row = 0; row < data.rows; row++) {
      let sum = 0;
      for (let c = from; c < to; c++) sum += columns[c].cells[row];
      const y = Math.floor((row * rows) / data.rows);
      const lastY = Math.max(y, Math.ceil(((row + 1) * rows) / data.rows) - 1);
      for (let target = y; target <= lastY; target++) out[target] = Math.max(out[target], sum / (to - from));
    }
    grid.push(out);
  }
  return grid;
}

function legend(highest: number, depth: ColorDepth): string {
  const format = (rate: number): string => (rate >= 1 ? rate.toFixed(0) : rate.toPrecision(1));
  if (highest <= 0) return 'none seen';
  const low = format(highest / DYNAMIC_RANGE);
  if (depth === 'none') return `${low} "${DENSITY.slice(1)}" ${format(highest)} (log scale)`;
  let ramp = '';
  for (let i = 0; i < 16; i++) ramp += `${colorPair(i / 15, i / 15, depth)}▀`;
  return `${low} ${ramp}${COLOR_RESET} ${format(highest)} (log scale)`;
}
