/** What every page of the console must hold, on a dark phone and on a light desk. */

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { seriousViolations } from './chromium.setup.ts';

const screens = [
  { width: 360, colorScheme: 'dark' },
  { width: 1440, colorScheme: 'light' },
] as const;

/** Where pictures of the pages are kept for somebody to look at; nowhere by default. */
const pictures = process.env['ASSAY_PICTURES'];

/** No serious violation and nothing wider than the screen; with a name, a picture is kept where one asked for them. */
export async function expectReadable(page: Page, name?: string): Promise<void> {
  for (const { width, colorScheme } of screens) {
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme });
    expect(await seriousViolations(page)).toEqual([]);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
    if (pictures === undefined || name === undefined) continue;
    await mkdir(pictures, { recursive: true });
    await page.screenshot({ path: join(pictures, `${name}-${width}.png`), fullPage: true });
  }
}
