/** The page of one's own account: a real browser, a real market. */

import { createClient } from '@assay/client';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chromiumRequired, findChromium, launchChromium, openPage } from './chromium.setup.ts';
import { openConsoleMarket, type ConsoleMarket } from './console-market.setup.ts';
import { expectReadable } from './readable.setup.ts';

const program = findChromium();
const absent = program === undefined && !chromiumRequired;
const why = absent ? ' (skipped: this machine has no chromium)' : '';
const email = 'dora@demo.example';
const [password, newPassword] = ['correct horse battery', 'staple of another kind'];

async function change(page: Page, present: string, next: string, again = next): Promise<void> {
  const form = page.getByRole('region', { name: 'Password' });
  await form.getByLabel('Present password').fill(present);
  await form.getByLabel('New password', { exact: false }).first().fill(next);
  await form.getByLabel('The new password again').fill(again);
  await form.getByRole('button', { name: 'Change the password' }).click();
}

describe.skipIf(absent)(`the page of an account${why}`, () => {
  let market: ConsoleMarket;
  let browser: Browser;

  beforeAll(async () => {
    if (program === undefined) throw new Error('ASSAY_REQUIRE names chromium, and this machine has none');
    [market, browser] = await Promise.all([openConsoleMarket({ working: false }), launchChromium(program)]);
    await market.customer.createAccount({ email, password, region: 'eu', roles: ['customer'] });
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await market?.close();
  }, 60_000);

  async function signIn(page: Page, text: string): Promise<void> {
    await page.goto(market.url);
    await page.getByLabel('E-mail').fill(email);
    await page.locator('input[type="password"]').fill(text);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('live', { exact: true }).waitFor();
  }

  test('sessions are shown and ended, and another password signs the others out', async () => {
    const nobody = createClient({ baseUrl: market.url, auth: { kind: 'none' } });
    await nobody.signIn({ email, password });
    const { page, complaints } = await openPage(browser);
    const { page: elsewhere } = await openPage(browser);
    await signIn(page, password);
    await signIn(elsewhere, password);
    await page.getByRole('link', { name: 'Account' }).first().click();
    const sessions = page.getByRole('region', { name: 'Sessions' });
    await sessions.getByText('this one').waitFor();
    expect(await sessions.getByRole('listitem').count()).toBe(3);
    await sessions.getByText('Node.js', { exact: true }).waitFor();
    await expectReadable(page, 'account');
    await page.setViewportSize({ width: 360, height: 900 });
    const heights = await page
      .locator('nav:visible .place')
      .evaluateAll((links) => links.map((one) => one.clientHeight));
    expect(new Set(heights).size).toBe(1);
    await page.setViewportSize({ width: 1440, height: 900 });

    await sessions.getByRole('button', { name: /^End the session of Node\.js/ }).click();
    await sessions.getByText('Node.js', { exact: true }).waitFor({ state: 'detached' });
    expect(await sessions.getByRole('listitem').count()).toBe(2);

    await change(page, password, newPassword, 'something else');
    await page.getByText('The two new passwords differ.').waitFor();
    await change(page, password, newPassword);
    await page.getByText('The password is changed.').waitFor();
    await elsewhere.getByRole('heading', { name: 'Sign in' }).waitFor({ timeout: 30_000 });
    await expect.poll(() => sessions.getByRole('listitem').count()).toBe(1);
    expect(complaints).toEqual([]);

    await change(page, password, newPassword);
    await page.getByText('auth.wrong_credentials').waitFor();
    await expectReadable(page);
    await signIn(elsewhere, newPassword);
    await page.reload();
    await sessions.getByRole('button', { name: 'End all others' }).click();
    await elsewhere.getByRole('heading', { name: 'Sign in' }).waitFor({ timeout: 30_000 });
    await expect.poll(() => sessions.getByRole('listitem').count()).toBe(1);
    await Promise.all([page, elsewhere].map((one) => one.context().close()));
  }, 120_000);
});
