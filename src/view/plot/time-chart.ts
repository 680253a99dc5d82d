/** A chart of values over time: areas on each other, or lines, with axes, a legend and a title. */
import { formatSeconds } from '../../memory/units.ts';
import { escapeXml, round } from './style.ts';

export interface TimeSeries {
  readonly name: string;
  /** One per time; NaN: nothing to show. */
  readonly values: readonly number[];
}

export interface TimeChart {
  readonly title: string;
  /** End of each stretch of time, us; the first begins at 0. */
  readonly endsUs: readonly number[];
  readonly series: readonly TimeSeries[];
  /** stacked: areas on each other; steps: a line each. */
  readonly kind: 'stacked' | 'steps';
  readonly format: (value: number) => string;
  /** Bytes have round numbers of their own. */
  readonly isBinary?: boolean;
  /** Where the axis ends, if not with the largest value. */
  readonly most?: number;
}

const WIDTH = 720;
const HEIGHT = 180;
const LEFT = 78;
const RIGHT = 10;
const TOP = 26;
const BOTTOM = 24;
const TICKS = 5;
/** Classes of colour that the page knows. */
export const SERIES_COLORS = 6;

export const CHART_STYLE = [
  '.chart{--s0:#0b5cad;--s1:#b3470b;--s2:#1a7f5a;--s3:#8250b0;--s4:#8a6d00;--s5:#59636e}',
  '@media(prefers-color-scheme:dark){.chart{--s0:#6cb2ff;--s1:#ff9d5c;--s2:#5fd3a4;--s3:#c9a2ff;--s4:#e2c044;--s5:#9aa4b2}}',
  ...Array.from(
    { length: SERIES_COLORS },
    (_, i) =>
      `.chart .a${i}{fill:var(--s${i});opacity:.75}.chart .l${i}{fill:none;stroke:var(--s${i});stroke-width:1.6}.chart .k${i}{fill:var(--s${i})}`,
  ),
].join('');

export function renderTimeChart(chart: TimeChart): string {
  const { endsUs, series, kind } = chart;
  const right = WIDTH - RIGHT;
  const bottom = HEIGHT - BOTTOM;
  const lastUs = endsUs.at(-1) ?? 1;
  const x = (us: number): string => String(round(LEFT + (us / lastUs) * (right - LEFT)));
  const stacks = kind === 'stacked' ? stacked(series) : series.map(({ values }) => values);
  const largest = stacks
    .flat()
    .filter(Number.isFinite)
    .reduce((a, b) => Math.max(a, b), 0);
  const bound = chart.most ?? (largest > 0 ? largest : 1);
  const most = chart.isBinary === true ? binaryCeiling(bound) : niceCeiling(bound);
  const y = (value: number): string =>
    String(round(bottom - (Math.min(value, most) / most) * (bottom - TOP)));
  const shapes = stacks
    .map((values, i) =>
      kind === 'stacked'
        ? `<path class="a${i % SERIES_COLORS}" d="${area(endsUs, values, stacks[i - 1], x, y, bottom)}"/>`
        : `<path class="l${i % SERIES_COLORS}" d="${steps(endsUs, values, x, y)}"/>`,
    )
    .join('');
  const levels = Array.from({ length: 3 }, (_, i) => (most * i) / 2);
  const times = Array.from({ length: TICKS }, (_, i) => (lastUs * i) / (TICKS - 1));
  let legendX = LEFT;
  const legend = series.map(({ name }, i) => {
    const at = legendX;
    legendX += 22 + name.length * 7;
    return `<rect class="k${i % SERIES_COLORS}" x="${round(at)}" y="12" width="9" height="9"/><text x="${round(at + 13)}" y="20">${escapeXml(name)}</text>`;
  });
  return [
    `<svg class="plot chart" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeXml(summary(chart))}">`,
    ...levels.map(
      (value) =>
        `<path class="grid" d="M${LEFT} ${y(value)}H${right}"/><text class="faint" x="${LEFT - 6}" y="${Number(y(value)) + 4}" text-anchor="end">${escapeXml(chart.format(value))}</text>`,
    ),
    shapes,
    `<path class="frame" d="M${LEFT} ${TOP}V${bottom}H${right}"/>`,
    ...times.map(
      (us, i) =>
        `<text class="faint" x="${x(us)}" y="${HEIGHT - 8}" text-anchor="${i === 0 ? 'start' : i === TICKS - 1 ? 'end' : 'middle'}">${us === 0 ? '0 s' : formatSeconds(us / 1e6)}</text>`,
    ),
    ...legend,
    '</svg>',
  ].join('');
}

/** For those who hear the page: what was last. */
function summary({ title, series, format }: TimeChart): string {
  const last = series.map(({ name, values }) => {
    const value = values.findLast((each) => Number.isFinite(each));
    return `${name} ${value === undefined ? 'nothing' : format(value)}`;
  });
  return `${title}; at the end ${last.join(', ')}`;
}

function stacked(series: readonly TimeSeries[]): number[][] {
  const sums: number[][] = [];
  for (const { values } of series) {
    const below = sums.at(-1);
    sums.push(values.map((value, i) => (Number.isFinite(value) ? value : 0) + (below?.[i] ?? 0)));
  }
  return sums;
}

type Pixel = (value: number) => string;

function steps(endsUs: readonly number[], values: readonly number[], x: Pixel, y: Pixel): string {
  let path = '';
  let isDown = false;
  values.forEach((value, i) => {
    if (!Number.isFinite(value)) {
      isDown = false;
      return;
    }
    path += isDown ? `V${y(value)}` : `M${x(i === 0 ? 0 : endsUs[i - 1])} ${y(value)}`;
    path += `H${x(endsUs[i])}`;
    isDown = true;
  });
  return path;
}

function area(
  endsUs: readonly number[],
  top: readonly number[],
  below: readonly number[] | undefined,
  x: Pixel,
  y: Pixel,
  bottom: number,
): string {
  const forth = steps(endsUs, top, x, y);
  if (below === undefined) return `${forth}V${bottom}H${x(0)}Z`;
  let back = '';
  for (let i = below.length - 1; i >= 0; i--) back += `V${y(below[i])}H${x(i === 0 ? 0 : endsUs[i - 1])}`;
  return `${forth}${back}Z`;
}

/** A round number of B, KiB, MiB, ..., at least `value`. */
function binaryCeiling(value: number): number {
  const unit = 1024 ** Math.floor(Math.log2(Math.max(1, value)) / 10);
  const rounded = niceCeiling(value / unit) * unit;
  return rounded > 512 * unit ? 1024 * unit : rounded;
}

/** 1, 2 or 5 times a power of ten, at least `value`. */
function niceCeiling(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5, 10].find((each) => each * power >= value * (1 - 1e-9)) ?? 10) * power;
}
