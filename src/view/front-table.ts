/** Who is on the Pareto front of cost and gain, as a table for the terminal. */
import { formatBytes, formatPercent } from '../memory/units.ts';
import { foldLine } from './fold.ts';
import { type CostPoint, formatCpuShare } from './plot/cost-plot.ts';
import { renderTable } from './table.ts';

export interface FrontLine extends CostPoint {
  /** Machine and size. */
  readonly scene: string;
  readonly isBestByBytes: boolean;
  readonly isBestByCpu: boolean;
}

const TITLES = ['tracker', 'kind', 'fast', 'metadata', 'CPU', 'on the front by'] as const;
const LEFT: ReadonlySet<string> = new Set(['tracker', 'kind', 'on the front by']);

/** `CPU` is the time for finding hot memory, without moving it. */
export function renderFronts(lines: readonly FrontLine[], width: number): string {
  const scenes = [...new Set(lines.map(({ scene }) => scene))];
  const parts = scenes.map((scene) => {
    const cells = lines.filter((line) => line.scene === scene).map(cellsOf);
    const table = renderTable(
      TITLES.map((title) => ({ title, align: LEFT.has(title) ? ('left' as const) : ('right' as const) })),
      cells,
    );
    const isNarrow = table.some((line) => line.length > width);
    const shown = isNarrow
      ? cells.flatMap(([label, ...rest]) => [
          label,
          ...rest.map((text, i) => `  ${TITLES[i + 1].padEnd(15)}  ${text}`),
        ])
      : table;
    return [...foldLine(`Pareto front, ${scene}`, width), ...shown].join('\n');
  });
  return `${parts.join('\n\n')}\n`;
}

function cellsOf(line: FrontLine): string[] {
  const by = [...(line.isBestByBytes ? ['metadata'] : []), ...(line.isBestByCpu ? ['CPU'] : [])];
  return [
    line.label,
    line.family,
    line.fastTierShare === null ? '-' : formatPercent(line.fastTierShare),
    line.metadataBytes === null ? '-' : formatBytes(line.metadataBytes),
    line.cpuShare === null ? '-' : formatCpuShare(line.cpuShare),
    by.join(', '),
  ];
}
