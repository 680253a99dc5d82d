/**
 * A page that needs nothing but itself: plots of cost against gain, a table that can be sorted by mouse and
 * keyboard, and the counters of each tracker under its original's names.
 */
import { formatBytes, formatCount } from '../memory/units.ts';
import { COST, type CompareColumn, type CompareLine, OUTCOME, TIME } from './compare-columns.ts';
import { type CostPlot, LEGEND, panelsOf, renderPanel } from './plot/cost-plot.ts';
import { escapeXml, PLOT_STYLE, THEME } from './plot/style.ts';

export interface PageRow {
  readonly scene: string;
  readonly label: string;
  /** What the tracker is, in a line. */
  readonly what: string;
  /** null: not simulated at this size. */
  readonly line: CompareLine | null;
  readonly metadataBytes: number | null;
  readonly note: string | null;
}

const COLUMNS: readonly CompareColumn[] = [TIME, ...OUTCOME, ...COST];

const STYLE = [
  'body{margin:0 auto;padding:1rem;max-width:64rem;background:var(--ground);color:var(--ink);font:15px/1.5 system-ui,sans-serif}',
  'h1{font-size:1.4rem;margin:.2rem 0}h2{font-size:1.1rem;margin:2rem 0 .5rem}',
  'p{margin:.3rem 0;color:var(--faint)}',
  '.legend{display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;padding:0;margin:.8rem 0;list-style:none;font-size:13px}',
  '.legend li{display:flex;align-items:center;gap:.4rem}',
  '.panels{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,24rem),1fr));gap:1rem}',
  '.panels svg{width:100%;height:auto;display:block}',
  '.wide{overflow-x:auto}',
  '.wide:focus-visible,button:focus-visible,summary:focus-visible{outline:2px solid var(--region);outline-offset:1px}',
  'table{border-collapse:collapse;font-size:13px;font-variant-numeric:tabular-nums}',
  'th,td{padding:.25rem .5rem;text-align:right;white-space:nowrap;border-bottom:1px solid var(--grid)}',
  'th:first-child,td:first-child{position:sticky;left:0;background:var(--ground)}',
  '.text{text-align:left}',
  'th button{all:unset;cursor:pointer;font-weight:600}',
  'th button::after{content:"\\2195";opacity:.35;padding-left:.25em}',
  'th[aria-sort=ascending] button::after{content:"\\2191";opacity:1}',
  'th[aria-sort=descending] button::after{content:"\\2193";opacity:1}',
  'details{border-bottom:1px solid var(--grid);padding:.3rem 0}summary{cursor:pointer}',
  'dl{display:grid;grid-template-columns:minmax(0,1fr) auto;gap:.1rem 1rem;max-width:34rem;font-size:13px;font-variant-numeric:tabular-nums}',
  'dt{overflow-wrap:anywhere}dd{margin:0;text-align:right}',
].join('');

/** Rows with a number first, in either direction; those of equal value keep their order. */
const SCRIPT = `for(const button of document.querySelectorAll('th button'))button.addEventListener('click',()=>{
const head=button.closest('th'),index=head.cellIndex,body=head.closest('table').tBodies[0];
const down=head.getAttribute('aria-sort')==='descending'||(head.getAttribute('aria-sort')===null&&head.classList.contains('text'))?1:-1;
const value=row=>{const v=row.cells[index].dataset.v;return v===undefined?row.cells[index].textContent:v===''?null:Number(v)};
const rows=[...body.rows].sort((a,b)=>{const x=value(a),y=value(b);
return x===null||y===null?(x===null)-(y===null):typeof x==='string'?down*x.localeCompare(y):down*(x-y)});
for(const each of head.parentNode.cells)each.removeAttribute('aria-sort');
head.setAttribute('aria-sort',down===1?'ascending':'descending');body.append(...rows)});`;

export function renderComparePage(plot: CostPlot, rows: readonly PageRow[], command: string): string {
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width,initial-scale=1">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none';style-src 'unsafe-inline';script-src 'unsafe-inline'">`,
    `<title>${escapeXml(plot.title)}</title>`,
    `<style>${THEME}${PLOT_STYLE}${STYLE}</style>`,
    '</head>',
    '<body>',
    `<h1>${escapeXml(plot.title)}</h1>`,
    `<p>${escapeXml(plot.subtitle)}</p>`,
    `<p><code>${escapeXml(command)}</code></p>`,
    `<ul class="legend">${LEGEND.map(
      ([sign, meaning]) =>
        `<li><svg class="plot" width="16" height="16" viewBox="0 0 16 16" aria-hidden="true">${sign}</svg>${meaning}</li>`,
    ).join('')}</ul>`,
    ...plot.scenes.map(
      (scene) => `<div class="panels">\n${panelsOf(scene).map(renderPanel).join('\n')}\n</div>`,
    ),
    '<h2 id="numbers">All numbers</h2>',
    '<p>Time is that of the last thread; a click on a title sorts.</p>',
    table(rows),
    '<h2>Counters, under the names of the originals</h2>',
    ...rows.map(details),
    `<script>${SCRIPT}</script>`,
    '</body>',
    '</html>',
    '',
  ].join('\n');
}

function table(rows: readonly PageRow[]): string {
  const hasScenes = new Set(rows.map(({ scene }) => scene)).size > 1;
  const head = [
    title('tracker', true),
    ...(hasScenes ? [title('machine', true)] : []),
    ...COLUMNS.map((column) => title(column.title, false)),
  ];
  const body = rows.map((row) => {
    const cells = [
      `<td class="text">${escapeXml(row.label)}</td>`,
      ...(hasScenes ? [`<td class="text">${escapeXml(row.scene)}</td>`] : []),
      ...COLUMNS.map((column) => cell(row, column)),
    ];
    return `<tr>${cells.join('')}</tr>`;
  });
  return [
    '<div class="wide" tabindex="0" role="region" aria-labelledby="numbers">',
    `<table><thead><tr>${head.join('')}</tr></thead>`,
    `<tbody>\n${body.join('\n')}\n</tbody></table></div>`,
  ].join('\n');
}

function title(text: string, isText: boolean): string {
  return `<th scope="col"${isText ? ' class="text"' : ''}><button type="button">${escapeXml(text)}</button></th>`;
}

function cell({ line, metadataBytes }: PageRow, column: CompareColumn): string {
  if (line !== null) return `<td data-v="${column.value(line) ?? ''}">${escapeXml(column.text(line))}</td>`;
  // The bytes are known without a run.
  const bytes = column.title === 'metadata' ? metadataBytes : null;
  return `<td data-v="${bytes ?? ''}">${bytes === null ? '-' : escapeXml(formatBytes(bytes))}</td>`;
}

function details({ scene, label, what, line, note }: PageRow): string {
  const counters = Object.entries(line?.counters ?? {});
  const list =
    counters.length === 0
      ? ''
      : `<dl>${counters
          .map(([name, value]) => `<dt>${escapeXml(name)}</dt><dd>${escapeXml(formatCount(value))}</dd>`)
          .join('')}</dl>`;
  const said = [what, ...(note === null ? [] : [note]), ...(counters.length === 0 ? ['no counters'] : [])];
  return `<details><summary>${escapeXml(label)} <small>${escapeXml(scene)}</small></summary><p>${escapeXml(said.join('; '))}</p>${list}</details>`;
}
