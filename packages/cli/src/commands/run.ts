/** `assay run FOLDER`: quote, confirm, pay, follow, download, verify. */

import { readFile, stat, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { Client, Job, Quote } from '@assay/client';
import { manifestJson, parseManifest, refuse } from '@assay/core';
import { verifyReceipt } from '@assay/verify';
import type { Arguments } from '../arguments.ts';
import { withFolderPacked } from '../bundle.ts';
import type { Command } from '../command.ts';
import { confirmed } from '../confirmation.ts';
import { connect } from '../connect.ts';
import { followJob } from '../follow-job.ts';
import { interruption } from '../interruption.ts';
import { columns, paint, plain, print, printError } from '../terminal.ts';
import { moneyText, saveResults } from './jobs.ts';

export const runJobCommand: Command = {
  usage:
    'run FOLDER [--budget USD] [--chunks N] [--redundancy N] [--yes] [--emit] [--out DIR] [--json] [-- ENTRY ARG…]',
  options: {
    budget: { kind: 'text', doc: 'the most to pay, in USD; overrides the manifest' },
    redundancy: { kind: 'number', doc: 'agreeing replicas to buy of each unit; overrides the manifest' },
    chunks: { kind: 'number', doc: 'units to split into; overrides the manifest' },
    emit: { kind: 'flag', doc: 'print the manifest instead of running it' },
    yes: { kind: 'flag', doc: 'accept the price without asking' },
    out: { kind: 'text', doc: 'the folder for the result and receipt (default results/JOB)' },
    json: { kind: 'flag', doc: 'print JSON, a line per event' },
  },
  positionals: ['FOLDER'],
  rest: true,
  run,
};

const defaultRunner = 'platform-runner:python-3.14';

/** The folder's manifest.json with what the command line overrides, or one made from `-- ENTRY ARG…` alone. */
async function manifestOf(folder: string, args: Arguments): Promise<Record<string, unknown>> {
  const [entry, ...entryArgs] = args.rest;
  const text = await readFile(join(folder, 'manifest.json'), 'utf8').catch(() => undefined);
  if (text === undefined && entry === undefined) {
    throw refuse(
      'manifest.malformed',
      `${folder} has no manifest.json; name the program instead: assay run ${folder} --budget 5 -- main.py`,
    );
  }
  const manifest =
    text === undefined ? { name: basename(folder), runner: defaultRunner } : asObject(manifestJson(text));
  const budget = args.text('budget');
  if (budget !== undefined && !/^\d{1,9}(?:\.\d{1,2})?$/.test(budget)) {
    throw refuse('money.malformed', `a budget is an amount in USD such as 5 or 5.50, not "${budget}"`);
  }
  const parallelism = asObject(manifest['parallelism']);
  const verification = asObject(manifest['verification']);
  const chunks = args.number('chunks');
  const redundancy = args.number('redundancy');
  return {
    ...manifest,
    ...(entry !== undefined && { entry_point: entry, args: entryArgs }),
    ...(budget !== undefined && { budget_usd: Number(budget) }),
    ...(chunks !== undefined && { parallelism: { ...parallelism, chunks } }),
    ...(redundancy !== undefined && { verification: { ...verification, redundancy } }),
  };
}

function asObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}

function showQuote(quote: Quote): void {
  const [deposit, cap] = [moneyText(quote.deposit), moneyText(quote.cap)];
  print(
    columns([
      [
        `${quote.units} units × ${quote.redundancy} replicas`,
        `${moneyText(quote.perReplica)} for each that is accepted`,
      ],
      ['at most', cap],
      ...(deposit === cap ? [] : [['charged now', `${deposit}, the least that the payment provider takes`]]),
      ['your budget', moneyText(quote.budget)],
    ]),
  );
}

async function run(args: Arguments): Promise<number> {
  const folder = resolve(args.positional(0) ?? '.');
  if (!(await stat(folder).catch(() => undefined))?.isDirectory())
    throw refuse('bundle.malformed', `there is no folder ${folder}`);
  const manifest = await manifestOf(folder, args);
  if (args.flag('emit')) {
    // Which runners a market allows only the market knows, so the one that is asked for passes here.
    parseManifest(manifest, { runners: typeof manifest['runner'] === 'string' ? [manifest['runner']] : [] });
    print(JSON.stringify(manifest, undefined, 2));
    return 0;
  }
  const client = connect();
  const quote = await client.createQuote(manifest);
  if (!args.flag('json')) showQuote(quote);
  if (!(await confirmed(args, `Pay ${moneyText(quote.deposit)} now? What is not spent returns.`))) return 1;
  const job = await withFolderPacked(folder, JSON.stringify(manifest), (packed) => client.createJob(packed.zip));
  if (!args.flag('json')) {
    print(`job ${job.id}: ${job.bundle.files} files uploaded, manifest ${job.manifestHash.slice(0, 16)}…`);
  }
  const ended = await payAndFollow(client, job.id, args);
  if (ended === 'interrupted') return 130;
  if (ended.state !== 'completed' && ended.state !== 'verified') {
    printError(
      `assay: the job ended ${ended.state}: ${ended.failure ? `${plain(ended.failure.text)} [${ended.failure.code}]` : 'see assay jobs show'}`,
    );
    return 1;
  }
  return fetchAndVerify(client, job.id, args);
}

/** Pays the job and follows it to its end; who stops looking is told that the job goes on. */
async function payAndFollow(client: Client, job: string, args: Arguments): Promise<Job | 'interrupted'> {
  const stop = interruption();
  try {
    await client.payJob(job, { method: 'pm_card_visa' });
    return await followJob(client, job, { json: args.flag('json'), signal: stop.signal });
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    if (!args.flag('json')) {
      printError(`\nThe job goes on without you: assay jobs show ${job} tells where it stands,`);
      printError(
        `assay jobs results ${job} fetches what it made, assay jobs cancel ${job} ends it while it is not paid.`,
      );
    }
    return 'interrupted';
  } finally {
    stop.release();
  }
}

async function fetchAndVerify(client: Client, job: string, args: Arguments): Promise<number> {
  const folder = resolve(args.text('out') ?? join('results', job));
  const saved = await saveResults(client, job, folder);
  const receipt = join(folder, 'receipt.json');
  const text = await client.getReceiptText(job);
  await writeFile(receipt, text);
  const outcome = verifyReceipt(text);
  if (args.flag('json')) print(JSON.stringify({ folder, files: saved.files, receipt, verified: outcome.ok }));
  else {
    print(`${saved.files} files in ${folder}, every hash checked`);
    const line = outcome.ok
      ? `receipt ${receipt} verified`
      : `receipt ${receipt} does NOT verify: ${outcome.part}: ${outcome.message}`;
    print(paint(outcome.ok ? 'green' : 'red', line));
  }
  return outcome.ok ? 0 : 1;
}
