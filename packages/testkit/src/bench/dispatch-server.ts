/** The server's process of the benchmark: the real server with all its processes; only the bank is simulated. */

import { hash } from 'node:crypto';
import { limits, treeDigest, type AccountId, type Sha256Hex } from '@assay/core';
import { memoryPaymentProvider } from '@assay/core/conformance';
import { verifyLedger } from '@assay/ledger';
import { checkBooks, createJob, nodeSha256 as sha256, payJob } from '@assay/market';
import { readConfig, startServer, systemClock, type RunningServer } from '@assay/server';
import { benchRunner } from './dispatch-seed.ts';

/** Jobs to be bought. */
export interface Order {
  readonly kind: 'order';
  /** Tells the orders of a run apart. */
  readonly name: string;
  readonly customer: AccountId;
  /** Units of each job. */
  readonly jobs: readonly number[];
  readonly redundancy: number;
}

/** What the parent says: first `start`, then orders, then `check` once everything is settled, then `stop`. */
export type ToServer =
  | {
      readonly kind: 'start';
      readonly connectionString: string;
      readonly folder: string;
    }
  | Order
  | { readonly kind: 'check' }
  | { readonly kind: 'stop' };

/** What the server's process answers. */
export type FromServer =
  | { readonly kind: 'ready'; readonly port: number }
  | { readonly kind: 'ordered' }
  | { readonly kind: 'checked'; readonly faults: readonly string[]; readonly ledgerTransactions: number }
  | { readonly kind: 'failed'; readonly text: string };

function start(order: Extract<ToServer, { kind: 'start' }>): Promise<RunningServer> {
  return startServer(
    readConfig({
      DATABASE_URL: order.connectionString,
      ASSAY_STATE_DIR: order.folder,
      ASSAY_PORT: '0',
      ASSAY_LOG_LEVEL: 'error',
      ASSAY_IGNORE_NETWORK: 'true',
      ASSAY_CHALLENGE_WINDOW: '0ms',
      ASSAY_DEVICE_RATE_PER_MINUTE: '1000000',
      ASSAY_DEVICE_RATE_BURST: '1000000',
    }),
    {
      providers: bank(),
    },
  );
}

function bank() {
  const provider = memoryPaymentProvider({ sha256, nowMs: () => systemClock.nowMs() });
  return { forRegion: () => provider };
}

async function orderJob(
  { trade }: RunningServer,
  { name, customer, redundancy }: Order,
  index: number,
  chunks: number,
): Promise<void> {
  const bundle = [{ path: 'main.py', sizeBytes: 0, sha256: hash('sha256', '', 'hex') as Sha256Hex }];
  const manifest = {
    name: 'bench',
    runner: benchRunner,
    entry_point: 'main.py',
    budget_usd: 9e5,
    parallelism: { chunks },
    verification: {
      type: 'exact',
      redundancy,
    },
  };
  const idempotencyKey = `bench-${name}-${index}-${treeDigest(sha256, bundle).slice(0, 8)}`;
  const { job } = await createJob(trade, { customer, manifest, bundle, idempotencyKey });
  await payJob(trade, { customer, job: job.id, method: 'instant' });
}

/** What contradicts itself after the run. */
async function check(running: RunningServer): Promise<FromServer> {
  const books = await checkBooks(running.trade);
  const ledger = await verifyLedger(running.db);
  const faults = [
    ...books.map((fault) => `${fault.rule}: ${fault.text} (${fault.ref})`),
    ...ledger.problems.map((problem) => `${problem.table}, block ${problem.block}: ${problem.what}`),
  ];
  return { kind: 'checked', faults: faults.slice(0, limits.pageItems), ledgerTransactions: ledger.transactions };
}

let running: RunningServer | undefined;

async function obey(message: ToServer): Promise<void> {
  if (message.kind === 'start') {
    running = await start(message);
    tell({ kind: 'ready', port: Number(new URL(running.url).port) });
  } else if (message.kind === 'order') {
    for (const [index, chunks] of message.jobs.entries()) if (running) await orderJob(running, message, index, chunks);
    tell({ kind: 'ordered' });
  } else if (message.kind === 'check') {
    if (running) tell(await check(running));
  } else {
    await running?.close();
    process.disconnect();
  }
}

function tell(answer: FromServer): void {
  process.send?.(answer);
}

process.on('message', (message: ToServer) => {
  obey(message).catch((error: unknown) => {
    tell({ kind: 'failed', text: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    process.exitCode = 1;
    process.disconnect();
  });
});
