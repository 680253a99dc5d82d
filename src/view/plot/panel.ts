/** One panel: what a tracker costs against the share of accesses that the fast tier serves. */
import { formatPercent } from '../../memory/units.ts';
import { type Labelled, type Placement, placeLabels } from './labels.ts';
import { paretoFront } from './pareto.ts';
import { costScale, shareScale } from './scale.ts';
import { classOf, escapeXml, type Family, mark, round } from './style.ts';

export interface PanelPoint {
  readonly label: string;
  readonly family: Family;
  /** null: nobody can tell. */
  readonly cost: number | null;
  /** null: not simulated. */
  readonly share: number | null;
}

export interface PanelSpec {
  readonly title: string;
  readonly axis: string;
  readonly points: readonly PanelPoint[];
  /** Ticks are powers of it. */
  readonly base: number;
  readonly format: (cost: number) => string;
}

export const PANEL_WIDTH = 440;
const PLOT_HEIGHT = 270;
const LEFT = 50;
const RIGHT = 10;
const TOP = 26;
const BELOW = 42;
/** For those of whom only the cost is known. */
const STRIP = 76;
/** From its upper edge; the names stand below. */
const STRIP_POINT = 14;

interface Placed extends Labelled {
  readonly family: Family;
  readonly point: PanelPoint;
  readonly isSimulated: boolean;
}

/** Whether there are points of which only the cost is known. */
function hasStrip({ points }: PanelSpec): boolean {
  return points.some(({ cost, share }) => cost !== null && share === null);
}

export function panelHeight(spec: PanelSpec): number {
  return TOP + PLOT_HEIGHT + (hasStrip(spec) ? STRIP : 0) + BELOW;
}

/** SVG of a panel, its upper left corner at 0, 0. */
export function panelSvg(spec: PanelSpec): string {
  const right = PANEL_WIDTH - RIGHT;
  const bottom = TOP + PLOT_HEIGHT;
  const end = bottom + (hasStrip(spec) ? STRIP : 0);
  const known = spec.points.filter((point): point is PanelPoint & { cost: number } => point.cost !== null);
  const simulated = known.filter((point): point is typeof point & { share: number } => point.share !== null);
  const x = costScale(
    known.map(({ cost }) => cost),
    [LEFT, right],
    spec.base,
    spec.format,
  );
  const y = shareScale(
    simulated.map(({ share }) => share),
    bottom,
    TOP,
  );
  // Baselines are no offers: doing nothing is free, and nobody can have a clairvoyant.
  const front = paretoFront(
    simulated
      .filter(({ family }) => family !== 'baseline')
      .map((point) => ({ cost: point.cost, gain: point.share, point })),
  );
  const best = new Set<PanelPoint>(front.map(({ point }) => point));
  const placed = known.map(
    (point): Placed => ({
      x: x.at(point.cost),
      y: point.share === null ? bottom + STRIP_POINT : y.at(point.share),
      text: point.label,
      family: point.family,
      point,
      isSimulated: point.share !== null,
      isBest: best.has(point),
    }),
  );
  const rank = (each: Placed): number => (each.isBest ? 0 : each.family === 'baseline' ? 1 : 2);
  const byRank = [...placed].sort((a, b) => rank(a) - rank(b));
  const frame = { left: LEFT + 2, right: right - 2, top: TOP + 2, bottom: bottom - 2 };
  const strip = { left: LEFT + 2, right: right - 2, top: bottom + 2, bottom: end - 2 };
  const labels = [
    ...placeLabels(
      byRank.filter(({ isSimulated }) => isSimulated),
      frame,
    ),
    ...placeLabels(
      byRank.filter(({ isSimulated }) => !isSimulated),
      strip,
    ),
  ];
  const line = front.map(({ cost, gain }) => [round(x.at(cost)), round(y.at(gain))] as const);
  return [
    `<text class="title" x="${LEFT}" y="15">${escapeXml(spec.title)}</text>`,
    `<text class="faint" x="${right}" y="15" text-anchor="end">\u2191 fast-tier share</text>`,
    ...y.ticks.flatMap(({ at, text }) => [
      `<line class="grid" x1="${LEFT}" x2="${right}" y1="${round(at)}" y2="${round(at)}"/>`,
      `<text class="faint" x="${LEFT - 6}" y="${round(at + 4)}" text-anchor="end">${text}</text>`,
    ]),
    ...x.ticks.flatMap(({ at, text }) => [
      `<line class="grid" x1="${round(at)}" x2="${round(at)}" y1="${TOP}" y2="${end}"/>`,
      `<text class="faint" x="${round(at)}" y="${end + 15}" text-anchor="middle">${escapeXml(text)}</text>`,
    ]),
    ...(x.breakAt === undefined
      ? []
      : [`<line class="break" x1="${x.breakAt}" x2="${x.breakAt}" y1="${TOP}" y2="${end}"/>`]),
    ...placed
      .filter(({ family, isSimulated }) => family === 'baseline' && isSimulated)
      .map(
        (each) =>
          `<line class="reference" x1="${LEFT}" x2="${right}" y1="${round(each.y)}" y2="${round(each.y)}"/>`,
      ),
    `<rect class="frame" x="${LEFT}" y="${TOP}" width="${right - LEFT}" height="${PLOT_HEIGHT}"/>`,
    ...(end > bottom
      ? [
          `<rect class="frame" x="${LEFT}" y="${bottom}" width="${right - LEFT}" height="${STRIP}"/>`,
          `<text class="faint" x="${LEFT - 6}" y="${bottom + STRIP_POINT + 1}" text-anchor="end">not</text>`,
          `<text class="faint" x="${LEFT - 6}" y="${bottom + STRIP_POINT + 14}" text-anchor="end">run</text>`,
        ]
      : []),
    ...(line.length > 0 ? [`<path class="front" d="${staircase(line, right)}"/>`] : []),
    ...labels.flatMap(({ x: px, y: py, leader }) =>
      leader === undefined
        ? []
        : [
            `<line class="leader" x1="${round(px)}" y1="${round(py)}" x2="${round(leader[0])}" y2="${round(leader[1])}"/>`,
          ],
    ),
    ...placed.map((each) => pointSvg(each, spec)),
    ...labels.map(nameSvg),
    `<text class="faint" x="${(LEFT + right) / 2}" y="${end + 33}" text-anchor="middle">${escapeXml(spec.axis)}</text>`,
  ].join('\n');
}

/** What can be had for a cost: the share of the best that costs no more. */
function staircase(points: readonly (readonly [number, number])[], right: number): string {
  const [[x, y], ...rest] = points;
  return `M${x} ${y}${rest.map(([nextX, nextY]) => `H${nextX}V${nextY}`).join('')}H${right}`;
}

function pointSvg({ x, y, family, point, isSimulated, isBest }: Placed, spec: PanelSpec): string {
  const share = point.share === null ? 'not simulated at this size' : formatPercent(point.share);
  const said = `${point.label}: ${spec.format(point.cost ?? 0)}, ${share}${isBest ? ', on the front' : ''}`;
  const ring = isBest ? `<circle class="ring" cx="${round(x)}" cy="${round(y)}" r="8.5"/>` : '';
  return `<g><title>${escapeXml(said)}</title>${ring}${mark(family, x, y, isSimulated ? '' : ' hollow')}</g>`;
}

function nameSvg({ text, family, isBest, box, anchor }: Placed & Placement): string {
  const x = anchor === 'start' ? box.left : anchor === 'end' ? box.right : (box.left + box.right) / 2;
  const css = `name ${classOf(family)}${isBest ? ' best' : ''}`;
  return `<text class="${css}" x="${round(x)}" y="${round(box.bottom - 3)}" text-anchor="${anchor}">${escapeXml(text)}</text>`;
}
