/** What tracking costs, in bytes and CPU time, against what it gains: two panels per machine size. */
import { formatBytes } from '../../memory/units.ts';
import { PANEL_WIDTH, type PanelSpec, panelHeight, panelSvg } from './panel.ts';
import { escapeXml, FAMILIES, type Family, mark, PLOT_STYLE, THEME } from './style.ts';

export interface CostPoint {
  /** The tracker, with what was set of it. */
  readonly label: string;
  readonly family: Family;
  /** null: not simulated at this size. */
  readonly fastTierShare: number | null;
  /** null: it depends on a run that there was not. */
  readonly metadataBytes: number | null;
  /** CPU time for finding hot memory, without moving it, as a share of one CPU. */
  readonly cpuShare: number | null;
}

/** All on the same machine with the same workload. */
export interface CostScene {
  readonly title: string;
  readonly points: readonly CostPoint[];
}

export interface CostPlot {
  readonly title: string;
  readonly subtitle: string;
  readonly scenes: readonly CostScene[];
}

const GAP = 16;
const HEAD = 74;

export function formatCpuShare(share: number): string {
  const percent = share * 100;
  return `${percent === 0 ? 0 : percent >= 0.1 ? Number(percent.toPrecision(3)) : percent.toPrecision(2)} %`;
}

/** Bytes and CPU time of one scene. */
export function panelsOf({ title, points }: CostScene): readonly [PanelSpec, PanelSpec] {
  return [
    {
      title: `${title}: metadata`,
      axis: 'bytes of metadata, logarithmic',
      base: 4,
      format: (bytes) => formatBytes(bytes).replace(/\.0+ /, ' '),
      points: points.map(({ label, family, fastTierShare, metadataBytes }) => ({
        label,
        family,
        share: fastTierShare,
        cost: metadataBytes,
      })),
    },
    {
      title: `${title}: CPU time`,
      axis: 'CPU time for finding hot memory, share of one CPU, logarithmic',
      base: 10,
      format: formatCpuShare,
      points: points.map(({ label, family, fastTierShare, cpuShare }) => ({
        label,
        family,
        share: fastTierShare,
        cost: cpuShare,
      })),
    },
  ];
}

/** A picture of its own, for light and dark. */
export function renderCostPlot({ title, subtitle, scenes }: CostPlot): string {
  const width = 2 * PANEL_WIDTH + GAP;
  let top = HEAD;
  const parts: string[] = [];
  for (const scene of scenes) {
    const panels = panelsOf(scene);
    panels.forEach((panel, i) => {
      parts.push(`<g transform="translate(${i * (PANEL_WIDTH + GAP)} ${top})">\n${panelSvg(panel)}\n</g>`);
    });
    top += Math.max(...panels.map(panelHeight)) + GAP;
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" class="plot" viewBox="0 0 ${width} ${top}" width="${width}" height="${top}" role="img" aria-label="${escapeXml(title)}">`,
    `<style>${THEME}${PLOT_STYLE}</style>`,
    `<rect class="ground" width="${width}" height="${top}"/>`,
    `<text class="head" x="50" y="22">${escapeXml(title)}</text>`,
    `<text class="faint" x="50" y="40">${escapeXml(subtitle)}</text>`,
    legend(),
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

/** One panel as a picture in a page, which has the styles. */
export function renderPanel(spec: PanelSpec): string {
  const height = panelHeight(spec);
  return `<svg class="plot" viewBox="0 0 ${PANEL_WIDTH} ${height}" role="img" aria-label="${escapeXml(spec.title)}">\n${panelSvg(spec)}\n</svg>`;
}

/** Signs and what they mean; the sign is SVG around 8, 8. */
export const LEGEND: readonly (readonly [sign: string, meaning: string])[] = [
  ...FAMILIES.map((family) => [mark(family, 8, 8), family] as const),
  ['<circle class="ring" cx="8" cy="8" r="7"/>', 'on the Pareto front'],
  [mark('per page', 8, 8, ' hollow'), 'not run at this size, bytes by arithmetic'],
];

function legend(): string {
  let x = 50;
  return LEGEND.map(([sign, meaning]) => {
    const item = `<g transform="translate(${x} 48)">${sign}<text x="20" y="12">${meaning}</text></g>`;
    x += 38 + meaning.length * 5.8;
    return item;
  }).join('\n');
}
