/** A heat map of a record as a picture: an SVG with axes and a scale around a PNG, the PNG alone, or a page. */
import { formatBytes, formatSeconds } from '../../memory/units.ts';
import { heatColor } from '../palette.ts';
import { escapeXml } from '../plot/style.ts';
import { type HeatGridFacts, timeText } from './heat-picture.ts';
import { type HeatScale, levelsOf } from './level.ts';
import { base64, type Deflate, encodePng } from './png.ts';

export interface HeatImageOptions {
  readonly title: string;
  readonly time: 'down' | 'across';
  readonly scale?: HeatScale;
  readonly deflate: Deflate;
}

const PLOT_WIDTH = 720;
const PLOT_HEIGHT = 440;
const LEFT = 92;
const TOP = 34;
const BOTTOM = 78;
const RIGHT = 24;
const TICKS = 5;
const SCALE_STEPS = 64;

/** One pixel a cell; what nobody saw is transparent. */
export function renderHeatPng(grid: HeatGridFacts, options: HeatImageOptions): Uint8Array {
  const levels = levelsOf(grid.cells, options.scale);
  const [width, height] = options.time === 'down' ? [grid.columns, grid.rows] : [grid.rows, grid.columns];
  const rgba = new Uint8Array(width * height * 4);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      // Time goes down or to the right, addresses to the right or up.
      const [row, column] = options.time === 'down' ? [y, x] : [x, height - 1 - y];
      const level = levels.of(grid.cells[row * grid.columns + column]);
      if (Number.isNaN(level)) continue;
      rgba.set([...heatColor(level), 255], (y * width + x) * 4);
    }
  }
  return encodePng(width, height, rgba, options.deflate);
}

export function renderHeatSvg(grid: HeatGridFacts, options: HeatImageOptions): string {
  const levels = levelsOf(grid.cells, options.scale);
  const image = base64(renderHeatPng(grid, options));
  const width = LEFT + PLOT_WIDTH + RIGHT;
  const height = TOP + PLOT_HEIGHT + BOTTOM;
  const { range, startUs, endUs } = grid;
  const timeAt = (share: number): string => timeText(startUs + share * (endUs - startUs));
  const addressAt = (share: number): string => `+${formatBytes(share * (range.end - range.start))}`;
  const isDown = options.time === 'down';
  const shares = Array.from({ length: TICKS }, (_, i) => i / (TICKS - 1));
  const marks = shares.flatMap((share) => {
    const x = LEFT + share * PLOT_WIDTH;
    const y = TOP + (isDown ? share : 1 - share) * PLOT_HEIGHT;
    return [
      `<path d="M${x} ${TOP + PLOT_HEIGHT}v5" class="axis"/>`,
      `<text x="${x}" y="${TOP + PLOT_HEIGHT + 18}" text-anchor="middle">${(isDown ? addressAt : timeAt)(share)}</text>`,
      `<path d="M${LEFT} ${y}h-5" class="axis"/>`,
      `<text x="${LEFT - 8}" y="${y + 4}" text-anchor="end">${(isDown ? timeAt : addressAt)(share)}</text>`,
    ];
  });
  const scaleY = TOP + PLOT_HEIGHT + 44;
  const scale = Array.from({ length: SCALE_STEPS }, (_, i) => {
    const step = 240 / SCALE_STEPS;
    return `<rect x="${LEFT + i * step}" y="${scaleY}" width="${step + 0.5}" height="10" fill="rgb(${heatColor(i / (SCALE_STEPS - 1)).join(',')})"/>`;
  });
  const number = (value: number): string => Number(value.toPrecision(3)).toString();
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" font-family="sans-serif" font-size="12">`,
    `<title>${escapeXml(options.title)}: heat over time and address</title>`,
    '<style>text{fill:#222}.axis,.frame{stroke:#555;fill:none}@media (prefers-color-scheme:dark){text{fill:#ddd}.axis,.frame{stroke:#999}}</style>',
    `<text x="${LEFT}" y="20" font-size="14">${escapeXml(options.title)}: addresses from 0x${range.start.toString(16)} to 0x${range.end.toString(16)}</text>`,
    `<image x="${LEFT}" y="${TOP}" width="${PLOT_WIDTH}" height="${PLOT_HEIGHT}" preserveAspectRatio="none" style="image-rendering:pixelated" href="data:image/png;base64,${image}"/>`,
    `<rect x="${LEFT}" y="${TOP}" width="${PLOT_WIDTH}" height="${PLOT_HEIGHT}" class="frame"/>`,
    ...marks,
    ...scale,
    `<text x="${LEFT}" y="${scaleY + 24}">${number(levels.low)}</text>`,
    `<text x="${LEFT + 240}" y="${scaleY + 24}" text-anchor="end">${number(levels.high)}</text>`,
    `<text x="${LEFT + 256}" y="${scaleY + 10}">${grid.unit}, ${levels.scale} scale; empty: not seen; a cell is ${formatSeconds((endUs - startUs) / 1e6 / grid.rows)} and ${formatBytes((range.end - range.start) / grid.columns)}</text>`,
    '</svg>',
    '',
  ].join('\n');
}

export function renderHeatPage(grid: HeatGridFacts, options: HeatImageOptions): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escapeXml(options.title)}</title>
<style>:root{color-scheme:light dark}body{margin:1rem}svg{max-width:100%;height:auto}</style>
${renderHeatSvg(grid, options)}</html>
`;
}
