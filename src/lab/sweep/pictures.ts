/** From means to what plots and pages show: one scene per machine, size and threshold. */
import { formatBytesExact, formatCount, formatEventRate } from '../../memory/units.ts';
import type { PageRow } from '../../view/compare-page.ts';
import type { FrontLine } from '../../view/front-table.ts';
import type { CostPlot, CostPoint, CostScene } from '../../view/plot/cost-plot.ts';
import { paretoFront } from '../../view/plot/pareto.ts';
import type { Family } from '../../view/plot/style.ts';
import { chooseContestants } from '../compare/contestants.ts';
import type { SweepRow } from './summary.ts';

/** What tells scenes apart is said by the scene. */
const SCENE_KEYS: ReadonlySet<string> = new Set(['machine', 'workload', 'size', 'hot', 'tracker']);

/** By definition at 0 and at 100 %, so that they only squeeze the rest. */
const UNPLOTTED: ReadonlySet<string> = new Set(['all-fast', 'all-slow']);

interface Scene {
  readonly title: string;
  readonly rows: readonly SweepRow[];
}

export function costPlotOf(rows: readonly SweepRow[], version: string): CostPlot {
  const keys = [...new Set(rows.flatMap(({ settings }) => Object.keys(settings)))].filter(
    (key) => !SCENE_KEYS.has(key),
  );
  const seeds = Math.max(0, ...rows.map((row) => row.seeds));
  return {
    title: 'What tracking costs, and what it gains',
    subtitle: [
      'modelled',
      seeds === 1 ? 'one seed' : `means of ${formatCount(seeds)} seeds`,
      ...(keys.length > 0 ? [`beside the names: ${keys.join(', ')}`] : []),
      `thermocline ${version}`,
    ].join('; '),
    scenes: scenesOf(rows).map(
      ({ title, rows: inScene }): CostScene => ({
        title,
        points: inScene.filter(({ tracker }) => !UNPLOTTED.has(tracker)).map(pointOf),
      }),
    ),
  };
}

/** Rows of the table of a page. */
export function pageRowsOf(rows: readonly SweepRow[]): PageRow[] {
  return scenesOf(rows).flatMap(({ title, rows: inScene }) =>
    inScene.map(
      (row): PageRow => ({
        scene: title,
        label: labelOf(row),
        what: chooseContestants([row.tracker])[0].what,
        line: row.means === null ? null : { ...row.means, efficiency: row.efficiency, spread: row.spread },
        metadataBytes: row.metadataBytes,
        note: row.note,
      }),
    ),
  );
}

/** Who is on a front, by bytes or by CPU time, in each scene. */
export function frontsOf(rows: readonly SweepRow[]): FrontLine[] {
  return scenesOf(rows).flatMap(({ title, rows: inScene }) => {
    const points = inScene.map(pointOf).filter(({ family }) => family !== 'baseline');
    const front = (cost: 'metadataBytes' | 'cpuShare'): CostPoint[] =>
      paretoFront(
        points.flatMap((point) =>
          point[cost] === null || point.fastTierShare === null
            ? []
            : [{ cost: point[cost], gain: point.fastTierShare, point }],
        ),
      ).map(({ point }) => point);
    const [byBytes, byCpu] = [new Set(front('metadataBytes')), new Set(front('cpuShare'))];
    return points
      .filter((point) => byBytes.has(point) || byCpu.has(point))
      .sort((a, b) => (b.fastTierShare ?? 0) - (a.fastTierShare ?? 0))
      .map(
        (point): FrontLine => ({
          ...point,
          scene: title,
          isBestByBytes: byBytes.has(point),
          isBestByCpu: byCpu.has(point),
        }),
      );
  });
}

function scenesOf(rows: readonly SweepRow[]): Scene[] {
  const scenes = new Map<string, SweepRow[]>();
  const hasManyRates = new Set(rows.map(({ minRatePerS }) => minRatePerS)).size > 1;
  for (const row of rows) {
    const title = [
      row.machine,
      ...(row.settings.workload === undefined ? [] : [row.settings.workload]),
      ...(row.sizeBytes === null ? [] : [formatBytesExact(row.sizeBytes)]),
      ...(hasManyRates ? [`hot from ${formatEventRate(row.minRatePerS)}`] : []),
    ].join(', ');
    scenes.set(title, [...(scenes.get(title) ?? []), row]);
  }
  return [...scenes].map(([title, inScene]) => ({ title, rows: inScene }));
}

function labelOf({ tracker, settings }: SweepRow): string {
  const said = Object.entries(settings).flatMap(([key, text]) => (SCENE_KEYS.has(key) ? [] : [text]));
  return [tracker, ...said].join(' ');
}

function pointOf(row: SweepRow): CostPoint {
  const { means } = row;
  return {
    label: labelOf(row),
    family: familyOf(row.tracker),
    fastTierShare: means?.fastTierShare ?? null,
    metadataBytes: row.metadataBytes,
    cpuShare:
      means === null || !(means.completionSeconds > 0)
        ? null
        : (means.cpu.applicationSeconds + means.cpu.backgroundSeconds) / means.completionSeconds,
  };
}

function familyOf(tracker: string): Family {
  switch (chooseContestants([tracker])[0].kind) {
    case 'tracker':
      return 'per page';
    case 'monitor':
      return 'per region';
    case 'baseline':
    case 'oracle':
      return 'baseline';
  }
}
