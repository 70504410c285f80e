/** What must be true when a simulation has come to rest. Each rule returns what breaks it. */

import { createPublicKey, verify } from 'node:crypto';
import { receiptText, type JobId, type ReplicaId } from '@assay/core';
import { verifyLedger } from '@assay/ledger';
import { buildReceipt, checkBooks } from '@assay/market';
import { verifyReceipt, type ReceiptCrypto } from '@assay/verify';
import { moneyFaults } from './money-invariants.ts';
import { sha256, startServer } from './simulated-server.ts';
import { workFaults } from './work-invariants.ts';
import type { World } from './world.ts';

/** Every broken rule, as text. */
export async function findFaults(world: World): Promise<string[]> {
  const server = await startServer(world.site, 'inspector', 0);
  const books = (await checkBooks(server.trade)).map(({ rule, ref, text }) => `${rule}: ${ref}: ${text}`);
  const faults = [
    ...books,
    ...(await moneyFaults(world)),
    ...(await workFaults(world)),
    ...(await ledgerFaults(world)),
    ...(await endFaults(world)),
  ];
  const [head] = await world.database.db.query<{ ids: JobId[] }>(
    `SELECT coalesce(array_agg(id ORDER BY id), '{}') AS ids FROM job WHERE state = 'completed'`,
  );
  for (const job of head?.ids ?? []) {
    const text = receiptText(await buildReceipt(server.trade, job));
    const verdict = verifyReceipt(text, { ledgerKeys: [world.site.ledgerKey.publicKey], crypto });
    if (!verdict.ok) faults.push(`the receipt of ${job} does not verify: ${verdict.part}: ${verdict.message}`);
  }
  return faults;
}

async function ledgerFaults({ database, site, random }: World): Promise<string[]> {
  const options = { publicKey: site.ledgerKey.publicKey, execute: random.chance(0.2) };
  const report = await verifyLedger(database.db, options);
  return report.problems.map(({ table, block, what }) => `the ledger does not verify: ${table} ${block}: ${what}`);
}

/** Each job ended as its customer's and its code's ways allow. */
async function endFaults({ database, customers, witnessed }: World): Promise<string[]> {
  const faults: string[] = [];
  const agreed = await database.db.query<{ id: ReplicaId; job: JobId }>(
    `SELECT id, job_id AS job FROM replica WHERE state = 'agreed'`,
  );
  /** A quorum of liars, which for a redundancy of 1 is one, can say of failing code that it worked. */
  const isHonest = (job: JobId): boolean =>
    agreed.some((replica) => replica.job === job && witnessed.runs.get(replica.id)?.isLie !== true);
  const jobs = await database.db.query<{
    id: JobId;
    state: string;
    problem: string | null;
    failure: string | null;
    outcome: string | null;
    paid: boolean;
  }>(
    `SELECT job.id, job.state, ledger_problem AS problem, failure_code AS failure, outcome, charged IS NOT NULL AS paid
     FROM job LEFT JOIN dispute ON dispute.job_id = job.id`,
  );
  if (jobs.length !== customers.length) faults.push(`${customers.length} orders made ${jobs.length} jobs`);
  for (const job of jobs) {
    const plan = customers.find((customer) => customer.job === job.id)?.plan;
    if (job.problem !== null) faults.push(`${job.id}: the ledger refused ${job.problem}`);
    const expected = !job.paid
      ? 'cancelled'
      : job.failure !== null || job.outcome === 'refund'
        ? 'refunded'
        : 'completed';
    if (job.state !== expected) faults.push(`${job.id} ended as ${job.state}, not ${expected}`);
    if (plan?.fails && job.state === 'completed' && isHonest(job.id))
      faults.push(`${job.id} completed although its code fails`);
    if (plan?.paying === 'never' && job.paid) faults.push(`${job.id} was never paid and is not cancelled`);
    if (job.outcome !== null && job.outcome !== plan?.ruling) faults.push(`${job.id} was ruled ${job.outcome}`);
  }
  const stuck = await database.db.query<{ op: string; error: string }>(
    `SELECT op, last_error AS error FROM outbox WHERE kind = 'ledger' AND state = 'failed'`,
  );
  return [...faults, ...stuck.map(({ op, error }) => `the ledger refused ${op}: ${error}`)];
}

const spkiPrefix = Buffer.from('302a300506032b6570032100', 'hex');

/** The verifier's own primitives are portable and slow. */
const crypto: ReceiptCrypto = {
  sha256,
  verifyEd25519(signature, message, publicKey) {
    const der = Buffer.concat([spkiPrefix, publicKey]);
    return verify(null, message, createPublicKey({ key: der, format: 'der', type: 'spki' }), signature);
  },
};
