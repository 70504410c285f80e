/** The ledger's explorer as people meet it: a real browser, a real market, a real chain. */

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chromiumRequired, findChromium, launchChromium, openPage } from './chromium.setup.ts';
import { exampleFolder, openConsoleMarket, type ConsoleMarket } from './console-market.setup.ts';
import { packFolder } from './pack-folder.setup.ts';
import { problem } from './problem.setup.ts';
import { expectReadable } from './readable.setup.ts';

const program = findChromium();
const absent = program === undefined && !chromiumRequired;
const why = absent ? ' (skipped: this machine has no chromium)' : '';
const command = fileURLToPath(new URL('../../../cli/src/main.ts', import.meta.url));
const workerId = `wrk_${'7'.repeat(32)}`;
const longWord = 'Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft';

/** Follows a link in place, wherever the page has scrolled to. */
function linkTo(page: Page, name: string | RegExp): Locator {
  return page.getByRole('main').getByRole('link', { name }).first();
}

/** Types into the search by the keyboard alone. */
async function search(page: Page, text: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Number, hash or id' }).fill(text);
  await page.keyboard.press('Enter');
}

describe.skipIf(absent)(`the explorer in a browser${why}`, () => {
  let market: ConsoleMarket;
  let browser: Browser;
  let jobId: string;
  let txId: string;

  /** A transaction of its own block. */
  const record = async (): Promise<{ readonly block: string; readonly txId: string }> => {
    const args = [workerId, 'true', JSON.stringify({ job: jobId, replicas: 1 })];
    return market.customer.invoke({ contract: 'Reputation', fn: 'recordResult', args });
  };

  beforeAll(async () => {
    if (program === undefined) throw new Error('ASSAY_REQUIRE names chromium, and this machine has none');
    [market, browser] = await Promise.all([openConsoleMarket({ working: false }), launchChromium(program)]);
    const bundle = await packFolder(exampleFolder('hello-world'));
    jobId = (await market.customer.createJob(new Blob([new Uint8Array(bundle)]))).id;
    for (let blocks = 0; blocks < 25; blocks += 1) ({ txId } = await record());
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await market?.close();
  }, 60_000);

  async function open(path: string): Promise<{ readonly page: Page; readonly complaints: string[] }> {
    const opened = await openPage(browser);
    await opened.page.goto(await market.signInLink());
    await opened.page.getByText('live', { exact: true }).waitFor();
    await opened.page.goto(`${market.url}${path}`);
    return opened;
  }

  test('new blocks appear as they are made, and older ones are a page away', async () => {
    const { page, complaints } = await open('/ledger');
    const list = page.getByRole('list', { name: 'Blocks, newest first' });
    await list.getByRole('link').first().waitFor();
    await expectReadable(page, 'blocks');
    await page.evaluate('window.neverReloaded = true');
    const { block } = await record();
    await list.getByRole('link', { name: `Block ${block}`, exact: true }).waitFor();
    await page.getByRole('status').getByText(`Block ${block} was added.`).waitFor();
    await page.getByRole('button', { name: 'Older' }).click();
    await list.getByRole('link', { name: `Block ${Number(block) - 20}`, exact: true }).waitFor();
    expect(await list.getByRole('listitem').count()).toBeLessThanOrEqual(20);
    await page.goBack();
    await list.getByRole('link', { name: `Block ${block}`, exact: true }).waitFor();
    expect(await page.evaluate('window.neverReloaded')).toBe(true);
    expect(complaints).toEqual([]);
    await page.context().close();
  }, 60_000);

  test('from a block to its transaction, and to a proof that the command checks offline', async () => {
    const { block } = await market.customer.getTransaction(txId);
    const { page, complaints } = await open(`/ledger/blocks/${block}`);
    await page.getByText('✓ Checked in this browser: the header hashes to the signed head').waitFor();
    await page
      .getByText((await market.customer.getBlock(block)).hash)
      .first()
      .waitFor();
    await linkTo(page, 'Reputation.recordResult').waitFor();
    await expectReadable(page, 'block');
    await linkTo(page, /^← Block/).click();
    await page.getByRole('heading', { name: `Block ${Number(block) - 1}`, exact: true }).waitFor();
    await page.goBack();

    await linkTo(page, 'Reputation.recordResult').focus();
    await page.keyboard.press('Enter');
    await page.getByText('✓ Checked in this browser: the transaction is part of the chain').waitFor();
    const main = page.getByRole('main');
    for (const text of ['valid', 'PlatformMSP', workerId, jobId, 'ResultRecorded']) {
      await main.getByText(text).first().waitFor();
    }
    await expectReadable(page, 'transaction');
    const waiting = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download the proof' }).click();
    const { publicKey } = await market.customer.ledgerHead();
    const args = [command, 'verify', await (await waiting).path(), '--trust', publicKey];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    expect(stdout).toContain(`transaction ${txId}, Reputation.recordResult, is valid`);
    expect(complaints).toEqual([]);

    await linkTo(page, jobId).click();
    await page.getByText('The job and its terms were listed.').or(page.getByText('ResultRecorded')).first().waitFor();
    await expectReadable(page, 'job');
    await page.context().close();
  }, 60_000);

  test('what holds by itself and is not what is shown is told', async () => {
    const { block, index } = await market.customer.getTransaction(txId);
    const before = await market.customer.listTransactions(String(Number(block) - 1));
    const { page } = await open('/ledger');
    await page.route(`**/ledger/proofs/${txId}`, async (route) => {
      const other = await market.customer.getProofText(before.items[0]?.txId ?? '');
      await route.fulfill({ contentType: 'application/json', body: other });
    });
    await page.route(`**/ledger/blocks/${block}`, async (route) => {
      if (route.request().isNavigationRequest()) return route.continue();
      const shown = (await (await route.fetch()).json()) as object;
      return route.fulfill({ json: { ...shown, previousHash: 'f'.repeat(64) } });
    });
    await page.route('**/ledger/blocks/3', async (route) => {
      if (route.request().isNavigationRequest()) return route.continue();
      return route.fulfill({ json: await market.customer.getBlock('2') });
    });
    await page.goto(`${market.url}/ledger/blocks/${block}/transactions/${index}`);
    await page.getByText('the proof is that of another transaction than is shown').waitFor();
    for (const number of [block, '3']) {
      await page.goto(`${market.url}/ledger/blocks/${number}`);
      await page.getByText('✗ The block does not hold').waitFor();
    }
    expect(await page.getByText('✓').count()).toBe(0);
    await page.context().close();
  }, 60_000);

  test('block 0 names the channel and the key, and facts unfold', async () => {
    const { page, complaints } = await open('/ledger/blocks/0');
    await page.getByText('public-marketplace').waitFor();
    await page.getByText('0 transactions').waitFor();
    await expectReadable(page, 'genesis');
    await linkTo(page, 'Facts').click();
    await page.getByRole('heading', { name: 'Facts', exact: true }).waitFor();
    await page.getByText('What it says').first().click();
    await page.getByText(`"worker": "${workerId}"`).first().waitFor();
    await expectReadable(page, 'facts');
    expect(complaints).toEqual([]);
    await page.context().close();
  }, 60_000);

  test('what somebody types is found, by number, hash, transaction, job and worker', async () => {
    const { page } = await open('/ledger');
    const { hash } = await market.customer.getBlock('3');
    for (const [text, title, shown] of [
      ['3', 'Block 3', hash],
      [hash, 'Block 3', hash],
      [txId, 'Transaction', txId],
      [jobId, 'A job on the ledger', jobId],
      [` ${workerId} `, 'A worker’s record', 'agreed, 0 disagreed'],
    ] as const) {
      await search(page, text);
      await page.getByRole('heading', { name: title, exact: true }).waitFor();
      await page.getByRole('main').getByText(shown).first().waitFor();
    }
    await expectReadable(page, 'worker');
    await search(page, '9'.repeat(30));
    await page.getByText('The ledger has nothing of that number or id.').waitFor();
    expect(await page.getByRole('alert').count()).toBe(1);
    await expectReadable(page, 'nothing-found');
    await page.context().close();
  }, 60_000);

  test('what is not there, not yet there or out of reach is told apart', async () => {
    const { page } = await open(`/ledger/blocks/${'9'.repeat(12)}`);
    const nothing = page.getByText('The ledger has nothing here');
    await nothing.waitFor();
    await expectReadable(page, 'not-found');
    for (const path of ['blocks/minus-one', 'transactions/none', `transactions/${'0'.repeat(64)}`, 'workers/nobody']) {
      await page.goto(`${market.url}/ledger/${path}`);
      await nothing.waitFor();
    }
    await page.goto(`${market.url}/ledger/workers/wrk_${'0'.repeat(32)}`);
    await page.getByText('The ledger holds no record of this worker.').waitFor();
    await page.goto(`${market.url}/ledger/jobs/job_${'0'.repeat(32)}`);
    await page.getByText('The ledger holds no fact about this job.').waitFor();
    expect(await page.getByRole('alert').count()).toBe(0);
    await expectReadable(page, 'empty');
    await page.context().close();
  }, 60_000);

  test('a failure is told and tried again, loading shows, and a private chain says so', async () => {
    const { page } = await open('/ledger');
    const { promise: go, resolve } = Promise.withResolvers<void>();
    await page.route('**/ledger/facts*', async (route) => {
      await go;
      await route.fulfill({ status: 500, contentType: 'application/problem+json', body: problem('internal.fault') });
    });
    await linkTo(page, 'Facts').click();
    await page.getByLabel('Loading').waitFor();
    await expectReadable(page, 'loading');
    resolve();
    await page.getByRole('button', { name: 'Try again' }).waitFor();
    await expectReadable(page, 'failure');
    await page.unroute('**/ledger/facts*');
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('list', { name: 'Facts, newest first' }).waitFor();

    const refusal = { status: 403, contentType: 'application/problem+json', body: problem('ledger.private') };
    await page.route('**/ledger/blocks*', (route) => route.fulfill(refusal));
    await page.goto(`${market.url}/ledger/facts`);
    await linkTo(page, 'Blocks').click();
    await page.getByText('This chain is not shown here').waitFor();
    expect(await page.getByRole('listitem').count()).toBe(0);
    await expectReadable(page, 'private');
    await page.context().close();
  }, 60_000);

  test('long words and a conflict fit on a phone', async () => {
    const { page, complaints } = await open('/ledger');
    await page.route('**/ledger/transactions/*', async (route) => {
      if (route.request().isNavigationRequest()) return route.continue();
      const response = await route.fetch();
      const shown = (await response.json()) as object;
      const creator = { mspId: longWord, certificate: 'f'.repeat(64), name: longWord };
      const patch = { contract: longWord, fn: longWord, args: [longWord, 'f'.repeat(64).repeat(4)], code: 11, creator };
      return route.fulfill({
        response,
        json: { ...shown, ...patch, facts: [{ name: longWord, payload: [longWord] }] },
      });
    });
    await search(page, txId);
    await page.getByText('conflict: it read what another changed').waitFor();
    await page.getByText('What it says').first().click();
    await expectReadable(page, 'long-words');
    expect(complaints).toEqual([]);
    await page.context().close();
  }, 60_000);
});
