/** The console as people meet it: a real browser, a real market, real sandboxes. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packFolder } from './pack-folder.setup.ts';
import { verifyReceipt } from '@assay/verify';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chromiumRequired, findChromium, launchChromium, openPage } from './chromium.setup.ts';
import { exampleFolder, openConsoleMarket, type ConsoleMarket } from './console-market.setup.ts';
import { expectReadable } from './readable.setup.ts';

const program = findChromium();
const absent = program === undefined && !chromiumRequired;
const why = absent ? ' (skipped: this machine has no chromium)' : '';

async function submit(page: Page, example: string): Promise<void> {
  await page.getByRole('link', { name: 'Submit a job' }).first().click();
  await page.setInputFiles('input[webkitdirectory]', exampleFolder(example));
  await page.getByRole('button', { name: /^Upload/ }).click();
  await page.getByRole('button', { name: /^Pay/ }).click();
}

/** What the units came to, and the liar by name. */
async function expectCaught(page: Page): Promise<void> {
  await page.locator('[data-unit-state="agreed"]').nth(10).waitFor();
  expect(await page.locator('[data-replica-state="agreed"]').count()).toBe(33);
  await page.locator('[data-replica-state="disagreed"]').first().press('Enter');
  const drawer = page.getByRole('dialog', { name: 'mallory-laptop on unit 3' });
  await drawer.getByText('3.2718').first().waitFor();
  await expectReadable(page);
  await page.keyboard.press('Escape');
  await drawer.waitFor({ state: 'detached' });
}

async function expectResults(page: Page): Promise<void> {
  await page.getByRole('tab', { name: 'Ledger' }).click();
  await page.getByText('All units agreed.').waitFor();
  await expectReadable(page);
  await page.getByRole('tab', { name: 'Logs' }).click();
  await page.getByRole('log').getByText('points inside').first().waitFor();
  await expectReadable(page);
  await page.getByRole('tab', { name: 'Results' }).click();
  await page.getByText('"pi": 3.14').waitFor();
  await expectReadable(page);
}

/** Who was paid, by name; and the receipt, checked by the page and once more here as the file that it hands out. */
async function expectSettled(page: Page): Promise<void> {
  await page.getByRole('tab', { name: 'Money' }).click();
  const money = page.getByRole('list', { name: 'Movements of money' });
  await money.getByText('The payout was paid.').nth(3).waitFor({ timeout: 30_000 });
  const text = await money.innerText();
  for (const owner of ['ada', 'boris', 'chen', 'mallory']) expect(text).toContain(`owed to ${owner}`);
  expect(text).not.toContain('acc_');
  await expectReadable(page);

  await page.getByRole('tab', { name: 'Receipt' }).click();
  await page.getByText('every part of it holds').waitFor({ timeout: 30_000 });
  await expectReadable(page);
  const waiting = page.waitForEvent('download');
  await page.getByRole('link', { name: 'Download the receipt' }).click();
  const receipt = await readFile(await (await waiting).path(), 'utf8');
  expect(verifyReceipt(receipt)).toMatchObject({ ok: true, summary: { units: 11, agreed: 33 } });
}

describe.skipIf(absent)(`the console in a browser${why}`, () => {
  let market: ConsoleMarket;
  let browser: Browser;

  beforeAll(async () => {
    if (program === undefined) throw new Error('ASSAY_REQUIRE names chromium, and this machine has none');
    [market, browser] = await Promise.all([openConsoleMarket(), launchChromium(program)]);
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await market?.close();
  }, 60_000);

  async function signIn(page: Page): Promise<void> {
    await page.goto(await market.signInLink());
    await page.getByRole('heading', { name: 'Jobs', exact: true }).waitFor();
    await page.getByText('live', { exact: true }).waitFor();
  }

  test('a stranger is asked to sign in, and a wrong password is told', async () => {
    const { page, complaints } = await openPage(browser);
    await page.goto(market.url);
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await expectReadable(page);
    expect(complaints).toEqual([]);
    await page.getByLabel('E-mail').fill('customer@demo.example');
    await page.locator('input[type="password"]').fill('not the password');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('alert').waitFor();
    await page.context().close();
  }, 60_000);

  test('a folder becomes a job, its units run before the eyes, and it ends with pay and a receipt', async () => {
    const { page, complaints } = await openPage(browser);
    await signIn(page);
    expect(page.url()).not.toContain('ticket');
    await expectReadable(page);

    await page.getByRole('link', { name: 'Submit a job' }).first().click();
    await page.setInputFiles('input[webkitdirectory]', exampleFolder('pi-monte-carlo'));
    await page.locator('[data-quote-cap="99"]').waitFor();
    await expectReadable(page);
    await page.getByRole('button', { name: /^Upload/ }).click();
    await page.getByRole('region', { name: 'Payment' }).getByText('0.99 USD').first().waitFor();
    await expectReadable(page);
    await page.evaluate('window.neverReloaded = true');
    await page.getByRole('button', { name: /^Pay/ }).click();

    await page.locator('[data-replica-state="leased"], [data-replica-state="committed"]').first().waitFor();
    await page.locator('[data-replica-state="disagreed"]').first().waitFor({ timeout: 60_000 });
    await expectReadable(page);
    await page.getByText('Verified', { exact: true }).first().waitFor({ timeout: 90_000 });
    await expectCaught(page);
    await expectResults(page);
    await page.getByText('Completed', { exact: true }).waitFor({ timeout: 30_000 });
    expect(await page.evaluate('window.neverReloaded')).toBe(true);
    await expectSettled(page);
    expect(complaints).toEqual([]);
    await page.context().close();
  }, 180_000);

  test('a zip is priced before it is sent, and what cannot run is told', async () => {
    const { page, complaints } = await openPage(browser);
    await signIn(page);
    await page.getByRole('link', { name: 'Submit a job' }).first().click();
    const files = await packFolder(exampleFolder('hello-world'));
    const picker = page.getByLabel('A zip file');
    await picker.setInputFiles({ name: 'hello.zip', mimeType: 'application/zip', buffer: files });
    await page.locator('[data-quote-cap="9"]').waitFor();
    await page.getByRole('button', { name: /^Upload/ }).click();
    await page.getByRole('button', { name: 'Cancel the job' }).click();
    await page.getByText('Cancelled', { exact: true }).first().waitFor();
    expect(complaints).toEqual([]);

    await page.goto(`${market.url}/submit`);
    await picker.setInputFiles({ name: 'torn.zip', mimeType: 'application/zip', buffer: files.subarray(0, 60) });
    await page.getByText('torn.zip could not be read as a zip').waitFor();
    const manifest = JSON.parse(await readFile(join(exampleFolder('hello-world'), 'manifest.json'), 'utf8')) as object;
    const misspelt = await packFolder(exampleFolder('hello-world'), { ...manifest, budget_us: 5 });
    await picker.setInputFiles({ name: 'misspelt.zip', mimeType: 'application/zip', buffer: misspelt });
    await page.getByText('budget_us').first().waitFor();
    await page.context().close();
  }, 60_000);

  test('a dispute freezes the money, and the page lives on when the server comes back', async () => {
    const { page } = await openPage(browser);
    await signIn(page);
    await submit(page, 'hello-world');
    await page.getByRole('button', { name: 'Dispute the result' }).click({ timeout: 60_000 });
    await page.getByLabel('What is wrong with the result?').fill('It greets nobody.');
    await page.getByRole('button', { name: 'Freeze the payment' }).click();
    await page.getByText('Disputed', { exact: true }).first().waitFor();
    await market.restart(() => page.getByText('connecting', { exact: true }).waitFor());
    await page.getByText('live', { exact: true }).waitFor({ timeout: 30_000 });
    expect(await page.getByText('It greets nobody.').isVisible()).toBe(true);
    await page.context().close();
  }, 120_000);
});
