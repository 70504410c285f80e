/** Looking at one's jobs, fetching what they made, letting them go and disputing them. */

import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createHash } from 'node:crypto';
import type { Client, Job } from '@assay/client';
import { formatMoney, isSafePath, moneyFromJson, parseId, refuse, type MoneyJson } from '@assay/core';
import type { Arguments } from '../arguments.ts';
import type { Command } from '../command.ts';
import { connect } from '../connect.ts';
import { makeFolder } from '../make-folder.ts';
import { columns, paint, plain, print } from '../terminal.ts';

const json = { json: { kind: 'flag', doc: 'print JSON' } } as const;

export const jobsListCommand: Command = {
  usage: 'jobs list [--json]',
  options: json,
  positionals: [],
  run: list,
};

export const jobsShowCommand: Command = {
  usage: 'jobs show JOB [--json]',
  options: json,
  positionals: ['JOB'],
  run: show,
};

export const jobsLogsCommand: Command = {
  usage: 'jobs logs JOB [--json]',
  options: json,
  positionals: ['JOB'],
  run: logs,
};

export const jobsResultsCommand: Command = {
  usage: 'jobs results JOB [--out DIR] [--json]',
  options: { ...json, out: { kind: 'text', doc: 'the folder to write to (default results/JOB)' } },
  positionals: ['JOB'],
  run: results,
};

export const jobsCancelCommand: Command = {
  usage: 'jobs cancel JOB',
  options: {},
  positionals: ['JOB'],
  run: cancel,
};

export const jobsDisputeCommand: Command = {
  usage: 'jobs dispute JOB --reason TEXT',
  options: { reason: { kind: 'text', doc: 'what is wrong' } },
  positionals: ['JOB'],
  run: dispute,
};

function jobOf(args: Arguments): string {
  const id = parseId('job', args.positional(0));
  if (id === undefined) throw refuse('job.not_found', 'a job is written job_ and 32 hex digits; see assay jobs list');
  return id;
}

/** `0.99 USD`, or a dash. */
export function moneyText(value: MoneyJson | null): string {
  return value === null ? '–' : formatMoney(moneyFromJson(value));
}

async function list(args: Arguments): Promise<number> {
  const { items } = await connect().listJobs({ limit: 100 });
  if (args.flag('json')) print(JSON.stringify(items));
  else if (items.length === 0) print('No jobs yet. Submit one: assay run FOLDER --budget 5');
  else print(columns([['JOB', 'STATE', 'UNITS', 'CAP', 'NAME'], ...items.map(row)], ''));
  return 0;
}

function row(job: Job): string[] {
  return [job.id, job.state, `${job.counts.agreed}/${job.counts.units}`, moneyText(job.price.cap), plain(job.name)];
}

async function show(args: Arguments): Promise<number> {
  const client = connect();
  const id = jobOf(args);
  const [job, units, money] = await Promise.all([
    client.getJob(id),
    client.listUnits(id, { limit: 200 }),
    client.listMoney(id),
  ]);
  if (args.flag('json')) {
    print(JSON.stringify({ ...job, unitList: units.items, money: money.items }));
    return 0;
  }
  print(paint('bold', `${plain(job.name)}  ${job.state}`));
  print(`  ${moneyText(job.price.perReplica)} per accepted replica, cap ${moneyText(job.price.cap)}`);
  if (job.dispute) {
    print(
      paint(
        'red',
        `  ${job.dispute.id} ${job.dispute.state} since ${job.dispute.openedAt}: ${plain(job.dispute.reason)}`,
      ),
    );
    if (job.dispute.state === 'open') print('  An arbiter decides: assay disputes resolve DISPUTE --outcome …');
  } else if (job.state === 'verified' && job.releaseDueAt !== null) {
    print(`  can be disputed until ${job.releaseDueAt}: assay jobs dispute ${job.id} --reason "…"`);
  }
  if (job.failure) print(paint('red', `  ${plain(job.failure.text)} [${job.failure.code}]`));
  for (const unit of units.items) {
    print(
      `  ${unit.kind === 'merge' ? 'merge' : `unit ${unit.ordinal}`}  ${unit.state}${unit.metric === null ? '' : `  ${unit.metric}`}`,
    );
    print(
      columns(
        unit.replicas.map((one) => [
          one.state,
          plain(one.workerName),
          one.digest?.slice(0, 12) ?? '',
          moneyText(one.paid),
        ]),
        '      ',
      ),
    );
  }
  for (const line of money.items) print(`  ${line.at}  ${moneyText(line.amount)}  ${plain(line.text)}`);
  return 0;
}

async function logs(args: Arguments): Promise<number> {
  const client = connect();
  const id = jobOf(args);
  let after: string | undefined;
  for (;;) {
    const page = await client.listLogs(id, after === undefined ? {} : { after });
    for (const line of page.items) {
      if (args.flag('json')) print(JSON.stringify(line));
      else print(`[${line.replicaId.slice(-6)}] ${plain(line.text.trimEnd())}`);
    }
    // A log's `next` is where to go on later, so only an empty page is the end of what is there.
    if (page.items.length === 0) return 0;
    after = page.next ?? undefined;
  }
}

async function results(args: Arguments): Promise<number> {
  const job = jobOf(args);
  const client = connect();
  const folder = resolve(args.text('out') ?? join('results', job));
  const saved = await saveResults(client, job, folder);
  await writeFile(join(folder, 'receipt.json'), await client.getReceiptText(job));
  if (args.flag('json')) print(JSON.stringify({ folder, ...saved }));
  else print(`${saved.files} files and receipt.json in ${folder}, every hash checked`);
  return 0;
}

/** Downloads each agreed file to `folder` and checks its hash before it gets its name. */
export async function saveResults(
  client: Client,
  job: string,
  folder: string,
): Promise<{ files: number; digest: string }> {
  const tree = await client.getResults(job);
  await makeFolder(folder, 0o777);
  for (const file of tree.files) {
    if (!isSafePath(file.path))
      throw refuse('result.malformed', `the server names an unsafe path: ${plain(file.path)}`);
    const target = join(folder, file.path);
    await mkdir(dirname(target), { recursive: true });
    await saveFile(await client.getResultFile(job, file.path), target, file.sha256);
  }
  return { files: tree.files.length, digest: tree.digest };
}

async function saveFile(body: ReadableStream<Uint8Array>, target: string, sha256: string): Promise<void> {
  const part = `${target}.part`;
  const hash = createHash('sha256');
  try {
    const source = Readable.fromWeb(body as Parameters<typeof Readable.fromWeb>[0]);
    source.on('data', (chunk: Buffer) => hash.update(chunk));
    const file = createWriteStream(part);
    await pipeline(source, file);
    if (!file.closed) await once(file, 'close');
    if (hash.digest('hex') !== sha256)
      throw refuse('object.hash_mismatch', `${target} is not what the workers agreed on`);
    await rename(part, target);
  } finally {
    await rm(part, { force: true });
  }
}

async function cancel(args: Arguments): Promise<number> {
  const job = await connect().cancelJob(jobOf(args));
  print(`${job.id} is ${job.state}; nothing was charged.`);
  return 0;
}

async function dispute(args: Arguments): Promise<number> {
  const reason = args.text('reason');
  if (reason === undefined || reason.trim() === '')
    throw refuse('request.malformed', 'say what is wrong with --reason "…"');
  const made = await connect().disputeJob(jobOf(args), reason);
  print(`Dispute ${made.id} is open; the payment is frozen until an arbiter decides.`);
  return 0;
}
