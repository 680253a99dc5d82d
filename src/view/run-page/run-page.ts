/**
 * The report of a run as one page that needs nothing but itself: the heat map with regions and truth, where memory
 * lay, what moved, what schemes were allowed, and what each of them did.
 */
import { formatBytes, formatCount, formatPercent, formatSeconds } from '../../memory/units.ts';
import { escapeXml, PLOT_STYLE, THEME } from '../plot/style.ts';
import { CHART_STYLE, renderTimeChart, type TimeChart } from '../plot/time-chart.ts';
import type { Deflate } from '../report/png.ts';
import type { RunFacts } from '../run-summary.ts';
import { HEAT_SCRIPT, HEAT_STYLE, type HeatFigure, renderHeatFigure } from './heat-figure.ts';

/** Of stretches of time, in their order. */
export interface RunSeries {
  readonly endsUs: readonly number[];
  /** By node: its name, and what of it was used at the end of each stretch. */
  readonly used: readonly {
    readonly name: string;
    readonly bytes: readonly number[];
  }[];
  readonly promotedBytes: readonly number[];
  readonly demotedBytes: readonly number[];
  /** Share of the accesses that the fast tier served; NaN without any. */
  readonly fastShare: readonly number[];
  readonly nrRegions: readonly number[];
  readonly schemes: readonly {
    readonly name: string;
    readonly quotaSeconds: number;
    /** NaN for no limit. */
    readonly allowedBytes: readonly number[];
    readonly triedBytes: readonly number[];
  }[];
}

export interface RunPage {
  readonly facts: RunFacts;
  readonly command: string;
  readonly heat: HeatFigure;
  readonly series: RunSeries;
}

const STYLE = [
  'body{margin:0 auto;padding:1rem;max-width:64rem;background:var(--ground);color:var(--ink);font:15px/1.5 system-ui,sans-serif}',
  'h1{font-size:1.4rem;margin:.2rem 0}h2{font-size:1.1rem;margin:2rem 0 .4rem}',
  'p{margin:.3rem 0;color:var(--faint)}code{overflow-wrap:anywhere}',
  '.chart{width:100%;min-width:30rem;height:auto;display:block}',
  '.wide{overflow-x:auto}.wide:focus-visible,button:focus-visible,input:focus-visible{outline:2px solid var(--region);outline-offset:1px}',
  'table{border-collapse:collapse;font-size:13px;font-variant-numeric:tabular-nums}',
  'th,td{padding:.25rem .6rem;text-align:right;white-space:nowrap;border-bottom:1px solid var(--grid)}',
  'th:first-child,td:first-child{text-align:left}',
  'dl{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.5rem,1fr));gap:.6rem;margin:1rem 0}',
  'dl div{border:1px solid var(--grid);border-radius:6px;padding:.4rem .7rem}dt{font-size:12px;color:var(--faint)}dd{margin:0;font-size:1.15rem;font-variant-numeric:tabular-nums}',
].join('');

export function renderRunPage(page: RunPage, deflate: Deflate): string {
  const { facts, command } = page;
  const title = `${facts.machine}: ${facts.workload}`;
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width,initial-scale=1">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none';img-src data:;style-src 'unsafe-inline';script-src 'unsafe-inline'">`,
    `<title>${escapeXml(title)}</title>`,
    `<style>${THEME}${PLOT_STYLE}${CHART_STYLE}${HEAT_STYLE}${STYLE}</style>`,
    '</head>',
    '<body>',
    `<h1>${escapeXml(title)}</h1>`,
    `<p>Watched by ${escapeXml(facts.tracker)}, seed ${facts.seed}; all times are modelled. <code>${escapeXml(command)}</code></p>`,
    headline(facts),
    ...facts.warnings.map((warning) => `<p><strong>warning:</strong> ${escapeXml(warning)}</p>`),
    '<h2>Heat over time and address</h2>',
    renderHeatFigure(page.heat, deflate),
    ...chartsOf(page).flatMap((chart) => [
      `<h2>${escapeXml(chart.title)}</h2>`,
      `<div class="wide">${renderTimeChart(chart)}</div>`,
    ]),
    '<h2 id="schemes">Schemes</h2>',
    schemeTable(facts),
    `<script>${HEAT_SCRIPT}</script>`,
    '</body>',
    '</html>',
    '',
  ].join('\n');
}

function headline(facts: RunFacts): string {
  const { baseline, hotSet } = facts;
  const items: [string, string][] = [
    ['completion', formatSeconds(facts.completionSeconds)],
    ['without migration', formatSeconds(baseline.static)],
    ['all in fast memory', formatSeconds(baseline.allFast)],
    ['accesses served fast', formatPercent(facts.fastTierShare)],
    ['promoted', formatBytes(facts.promotedBytes)],
    ['demoted', formatBytes(facts.demotedBytes)],
    [
      'hot set: precision, recall',
      `${formatPercent(hotSet.precision, 0)}, ${formatPercent(hotSet.recall, 0)}`,
    ],
    ['metadata', formatBytes(facts.metadataBytes)],
  ];
  return `<dl>${items.map(([name, value]) => `<div><dt>${escapeXml(name)}</dt><dd>${escapeXml(value)}</dd></div>`).join('')}</dl>`;
}

function chartsOf({ series }: RunPage): TimeChart[] {
  const { endsUs } = series;
  const perSecond = (bytes: readonly number[]): number[] =>
    bytes.map((value, i) => value / ((endsUs[i] - (endsUs[i - 1] ?? 0)) / 1e6));
  const bytesPerS = (value: number): string => `${formatBytes(value)}/s`;
  const common = { endsUs };
  return [
    {
      ...common,
      title: 'Memory in use, by tier',
      kind: 'stacked',
      format: formatBytes,
      isBinary: true,
      series: series.used.map(({ name, bytes }) => ({ name, values: bytes })),
    },
    {
      ...common,
      title: 'Accesses that the fast tier serves',
      kind: 'steps',
      format: (value) => formatPercent(value, 0),
      most: 1,
      series: [{ name: 'share', values: series.fastShare }],
    },
    {
      ...common,
      title: 'Migrations',
      kind: 'steps',
      format: bytesPerS,
      isBinary: true,
      series: [
        { name: 'promoted', values: perSecond(series.promotedBytes) },
        { name: 'demoted', values: perSecond(series.demotedBytes) },
      ],
    },
    ...series.schemes.map(
      ({ name, allowedBytes, triedBytes, quotaSeconds }): TimeChart => ({
        ...common,
        title: `Scheme ${name}: quota and use`,
        kind: 'steps',
        format: bytesPerS,
        isBinary: true,
        series: [
          { name: 'tried', values: perSecond(triedBytes) },
          { name: 'allowed', values: allowedBytes.map((bytes) => bytes / quotaSeconds) },
        ],
      }),
    ),
    {
      ...common,
      title: 'Regions',
      kind: 'steps',
      format: formatCount,
      series: [{ name: 'regions', values: series.nrRegions }],
    },
  ];
}

function schemeTable({ schemes }: RunFacts): string {
  const head = [
    'scheme',
    'action',
    'tried',
    'applied',
    'failed',
    'left as not worth it',
    'windows full',
    'CPU',
  ];
  const rows = schemes.map((scheme) => [
    scheme.name,
    scheme.action,
    formatBytes(scheme.triedBytes),
    formatBytes(scheme.appliedBytes),
    formatBytes(scheme.failedBytes),
    formatBytes(scheme.notWorthBytes),
    formatCount(scheme.quotaExceeded),
    formatSeconds(scheme.cpuSeconds),
  ]);
  const line = (cells: readonly string[], tag: string): string =>
    `<tr>${cells.map((cell) => `<${tag}>${escapeXml(cell)}</${tag}>`).join('')}</tr>`;
  return [
    '<div class="wide" tabindex="0" role="region" aria-labelledby="schemes">',
    `<table><thead>${line(head, 'th')}</thead><tbody>${rows.map((row) => line(row, 'td')).join('')}</tbody></table></div>`,
  ].join('');
}
