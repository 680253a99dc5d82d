import { describe, expect, test } from 'vitest';
import { renderComparePage } from '../../src/view/compare-page.ts';
import { renderFronts } from '../../src/view/front-table.ts';
import {
  type CostPlot,
  type CostPoint,
  formatCpuShare,
  renderCostPlot,
} from '../../src/view/plot/cost-plot.ts';
import { costScale } from '../../src/view/plot/scale.ts';
import { examplePage } from './cost-plot-example.ts';

const point = (label: string, over: Partial<CostPoint> = {}): CostPoint => ({
  label,
  family: 'per page',
  fastTierShare: 0.9,
  metadataBytes: 2 ** 20,
  cpuShare: 0.01,
  ...over,
});

const plotOf = (...points: CostPoint[]): CostPlot => ({
  title: 'title',
  subtitle: 'subtitle',
  scenes: [{ title: 'machine', points }],
});

const titles = (svg: string): string[] =>
  [...svg.matchAll(/<title>(.*?)<\/title>/g)].map((match) => match[1]);

describe('the picture of cost against gain', () => {
  test('looks as it did', async () => {
    await expect(renderCostPlot(examplePage.plot)).toMatchFileSnapshot('../golden/cost-plot.svg');
  });

  test('is the same whenever it is drawn, and needs no other file', () => {
    const svg = renderCostPlot(examplePage.plot);
    expect(renderCostPlot(examplePage.plot)).toBe(svg);
    expect(svg.replace('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:|url\(|<script|@import/);
    expect(svg).toMatch(/prefers-color-scheme:dark/);
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  });

  test('marks whom nobody betters, by bytes and by CPU time each; baselines are no offers', () => {
    const svg = renderCostPlot(
      plotOf(
        point('free', { family: 'baseline', metadataBytes: 0, cpuShare: 0, fastTierShare: 1 }),
        point('small', { metadataBytes: 1024 }),
        point('quick', { cpuShare: 0.001 }),
        point('worse', { metadataBytes: 2 ** 21, cpuShare: 0.02, fastTierShare: 0.8 }),
      ),
    );
    const best = titles(svg).filter((title) => title.endsWith('on the front'));
    expect(best).toEqual(['small: 1 KiB, 90.0 %, on the front', 'quick: 0.1 %, 90.0 %, on the front']);
  });

  test('says of whom only the bytes are known that it was not run, and draws no CPU time for it', () => {
    const svg = renderCostPlot(
      plotOf(
        point('known'),
        point('beyond', { fastTierShare: null, cpuShare: null, metadataBytes: 2 ** 33 }),
      ),
    );
    expect(titles(svg).filter((title) => title.startsWith('beyond'))).toEqual([
      'beyond: 8 GiB, not simulated at this size',
    ]);
  });

  test.each([
    ['nobody', []],
    ['nobody simulated', [point('a', { fastTierShare: null, cpuShare: null })]],
    ['nothing but zero', [point('a', { metadataBytes: 0, cpuShare: 0, fastTierShare: 0 })]],
    ['everybody alike', [point('a'), point('b'), point('c')]],
    ['names that are markup', [point('<b>&"x"')]],
  ])('can be drawn of %s', (_name, points) => {
    const svg = renderCostPlot(plotOf(...points));
    expect(svg).not.toMatch(/NaN|Infinity|undefined|<b>/);
  });
});

describe('the axis of costs', () => {
  test('gives zero a place of its own, left of the break and of every other cost', () => {
    const scale = costScale([0, 1e-5, 3], [50, 400], 10, String);
    expect(scale.breakAt).toBeDefined();
    expect(scale.at(0)).toBeLessThan(scale.breakAt ?? 0);
    expect(scale.at(1e-5)).toBeGreaterThan(scale.breakAt ?? 0);
    expect(scale.ticks[0].text).toBe('0');
    expect(costScale([1, 10], [50, 400], 10, String).breakAt).toBeUndefined();
  });

  test('rises with the cost, by equal steps for equal ratios', () => {
    const { at } = costScale([1, 1000], [0, 400], 10, String);
    expect(at(10) - at(1)).toBeCloseTo(at(100) - at(10), 9);
  });

  test.each([
    [0, '0 %'],
    [0.00001, '0.0010 %'],
    [0.01, '1 %'],
    [1.234, '123 %'],
  ])('%d of one CPU is %s', (share, text) => {
    expect(formatCpuShare(share)).toBe(text);
  });
});

describe('the page', () => {
  const { plot, rows } = examplePage;
  const html = renderComparePage(plot, rows, 'thermocline compare --plot <page>.html');

  test('needs no other file, and no text of it is markup', () => {
    expect(html.replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:|url\(|src=|<link/);
    expect(html).toContain('--plot &#60;page&#62;.html');
    expect(html.replace(/<script>.*/s, '')).not.toMatch(/NaN|undefined/);
  });

  test('has a row, a point and the counters of everybody, and says who was not run', () => {
    for (const { label } of rows) expect(html).toContain(`<td class="text">${label}</td>`);
    expect(html.match(/<details>/g)?.length).toBe(rows.length);
    expect(html).toContain('<dt>pgpromote_success</dt><dd>1,234</dd>');
    expect(html).toContain('not simulated at 16.0 TiB');
  });
});

describe('the table of the front', () => {
  const lines = [
    {
      ...point('evidence', { family: 'per region' }),
      scene: 'full-dram, 16 GiB',
      isBestByBytes: true,
      isBestByCpu: true,
    },
    {
      ...point('numab2', { metadataBytes: 64 }),
      scene: 'full-dram, 16 GiB',
      isBestByBytes: true,
      isBestByCpu: false,
    },
  ];

  test.each([100, 60, 40])('fits into %d columns', (width) => {
    for (const line of renderFronts(lines, width).split('\n')) expect(line.length).toBeLessThanOrEqual(width);
  });

  test('says by which cost', () => {
    expect(renderFronts(lines, 100)).toMatch(/evidence .* metadata, CPU\nnumab2 .* metadata\n/);
  });
});
