/**
 * A heat map of a record for the terminal, with axes and a scale: colours where there are any, else damo's digits 0 to 9;
 * what nobody saw stays blank.
 */
import { formatBytes, formatSeconds } from '../../memory/units.ts';
import { foldLine } from '../fold.ts';
import { COLOR_RESET, type ColorDepth, cellColor, colorPair, half } from '../palette.ts';
import { digitOf, type HeatScale, type Levels, levelsOf } from './level.ts';

/** A grid of heat, time by address; see HeatRaster of the lab. */
export interface HeatGridFacts {
  readonly rows: number;
  readonly columns: number;
  readonly cells: Float64Array;
  readonly startUs: number;
  readonly endUs: number;
  readonly range: { readonly start: number; readonly end: number };
  readonly unit: string;
}

export interface HeatPictureOptions {
  readonly width: number;
  readonly depth: ColorDepth;
  /** Time downwards, as damo's terminal does, or to the right, as its images do. */
  readonly time: 'down' | 'across';
  readonly scale?: HeatScale;
}

/** Columns that the labels of a picture of so many columns take. */
export const AXIS_WIDTH = 12;

export function renderHeatPicture(grid: HeatGridFacts, options: HeatPictureOptions): string {
  const { depth, time, width } = options;
  const levels = levelsOf(grid.cells, options.scale);
  // Lines from top to bottom: time goes down, addresses go up.
  const [lineCount, columnCount] = time === 'down' ? [grid.rows, grid.columns] : [grid.columns, grid.rows];
  const level = (line: number, column: number): number =>
    levels.of(
      time === 'down'
        ? grid.cells[line * grid.columns + column]
        : grid.cells[column * grid.columns + (grid.columns - 1 - line)],
    );
  const lines: string[] = [];
  const step = depth === 'none' ? 1 : 2;
  const textLines = Math.ceil(lineCount / step);
  for (let line = 0; line < textLines; line++) {
    const label = labelOf(grid, time, line, textLines);
    const cells =
      depth === 'none'
        ? Array.from({ length: columnCount }, (_, column) => digitOf(level(line, column)))
            .join('')
            .trimEnd()
        : colourLine(columnCount, depth, (column, below) =>
            2 * line + below < lineCount ? level(2 * line + below, column) : Number.NaN,
          );
    lines.push(`${label.padStart(AXIS_WIDTH - 1)} ${cells}`.trimEnd());
  }
  lines.push(`${' '.repeat(AXIS_WIDTH)}${acrossAxis(grid, time, columnCount)}`);
  lines.push(...footer(grid, options, levels).flatMap((line) => foldLine(line, width)));
  return `${lines.join('\n')}\n`;
}

function colourLine(
  columns: number,
  depth: Exclude<ColorDepth, 'none'>,
  level: (column: number, below: 0 | 1) => number,
): string {
  let text = '';
  let last = '';
  for (let column = 0; column < columns; column++) {
    const [code, glyph] = half(level(column, 0), level(column, 1), depth);
    text += `${code === last ? '' : code}${glyph}`;
    last = code;
  }
  return `${text}${COLOR_RESET}`;
}

function labelOf(grid: HeatGridFacts, time: 'down' | 'across', line: number, lines: number): string {
  const isMarked = line === 0 || line === lines - 1 || line === lines >> 1;
  if (!isMarked) return '';
  const share = lines === 1 ? 0 : line / (lines - 1);
  if (time === 'down') return timeText(grid.startUs + share * (grid.endUs - grid.startUs));
  return `+${formatBytes((1 - share) * (grid.range.end - grid.range.start))}`;
}

/** Before the record began: of what was seen of old ages. */
export function timeText(us: number): string {
  return us === 0 ? '0 s' : us < 0 ? `-${formatSeconds(-us / 1e6)}` : formatSeconds(us / 1e6);
}

function acrossAxis(grid: HeatGridFacts, time: 'down' | 'across', columns: number): string {
  const [left, right] =
    time === 'down'
      ? [`0x${grid.range.start.toString(16)}`, `+${formatBytes(grid.range.end - grid.range.start)}`]
      : [timeText(grid.startUs), timeText(grid.endUs)];
  return `${left}${right.padStart(Math.max(right.length + 1, columns - left.length))}`;
}

function footer(grid: HeatGridFacts, { depth, time }: HeatPictureOptions, levels: Levels): string[] {
  const number = (value: number): string => Number(value.toPrecision(3)).toString();
  const ramp =
    depth === 'none'
      ? '0123456789'
      : `${Array.from({ length: 16 }, (_, i) => `${colorPair(i / 15, i / 15, depth)}▀`).join('')}${COLOR_RESET}`;
  const { start, end } = grid.range;
  const bytes = formatBytes((end - start) / grid.columns);
  const seconds = formatSeconds((grid.endUs - grid.startUs) / 1e6 / grid.rows);
  const axes =
    time === 'down' ? 'time downwards, addresses to the right' : 'time to the right, addresses upwards';
  return [
    `${grid.unit}: ${number(levels.low)} ${ramp} ${number(levels.high)} (${levels.scale}); blank: not seen`,
    `${axes}; addresses 0x${start.toString(16)}-0x${end.toString(16)} (${formatBytes(end - start)})`,
    `a cell is ${seconds} and ${bytes}`,
  ];
}

/** The strip of a snapshot: one line, a character a cell. */
export function renderStrip(cells: Float64Array, depth: ColorDepth, scale?: HeatScale): string {
  const levels = levelsOf(cells, scale);
  if (depth === 'none') return Array.from(cells, (value) => digitOf(levels.of(value))).join('');
  const colored = Array.from(cells, (value) => cellColor(levels.of(value), depth));
  return `${colored.map((code) => (code === '' ? ' ' : `${code}█`)).join('')}${COLOR_RESET}`;
}
