/** A real Chromium for tests of the console, where this machine has one. */

import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import axe, { type AxeResults } from 'axe-core';
import { chromium, type Browser, type Page } from 'playwright-core';

const programs = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];

/** The first Chromium on the path, undefined where there is none. */
export function findChromium(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders.flatMap((folder) => programs.map((name) => join(folder, name))).find((path) => existsSync(path));
}

/** Whether this run must not skip what needs Chromium. */
export const chromiumRequired = (process.env['ASSAY_REQUIRE'] ?? '').split(/[\s,]+/).includes('chromium');

const quiet = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Starts the browser at `path` without a window. */
export function launchChromium(path: string): Promise<Browser> {
  return chromium.launch({ executablePath: path, args: quiet });
}

/** A page of a fresh profile, and every complaint that its console gets: errors, warnings, refused by policy. */
export async function openPage(browser: Browser): Promise<{ readonly page: Page; readonly complaints: string[] }> {
  const viewport = { width: 1440, height: 900 };
  const context = await browser.newContext({ viewport, reducedMotion: 'reduce' });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  return { page, complaints };
}

/** What axe calls serious or critical on the page as it is, a line each. */
export async function seriousViolations(page: Page): Promise<string[]> {
  // Evaluated by the debugger, so that the page's own policy need not allow it.
  await page.evaluate(axe.source);
  const result = await page.evaluate<AxeResults>('axe.run(document, { resultTypes: ["violations"] })');
  return result.violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`));
}
