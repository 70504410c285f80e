/** Who is signed in, and what a page shows when the server does not answer as it should: a real browser, a real market. */

import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chromiumRequired, findChromium, launchChromium, openPage } from './chromium.setup.ts';
import { exampleFolder, openConsoleMarket, type ConsoleMarket } from './console-market.setup.ts';
import { packFolder } from './pack-folder.setup.ts';
import { problem } from './problem.setup.ts';
import { expectReadable } from './readable.setup.ts';

const program = findChromium();
const absent = program === undefined && !chromiumRequired;
const why = absent ? ' (skipped: this machine has no chromium)' : '';
const other = { email: 'other@demo.example', password: 'another person’s password' };

async function signInByHand(page: Page): Promise<void> {
  await page.getByLabel('E-mail').fill(other.email);
  await page.locator('input[type="password"]').fill(other.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

describe.skipIf(absent)(`sessions and failures in a browser${why}`, () => {
  let market: ConsoleMarket;
  let browser: Browser;
  let jobId: string;
  let jobName: string;

  const submit = async (): Promise<string> => {
    const bundle = await packFolder(exampleFolder('hello-world'));
    return (await market.customer.createJob(new Blob([new Uint8Array(bundle)]))).id;
  };

  beforeAll(async () => {
    if (program === undefined) throw new Error('ASSAY_REQUIRE names chromium, and this machine has none');
    [market, browser] = await Promise.all([openConsoleMarket({ working: false }), launchChromium(program)]);
    jobId = await submit();
    jobName = (await market.customer.getJob(jobId)).name;
    await market.customer.createAccount({ ...other, region: 'eu', roles: ['customer'] });
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await market?.close();
  }, 60_000);

  const jobLink = (page: Page) => page.getByRole('article').getByRole('link', { name: jobName }).first();

  /** A page that somebody signed in to, in the profile of another page where one is given. */
  async function signedIn(path = '/', beside?: BrowserContext) {
    const opened = beside ? { page: await beside.newPage() } : await openPage(browser);
    await opened.page.goto(beside ? market.url : await market.signInLink());
    await opened.page.getByText('live', { exact: true }).waitFor();
    if (path !== '/') await opened.page.goto(`${market.url}${path}`);
    return opened.page;
  }

  test('a link that signs in does so also where the console is open already', async () => {
    const { page, complaints } = await openPage(browser);
    await page.goto(market.url);
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await page.goto(await market.signInLink());
    await jobLink(page).waitFor();
    expect(page.url()).not.toContain('ticket');
    expect(complaints).toEqual([]);
    await page.context().close();
  }, 60_000);

  test('nobody sees what somebody else had on the page before', async () => {
    const page = await signedIn();
    await jobLink(page).waitFor();
    const beside = await signedIn('/', page.context());
    await beside.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor({ timeout: 30_000 });
    const { promise: go, resolve } = Promise.withResolvers<void>();
    await page.route('**/jobs?*', (route) => go.then(() => route.continue()));
    await signInByHand(page);
    await page.getByLabel('Loading').waitFor();
    expect(await jobLink(page).count()).toBe(0);
    resolve();
    await page.getByText('No jobs yet.').waitFor();
    // The link of yet another person, while this one is signed in.
    await page.goto(await market.signInLink());
    await jobLink(page).waitFor();
    await page.getByText('customer@demo.example').waitFor();
    await page.context().close();
  }, 90_000);

  test('signing out says so where it failed, and is done where the session was over already', async () => {
    const page = await signedIn();
    const signOut = page.getByRole('button', { name: 'Sign out' });
    await page.route('**/sessions/current', (route) =>
      route.fulfill({ status: 500, contentType: 'application/problem+json', body: problem('internal.fault') }),
    );
    await signOut.click();
    await page.getByRole('alert').waitFor();
    expect(await jobLink(page).count()).toBe(1);
    await expectReadable(page);
    await page.setViewportSize({ width: 1440, height: 900 });
    await page.unroute('**/sessions/current');
    await page.context().clearCookies();
    await signOut.click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await page.context().close();
  }, 60_000);

  test('what was read stays when it cannot be read again, and a list that does not come is told', async () => {
    const page = await signedIn();
    await jobLink(page).waitFor();
    const failure = { status: 500, contentType: 'application/problem+json', body: problem('internal.fault') };
    await page.route('**/jobs?*', (route) => route.fulfill(failure));
    await submit();
    await page.getByRole('alert').waitFor();
    expect(await jobLink(page).count()).toBe(1);
    await expectReadable(page);
    await page.unroute('**/jobs?*');
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('alert').waitFor({ state: 'detached' });

    await page.route('**/jobs/*/units*', (route) => route.fulfill(failure));
    await page.goto(`${market.url}/jobs/${jobId}`);
    const again = page.getByRole('button', { name: 'Try again' });
    await again.waitFor();
    await page.unroute('**/jobs/*/units*');
    await again.click();
    await page.getByText('The units are made when the job is paid.').waitFor();
    await page.context().close();
  }, 60_000);

  test('the offer is that of what was picked last', async () => {
    const page = await signedIn('/submit');
    const files = await packFolder(exampleFolder('hello-world'));
    const picker = page.getByLabel('A zip file');
    await page.evaluate(`{
      const read = Blob.prototype.arrayBuffer;
      window.held = new Promise((resolve) => (window.release = resolve));
      File.prototype.arrayBuffer = async function () {
        if (this.name === 'slow.zip') await window.held;
        return read.call(this);
      };
    }`);
    const zip = { mimeType: 'application/zip', buffer: files };
    await picker.setInputFiles({ name: 'slow.zip', ...zip });
    await page.getByLabel('Loading').waitFor();
    await picker.setInputFiles({ name: 'fast.zip', ...zip });
    const offer = page.getByRole('region', { name: 'The offer' });
    await offer.getByText('fast.zip').waitFor();
    await page.evaluate('window.release()');
    await page.evaluate('new Promise((resolve) => setTimeout(resolve, 300))');
    expect(await offer.getByText('fast.zip').count()).toBe(1);
    expect(await page.getByLabel('Loading').count()).toBe(0);
    await page.context().close();
  }, 60_000);
});
