/** The heat map of a record: on the terminal, as raw numbers, or as a picture. */
import { writeFileSync } from 'node:fs';
import { deflateSync } from 'node:zlib';
import { type HeatArea, type HeatRaster, heatAreas, heatRaster } from '../lab/report/heat-raster.ts';
import { ThermoError } from '../memory/error.ts';
import type { RegionRecord } from '../memory/region-record.ts';
import { writeError } from '../records/write-error.ts';
import { AXIS_WIDTH, renderHeatPicture } from '../view/report/heat-picture.ts';
import { renderHeatPage, renderHeatPng, renderHeatSvg } from '../view/report/heat-svg.ts';
import type { ReportContext, Reported } from './commands/report.ts';

/** As damo's: lines and columns on a terminal. */
const ROWS = 40;
const COLUMNS = 80;
/** Of pictures; time is across. */
const PICTURE_CELLS = 500;

export function heatMapReport(record: RegionRecord, context: ReportContext): Reported {
  const { options, terminal, file } = context;
  const { picture, timeAxis, raw } = options;
  const isPicture = picture !== undefined;
  const time = timeAxis ?? (isPicture ? 'across' : 'down');
  const room = Math.max(10, terminal.width - AXIS_WIDTH - 1);
  // Half blocks show two cells above each other.
  const perLine = terminal.colorDepth === 'none' ? 1 : 2;
  const [down, across] = [ROWS * perLine, Math.min(COLUMNS, room)];
  const rows = options.rows ?? (isPicture ? PICTURE_CELLS : time === 'down' ? down : across);
  const columns = options.columns ?? (isPicture ? PICTURE_CELLS : time === 'down' ? across : down);
  const areas = areasOf(record, options.area);
  const rasters = areas.map((range) => heatRaster(record, { rows, columns, range }));
  const look = { time, ...(options.scale === undefined ? {} : { scale: options.scale }) };
  if (picture !== undefined) write(picture, rasters[0], file, look);
  const text =
    raw === true
      ? rasters.map(rawText).join('')
      : rasters
          .map((grid) =>
            renderHeatPicture(grid, { width: terminal.width, depth: terminal.colorDepth, ...look }),
          )
          .join('\n');
  return { json: rasters.map(jsonOf), text: isPicture ? `picture: ${picture}\n` : text };
}

function areasOf(record: RegionRecord, which: 'hottest' | 'all'): HeatArea[] {
  const areas = heatAreas(record);
  if (areas.length === 0) {
    throw new ThermoError('THERMO_USAGE', 'there is no region to draw', {
      hint: 'ask for more with --address, --size, --rate or --age',
    });
  }
  if (which === 'all') return areas;
  return [areas.reduce((hottest, area) => (area.heat > hottest.heat ? area : hottest))];
}

/** Unknown cells are null in JSON, nan in raw text. */
function jsonOf({ cells, range, ...grid }: HeatRaster): unknown {
  const { rows, columns } = grid;
  return {
    ...grid,
    start: range.start,
    end: range.end,
    cells: Array.from({ length: rows }, (_, row) =>
      Array.from(cells.subarray(row * columns, (row + 1) * columns), (value) =>
        Number.isNaN(value) ? null : value,
      ),
    ),
  };
}

/** Time in us, address, heat. */
function rawText({ rows, columns, cells, startUs, endUs, range }: HeatRaster): string {
  const lines: string[] = [];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const us = startUs + (row * (endUs - startUs)) / rows;
      const address = range.start + (column * (range.end - range.start)) / columns;
      const heat = cells[row * columns + column];
      lines.push(`${Math.round(us)}\t${Math.round(address)}\t${Number.isNaN(heat) ? 'nan' : heat}\n`);
    }
  }
  return lines.join('');
}

function write(
  path: string,
  raster: HeatRaster,
  title: string,
  look: Pick<Parameters<typeof renderHeatSvg>[1], 'time' | 'scale'>,
): void {
  const options = { title, deflate: (bytes: Uint8Array) => deflateSync(bytes), ...look };
  const content = /\.png$/i.test(path)
    ? renderHeatPng(raster, options)
    : /\.html$/i.test(path)
      ? renderHeatPage(raster, options)
      : renderHeatSvg(raster, options);
  try {
    writeFileSync(path, content);
  } catch (error) {
    throw writeError(error, path, 'name another file with --picture');
  }
}
