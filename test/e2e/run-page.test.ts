/** The report of a run as a page, in a real browser. */
import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { missingBrowser, useBrowser } from './browser.ts';
import { file, ROOT, thermocline, WORK } from './program.ts';

const PAGE = join(WORK, 'run.html');
const SCHEMES =
  'version: 1\nschemes:\n  - promote hot>1/s to DRAM quota 2G/s exchange 2x\n  - demote cold>10s from DRAM to CXL quota 2G/s goal DRAM free 0.2%\n';

describe('run --html', () => {
  beforeAll(() => {
    const path = file('page.yaml', SCHEMES);
    const { status } = thermocline([
      ...['run', path, '--machine', 'full-dram', '--size', '4G', '--for', '60s'],
      ...['--html', PAGE, '--no-out', '--quiet', '--json'],
    ]);
    expect(status).toBe(0);
  }, 60_000);
  afterAll(() => rmSync(WORK, { recursive: true, force: true }));

  test('writes one file of less than 3 MB', () => {
    expect(statSync(PAGE).size).toBeLessThan(3e6);
    expect(statSync(PAGE).size).toBeGreaterThan(50_000);
  });

  test('that cannot be written is told, without a stack', () => {
    const { status, stderr } = thermocline([
      ...[
        'run',
        join(ROOT, 'schemes/promote-hot.yaml'),
        '--machine',
        'full-dram',
        '--size',
        '1G',
        '--for',
        '1s',
      ],
      ...['--html', join(WORK, 'nowhere/run.html'), '--no-out', '--quiet', '--json'],
    ]);
    expect(status).toBe(1);
    expect(stderr).toContain('nowhere/run.html');
    expect(stderr).toContain('--html');
  });

  describe.skipIf(missingBrowser !== '')('in a browser', () => {
    const open = useBrowser();
    const url = pathToFileURL(PAGE).href;

    test.each([1280, 400, 320])('%d pixels wide it needs no scrolling sideways', async (width) => {
      const page = await open(width, 'light', url);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
      expect(open.complaints).toEqual([]);
      await page.close();
    });

    test('zooms and moves by key and by button, and labels follow', async () => {
      const page = await open(1280, 'dark', url);
      const box = () => page.getAttribute('.heat svg', 'viewBox');
      const last = () => page.locator('.times li').last().textContent();
      expect(await box()).toBe('0 0 1 1');
      expect(await last()).toBe('60.0 s');
      await page.focus('.heat .view');
      await page.keyboard.press('+');
      expect(await box()).toBe('0.25 0.25 0.5 0.5');
      expect(await last()).toBe('45.0 s');
      await page.keyboard.press('ArrowLeft');
      expect(await box()).toBe('0.125 0.25 0.5 0.5');
      await page.locator('[data-act="0"]').click();
      expect(await box()).toBe('0 0 1 1');
      await page.close();
    });

    test('layers go on and off, and the pointer reads rates', async () => {
      const page = await open(1280, 'light', url);
      expect(await page.locator('#truth').isVisible()).toBe(true);
      await page.uncheck('[data-layer=truth]');
      expect(await page.locator('#truth').isVisible()).toBe(false);
      await page.check('[data-layer=regions]');
      expect(await page.locator('#regions').isVisible()).toBe(true);
      const area = await page.locator('.heat .view').boundingBox();
      await page.mouse.move((area?.x ?? 0) + 100, (area?.y ?? 0) + 100);
      expect(await page.textContent('#reading')).toMatch(
        /^\d+\.\d s, \+[\d.]+ \w+: [\d.]+ accesses\/s per page$/,
      );
      await page.close();
    });

    test('shows tiers, migrations and each scheme with its quota', async () => {
      const page = await open(1280, 'light', url);
      const titles = await page.locator('h2').allTextContents();
      expect(titles).toEqual([
        'Heat over time and address',
        'Memory in use, by tier',
        'Accesses that the fast tier serves',
        'Migrations',
        'Scheme promote: quota and use',
        'Scheme demote: quota and use',
        'Regions',
        'Schemes',
      ]);
      expect(await page.locator('.chart').count()).toBe(6);
      expect(await page.locator('tbody tr').count()).toBe(2);
      await page.close();
    });
  });
});
