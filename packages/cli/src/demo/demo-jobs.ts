/** Submits the demo's jobs, follows them to their payout, and tells their stories. A crash in between loses nothing. */

import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, Job } from '@assay/client';
import { verifyReceipt } from '@assay/verify';
import { withFolderPacked } from '../bundle.ts';
import { saveResults } from '../commands/jobs.ts';
import { followJob } from '../follow-job.ts';
import { paint, plain, print, printError } from '../terminal.ts';
import type { DemoJob } from './demo-sandbox.ts';
import { readStory, tell } from './story.ts';

export interface DemoJobs {
  readonly client: Client;
  readonly stateDir: string;
  readonly examples: string;
  readonly jobs: readonly DemoJob[];
  readonly signal: AbortSignal;
}

/** Runs the jobs one after another; false when one did not complete. */
export async function runDemoJobs(demo: DemoJobs): Promise<boolean> {
  const runFile = join(demo.stateDir, 'run.json');
  const round = await readFile(runFile, 'utf8').catch(async () => {
    const fresh = randomUUID();
    await writeFile(`${runFile}.part`, fresh);
    await rename(`${runFile}.part`, runFile);
    return fresh;
  });
  for (const job of demo.jobs) {
    if (!(await runOne(demo, job, round))) return false;
  }
  await rm(runFile, { force: true });
  return true;
}

/** The keys are made from the round, so that a restart meets the jobs of the round instead of making new ones. */
function keyOf(round: string, name: string, step: string): string {
  return createHash('sha256').update(`${round}/${name}/${step}`).digest('hex').slice(0, 40);
}

async function runOne(demo: DemoJobs, { example: name, runner }: DemoJob, round: string): Promise<boolean> {
  const { client, signal } = demo;
  const folder = join(demo.examples, name);
  print(`\nSubmitting examples/${name}.`);
  const manifest = withRunner(await readFile(join(folder, 'manifest.json'), 'utf8'), runner);
  const created = await withFolderPacked(folder, manifest, (packed) =>
    client.createJob(packed.zip, { idempotencyKey: keyOf(round, name, 'create') }),
  );
  const now = await client.getJob(created.id);
  if (now.state === 'created') {
    await client.payJob(created.id, { method: 'pm_card_visa' }, { idempotencyKey: keyOf(round, name, 'pay') });
  }
  const job = await followJob(client, created.id, { json: false, quiet: true, signal });
  if (signal.aborted) return false;
  if (job.state !== 'completed') {
    printError(`assay: ${name} ended ${job.state}: ${plain(job.failure?.text ?? 'see assay jobs show')}`);
    return false;
  }
  await payoutsEnded(client, job.id, signal);
  tell(await readStory(client, job.id));
  return showResult(demo, job);
}

/** The manifest for another runner of the same language. */
function withRunner(manifest: string, runner: string | undefined): string {
  return runner === undefined ? manifest : JSON.stringify({ ...(JSON.parse(manifest) as object), runner });
}

const payoutWaitMs = 15_000;
const payoutLookMs = 250;

/** Waits until all that was earned has been paid out, for the story to be whole; at most a quarter of a minute. */
async function payoutsEnded(client: Client, job: string, signal: AbortSignal): Promise<void> {
  for (let waitedMs = 0; waitedMs < payoutWaitMs; waitedMs += payoutLookMs) {
    const { items } = await client.listMoney(job, { limit: 200 });
    const earned = items.filter((line) => line.to.startsWith('owed to')).map((line) => BigInt(line.amount.minor));
    const paid = items.filter((line) => line.kind === 'payout_paid').map((line) => BigInt(line.amount.minor));
    if (sum(paid) >= sum(earned)) return;
    await sleep(payoutLookMs, undefined, { signal });
  }
}

function sum(amounts: readonly bigint[]): bigint {
  return amounts.reduce((a, b) => a + b, 0n);
}

async function showResult(demo: DemoJobs, job: Job): Promise<boolean> {
  const folder = join(demo.stateDir, 'results', job.id);
  await mkdir(folder, { recursive: true });
  await saveResults(demo.client, job.id, folder);
  const text = await demo.client.getReceiptText(job.id);
  const receipt = join(folder, 'receipt.json');
  await writeFile(receipt, text);
  print(`\n${paint('cyan', 'Result')}`);
  const tree = await demo.client.getResults(job.id);
  for (const file of tree.files.slice(0, 4)) {
    print(`  ${plain(file.path)}`);
    if (file.sizeBytes <= 2000) {
      const body = await readFile(join(folder, file.path), 'utf8');
      print(
        plain(body)
          .trimEnd()
          .split('\n')
          .slice(0, 8)
          .map((line) => `    ${line}`)
          .join('\n'),
      );
    }
  }
  const outcome = verifyReceipt(text);
  const where = relative(process.cwd(), receipt);
  print(`\n${paint('cyan', 'Receipt')}\n  ${where}`);
  if (!outcome.ok) {
    printError(`assay: the receipt does not verify: ${outcome.part}: ${outcome.message}`);
    return false;
  }
  print(`  verified offline just now; do it yourself: ./assay verify ${where}`);
  return true;
}
