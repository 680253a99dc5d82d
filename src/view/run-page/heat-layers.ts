/** The pictures of the heat map that lie on each other: what was seen, what is true, where regions are. */
import { heatColor, type Rgb } from '../palette.ts';
import { type Levels, levelsOf } from '../report/level.ts';
import { base64, type Deflate, encodePng } from '../report/png.ts';

/** Time by address: `cells[time * rows + row]`, rows from the lowest address up. */
export interface HeatCells {
  readonly times: number;
  readonly rows: number;
  readonly cells: Float64Array;
}

export interface SeenLayer {
  readonly href: string;
  readonly levels: Levels;
  /** Level of each cell, 0 to 255, in base64: what the page reads under the pointer. */
  readonly bytes: string;
}

const TRUTH: Rgb = [0, 230, 200];
const REGIONS: Rgb = [255, 255, 255];

export function seenLayer({ times, rows, cells }: HeatCells, deflate: Deflate): SeenLayer {
  const levels = levelsOf(cells);
  const bytes = new Uint8Array(cells.length);
  const rgba = new Uint8Array(cells.length * 4);
  forEachPixel(times, rows, (cell, pixel) => {
    const level = levels.of(cells[cell]);
    bytes[cell] = Math.round(255 * level);
    rgba.set([...heatColor(level), 255], pixel * 4);
  });
  return { href: dataUrl(times, rows, rgba, deflate), levels, bytes: base64(bytes) };
}

/** The rim of what is truly hot: a cell that is, beside one that is not. */
export function truthLayer({ times, rows, cells }: HeatCells, deflate: Deflate): string {
  const rgba = new Uint8Array(cells.length * 4);
  const isHot = (time: number, row: number): boolean =>
    time >= 0 && time < times && row >= 0 && row < rows && cells[time * rows + row] >= 0.5;
  forEachPixel(times, rows, (cell, pixel) => {
    const [time, row] = [Math.floor(cell / rows), cell % rows];
    const isRim =
      isHot(time, row) &&
      !(isHot(time - 1, row) && isHot(time + 1, row) && isHot(time, row - 1) && isHot(time, row + 1));
    // Where less than a cell is hot, the more of it the clearer.
    const share = cells[cell] < 0.5 ? cells[cell] : isRim ? 1 : 0;
    if (share > 0) rgba.set([...TRUTH, Math.round(40 + 200 * share)], pixel * 4);
  });
  return dataUrl(times, rows, rgba, deflate);
}

/** How finely memory is divided: the more regions in a cell the lighter, on a logarithmic scale. */
export function regionLayer({ times, rows, cells }: HeatCells, deflate: Deflate): string {
  const most = cells.reduce((a, b) => Math.max(a, b), 1);
  const rgba = new Uint8Array(cells.length * 4);
  forEachPixel(times, rows, (cell, pixel) => {
    const share = most > 1 ? Math.log2(1 + cells[cell]) / Math.log2(1 + most) : 0;
    rgba.set([...REGIONS, Math.round(150 * share)], pixel * 4);
  });
  return dataUrl(times, rows, rgba, deflate);
}

/** Addresses go up, pictures down. */
function forEachPixel(times: number, rows: number, visit: (cell: number, pixel: number) => void): void {
  for (let time = 0; time < times; time++) {
    for (let row = 0; row < rows; row++) visit(time * rows + row, (rows - 1 - row) * times + time);
  }
}

function dataUrl(width: number, height: number, rgba: Uint8Array, deflate: Deflate): string {
  return `data:image/png;base64,${base64(encodePng(width, height, rgba, deflate))}`;
}
