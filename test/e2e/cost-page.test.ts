/** The page in a real browser. Skips, and says so, where there is none. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Page } from 'playwright-core';
import { afterAll, describe, expect, test } from 'vitest';
import { renderComparePage } from '../../src/view/compare-page.ts';
import { renderCostPlot } from '../../src/view/plot/cost-plot.ts';
import { examplePage } from '../unit/cost-plot-example.ts';
import { missingBrowser, useBrowser } from './browser.ts';

const WORK = mkdtempSync(join(tmpdir(), 'thermocline-page-'));
const { plot, rows } = examplePage;
const fileOf = (name: string, text: string): string => {
  const path = join(WORK, name);
  writeFileSync(path, text);
  return pathToFileURL(path).href;
};

describe.skipIf(missingBrowser !== '')('the page in a real browser', () => {
  const openPage = useBrowser();
  const { complaints } = openPage;
  let page: Page;
  afterAll(() => rmSync(WORK, { recursive: true, force: true }));
  const open = async (...args: Parameters<typeof openPage>): Promise<Page> => {
    page = await openPage(...args);
    return page;
  };
  const html = fileOf('page.html', renderComparePage(plot, rows, 'thermocline compare'));
  const svg = fileOf('plot.svg', renderCostPlot(plot));

  test.each([1280, 400, 320])(
    '%d pixels wide it needs no scrolling sideways, and nothing complains',
    async (width) => {
      await open(width, 'light', html);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
      expect(complaints).toEqual([]);
      await page.close();
    },
  );

  test('no two names in a panel overlap, nor leave it', async () => {
    for (const url of [svg, html]) {
      await open(1280, 'light', url);
      // Evaluated in the page, as text: this file knows no DOM.
      const wrong = await page.evaluate(`(() => {
        const panels = [...document.querySelectorAll('svg.plot')].flatMap((svg) =>
          svg.querySelector('g[transform] .name') ? [...svg.querySelectorAll('g[transform]')] : [svg]);
        return panels.flatMap((panel) => {
          const names = [...panel.querySelectorAll('.name')].map((each) => [each.textContent, each.getBoundingClientRect()]);
          const frame = panel.getBoundingClientRect();
          return names.flatMap(([name, box], i) => [
            ...(box.left < frame.left || box.right > frame.right + 1 ? [name + ' leaves'] : []),
            ...names.slice(i + 1).filter(([, other]) =>
              box.left < other.right - 1 && other.left < box.right - 1 &&
              box.top + 2 < other.bottom - 2 && other.top + 2 < box.bottom - 2).map(([other]) => name + ' on ' + other),
          ]);
        });
      })()`);
      expect(wrong).toEqual([]);
      await page.close();
    }
  });

  test('names and points stand out from the ground, in light and dark', async () => {
    for (const scheme of ['light', 'dark'] as const) {
      await open(1000, scheme, html);
      const contrasts = (await page.evaluate(`(() => {
        const rgb = (text) => text.match(/[\\d.]+/g).slice(0, 3).map((each) => {
          const value = each / 255;
          return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
        });
        const light = (text) => rgb(text).reduce((sum, value, i) => sum + value * [0.2126, 0.7152, 0.0722][i], 0);
        const ground = light(getComputedStyle(document.body).backgroundColor);
        return [...document.querySelectorAll('.name, .faint, .title, td, p')].map((each) => {
          const style = getComputedStyle(each);
          const ink = light(each instanceof SVGElement ? style.fill : style.color);
          return (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05);
        });
      })()`)) as number[];
      expect(Math.min(...contrasts)).toBeGreaterThan(4.5);
      await page.close();
    }
  });

  test('the table sorts by click and by key, numbers as numbers, who has none last', async () => {
    await open(1280, 'light', html);
    const column = async (): Promise<string[]> =>
      page.$$eval('tbody tr', (all) => all.map((each) => each.children[3].textContent ?? ''));
    const numbers = (texts: readonly string[]) => texts.filter((text) => text !== '-').map(Number.parseFloat);
    const head = page.locator('th button', { hasText: /^fast$/ });
    await head.click();
    const falling = await column();
    expect(numbers(falling)).toEqual([...numbers(falling)].sort((a, b) => b - a));
    expect(falling.slice(-4)).toEqual(['-', '-', '-', '-']);
    expect(await page.locator('th[aria-sort=descending]').count()).toBe(1);
    await page.keyboard.press('Enter');
    const rising = await column();
    expect(numbers(rising)).toEqual([...numbers(rising)].sort((a, b) => a - b));
    expect(rising.slice(-4)).toEqual(['-', '-', '-', '-']);
    await page.close();
  });

  test('counters unfold', async () => {
    await open(1280, 'light', html);
    expect(await page.locator('dd').first().isVisible()).toBe(false);
    await page.locator('summary').first().press('Enter');
    expect(await page.locator('dd').first().isVisible()).toBe(true);
    await page.close();
  });
});
