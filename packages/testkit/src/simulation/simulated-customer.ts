/** A customer's next move: order, pay in its way, call off, and object to the result. All of them repeat what was not answered. */

import { Refusal, type ErrorCode, type JobId } from '@assay/core';
import { cancelJob, createJob, disputeJob, payJob, resolveDispute } from '@assay/market';
import { failing, metricName, tolerance, uploading } from './run-unit.ts';
import type { JobPlan } from './scenario.ts';
import { textHash } from './simulated-device.ts';
import { runner, type SimulatedServer } from './simulated-server.ts';
import type { SimulatedCustomer, World } from './world.ts';

const bundle = ['main.py', 'merge.py'].map((path) => ({ path, sizeBytes: 0, sha256: textHash(path) }));

export async function customerMoves(
  world: World,
  customer: SimulatedCustomer,
  server: SimulatedServer,
): Promise<string> {
  const { account, plan } = customer;
  if (customer.job === undefined) {
    const order = { customer: account, manifest: manifestOf(plan), bundle, idempotencyKey: customer.orderKey };
    const { job } = await createJob(server.trade, order);
    customer.job = job.id;
    return `ordered ${job.id}`;
  }
  const [row] = await world.database.db.query<{ state: string; late: boolean; provider: string | null }>(
    `SELECT job.state, coalesce(release_due_at < assay_now(), false) AS late,
       (SELECT provider_id FROM transfer WHERE job_id = job.id AND kind = 'payment' ORDER BY attempt DESC LIMIT 1) AS provider
     FROM job WHERE id = $1`,
    [customer.job],
  );
  const job = { id: customer.job, isLate: row?.late === true, payment: row?.provider ?? null };
  if (row?.state === 'created') return await pays(world, customer, server, job.id, job.payment);
  if (row?.state === 'cancelled' && plan.paying !== 'never' && job.payment !== null) {
    world.bank.pay(job.payment);
    return 'pays for a job that is off';
  }
  if (row?.state === 'verified' || row?.state === 'completed')
    return await objects(customer, server, job.id, job.isLate);
  return `waits while the job is ${row?.state}`;
}

async function pays(
  world: World,
  customer: SimulatedCustomer,
  server: SimulatedServer,
  job: JobId,
  payment: string | null,
): Promise<string> {
  const { plan, account } = customer;
  const pay = async (method?: string): Promise<string> => {
    const order = { customer: account, job, ...(method === undefined ? {} : { method }) };
    return await answered(
      ['payment.refused', 'job.wrong_state'],
      async () => (await payJob(server.trade, order)).state,
    );
  };
  const fromBrowser = async (): Promise<string> => {
    if (payment === null) return `opens a payment: ${await pay()}`;
    if (plan.paying === 'too_late' || world.random.chance(0.5)) return 'lets a payment wait';
    world.bank.pay(payment);
    return 'pays in the browser';
  };
  switch (plan.paying) {
    case 'at_once':
      return `pays: ${await pay('instant')}`;
    case 'later':
    case 'too_late':
      return await fromBrowser();
    case 'declined_first':
      if (customer.failedOnce) return `pays with another card: ${await pay('instant')}`;
      customer.failedOnce = (await pay('declined')) === 'payment.refused';
      return 'pays with a declined card';
    case 'abandoned_first':
      if (customer.failedOnce) return `pays again: ${await pay('instant')}`;
      if (payment === null) return `opens a payment: ${await pay()}`;
      world.bank.abandon(payment);
      customer.failedOnce = true;
      return 'walks away from a payment';
    case 'never':
      return 'does not pay';
    case 'cancels':
      if (payment === null && world.random.chance(0.5)) return `opens a payment: ${await pay()}`;
      return await answered(
        ['job.wrong_state'],
        async () => (await cancelJob(server.trade, { customer: account, job })).state,
      );
  }
}

async function objects(
  customer: SimulatedCustomer,
  server: SimulatedServer,
  job: JobId,
  isLate: boolean,
): Promise<string> {
  const { plan, account } = customer;
  const isDue = plan.dispute === 'in_time' ? !isLate && !customer.disputed : plan.dispute === 'late' && isLate;
  if (!isDue || customer.lateDisputeTried) return 'is content';
  const order = { customer: account, job, reason: 'the result is wrong' };
  const answer = await answered(['job.wrong_state', 'escrow.window_closed', 'dispute.exists'], async () => {
    return (await disputeJob(server.trade, order)).state;
  });
  customer.disputed = answer === 'open' || answer === 'dispute.exists';
  customer.lateDisputeTried = plan.dispute === 'late';
  if (customer.disputed && isLate) throw new Error('a dispute was taken after the end of the challenge window');
  return `disputes: ${answer}`;
}

/** The arbiter rules on one of the open disputes. */
export async function arbiterRules(world: World, server: SimulatedServer): Promise<string> {
  const [open] = await world.database.db.query<{ id: Parameters<typeof resolveDispute>[1]['dispute']; job: JobId }>(
    `SELECT id, job_id AS job FROM dispute WHERE state = 'open' ORDER BY id LIMIT 1`,
  );
  const plan = world.customers.find((one) => one.job === open?.job)?.plan;
  if (!open || !plan) return 'no dispute';
  const split = plan.ruling === 'split' ? { refundMinor: 1n } : {};
  const ruling = { dispute: open.id, arbiter: world.arbiter, outcome: plan.ruling, reason: 'as agreed', ...split };
  return await answered(
    ['job.wrong_state', 'dispute.not_found'],
    async () => (await resolveDispute(server.trade, ruling)).state,
  );
}

/** The state that `call` answers, or the code of a refusal that may come here. */
async function answered(codes: readonly ErrorCode[], call: () => Promise<string>): Promise<string> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof Refusal && codes.includes(error.code)) return error.code;
    throw error;
  }
}

function manifestOf(plan: JobPlan): Record<string, unknown> {
  const args = [...(plan.fails ? [failing] : []), ...(plan.uploads ? [uploading] : [])];
  const { redundancy } = plan;
  return {
    runner,
    args,
    entry_point: 'main.py',
    budget_usd: 1000,
    timeout_hours: 10,
    // 45 cents a replica, so that commission and splits round.
    resources: { cpu_cores: 1, memory_gb: 1, expected_minutes: 600 },
    parallelism: { chunks: plan.units, ...(plan.merge ? { merge_script: 'merge.py' } : {}) },
    verification:
      plan.comparator === 'exact'
        ? { type: 'exact', redundancy }
        : { type: 'metric', metric_name: metricName, tolerance, redundancy },
  };
}
