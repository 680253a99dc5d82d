/** A real browser for pages. Where there is none tests skip, and say so. */
import { existsSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll } from 'vitest';

const CHROMIUM = process.env.THERMOCLINE_CHROMIUM ?? '/usr/bin/chromium';
const driver = await import('playwright-core').catch(() => undefined);

/** Why there is no browser; empty where there is one. */
export const missingBrowser =
  driver === undefined
    ? 'playwright-core is not installed'
    : existsSync(CHROMIUM)
      ? ''
      : `no browser at ${CHROMIUM}`;
if (missingBrowser !== '') process.stderr.write(`SKIPPED: pages in a real browser: ${missingBrowser}\n`);

export interface OpenPage {
  (width: number, colorScheme: 'light' | 'dark', url: string): Promise<Page>;
  /** What pages said on their console, and what they asked the network for. */
  readonly complaints: string[];
}

/** A browser for the tests of a `describe`. */
export function useBrowser(): OpenPage {
  let browser: Browser | undefined;
  beforeAll(async () => {
    browser = await driver?.chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  });
  afterAll(async () => browser?.close());
  const complaints: string[] = [];
  const open = async (width: number, colorScheme: 'light' | 'dark', url: string): Promise<Page> => {
    if (browser === undefined) throw new Error('the browser did not start');
    const page = await browser.newPage({ viewport: { width, height: 800 }, colorScheme });
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('request', (request) => {
      if (!/^(file|data):/.test(request.url())) complaints.push(`asked for ${request.url()}`);
    });
    await page.goto(url);
    return page;
  };
  return Object.assign(open, { complaints });
}
