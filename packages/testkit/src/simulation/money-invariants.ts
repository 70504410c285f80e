/** Every cent: what the bank moved, what the journal says, and what people should have. */

import { commissionUpTo, standardCommission, type AccountId, type JobId } from '@assay/core';
import type { World } from './world.ts';

export async function moneyFaults(world: World): Promise<string[]> {
  return [
    ...(await journalFaults(world)),
    ...(await movementFaults(world)),
    ...(await providerFaults(world)),
    ...(await customerFaults(world)),
  ];
}

/** Nobody is owed anything any more, and our money at the bank is the platform's commission. */
async function journalFaults({ database, bank }: World): Promise<string[]> {
  const balances = await database.db.query<{ kind: string; ref: string; balance: bigint }>(
    `SELECT a.kind::text, a.ref, (coalesce(c.sum, 0) - coalesce(d.sum, 0))::bigint AS balance FROM money_account a
     LEFT JOIN (SELECT credit_id AS id, sum(amount) FROM posting GROUP BY 1) c ON c.id = a.id
     LEFT JOIN (SELECT debit_id AS id, sum(amount) FROM posting GROUP BY 1) d ON d.id = a.id`,
  );
  const of = (kind: string): bigint =>
    balances.filter((one) => one.kind === kind).reduce((sum, one) => sum + one.balance, 0n);
  const owed = balances.filter((one) => one.kind !== 'psp_asset' && one.kind !== 'commission' && one.balance !== 0n);
  const held = await bank.balance('USD');
  const there = held.kind === 'ok' ? held.value.minor : -1n;
  const faults = owed.map(({ kind, ref, balance }) => `${kind} of ${ref} still holds ${balance}`);
  if (there !== -of('psp_asset')) faults.push(`the bank holds ${there}, the journal says ${-of('psp_asset')}`);
  if (there !== of('commission')) faults.push(`the bank holds ${there}, the commission is ${of('commission')}`);
  return faults;
}

interface Transfer {
  readonly id: string;
  readonly kind: 'payment' | 'refund' | 'payout';
  readonly state: string;
  readonly amount: bigint;
}

/** Each movement at the bank is ours, of our amount and state, and each of ours that is through happened there once. */
async function movementFaults({ database, bank }: World): Promise<string[]> {
  const transfers = await database.db.query<Transfer>('SELECT id, kind, state, amount FROM transfer');
  const list = await bank.listMovements(0);
  const moved = new Map<string, bigint>();
  for (const { reference = '', amount } of list.kind === 'ok' ? list.value : []) {
    moved.set(reference, (moved.get(reference) ?? 0n) + amount.minor);
  }
  const faults = transfers.flatMap(({ id, kind, state, amount }) => {
    const expected = state === 'succeeded' ? (kind === 'payment' ? amount : -amount) : 0n;
    const there = moved.get(id) ?? 0n;
    moved.delete(id);
    return there === expected ? [] : [`${kind} ${id} is ${state} over ${amount}, the bank moved ${there}`];
  });
  for (const [reference, amount] of moved)
    faults.push(`the bank moved ${amount} for ${reference}, which we do not know`);
  return faults;
}

/** Each provider of work was paid the price of its agreed replicas less the commission on its month, once. */
async function providerFaults({ database }: World): Promise<string[]> {
  const earned = await database.db.query<{ provider: AccountId; month: string; gross: bigint; commission: bigint }>(
    `SELECT provider_id AS provider, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM') AS month, sum(gross)::bigint AS gross,
       sum(commission)::bigint AS commission FROM earning GROUP BY 1, 2`,
  );
  const faults = earned
    .filter(({ gross, commission }) => commission !== commissionUpTo(standardCommission, gross))
    .map(({ provider, month, gross, commission }) => `${provider} paid ${commission} on ${gross} in ${month}`);
  const paid = await database.db.query<{ provider: AccountId; net: bigint; out: bigint }>(
    `SELECT provider_id AS provider, sum(net)::bigint AS net, (SELECT coalesce(sum(amount), 0)::bigint FROM transfer
       WHERE kind = 'payout' AND state = 'succeeded' AND party_id = earning.provider_id) AS out FROM earning GROUP BY 1`,
  );
  faults.push(
    ...paid.filter(({ net, out }) => net !== out).map((one) => `${one.provider} earned ${one.net}, got ${one.out}`),
  );
  const units = await database.db.query<{
    unit: string;
    replicas: number;
    redundancy: number;
    paid: bigint;
    most: bigint;
  }>(
    `SELECT unit_id AS unit, count(*)::int AS replicas, max(redundancy)::int AS redundancy, sum(paid)::bigint AS paid,
       max(redundancy * price_per_replica)::bigint AS most
     FROM replica_pay JOIN job ON job.id = job_id GROUP BY 1`,
  );
  const dear = units.filter((unit) => unit.replicas > unit.redundancy || unit.paid > unit.most);
  return [...faults, ...dear.map((unit) => `${unit.unit} was paid ${unit.paid} over ${unit.replicas} replicas`)];
}

/** Each customer paid for agreed replicas and nothing else. */
async function customerFaults({ database }: World): Promise<string[]> {
  const jobs = await database.db.query<{
    id: JobId;
    state: string;
    spent: bigint;
    agreed: bigint;
    price: bigint;
    outcome: string | null;
    deducted: bigint | null;
  }>(
    `SELECT job.id, job.state, price_per_replica AS price, outcome, refund_minor AS deducted,
       (SELECT coalesce(sum(CASE kind WHEN 'payment' THEN amount ELSE -amount END), 0)::bigint FROM transfer
         WHERE job_id = job.id AND kind IN ('payment', 'refund') AND state = 'succeeded') AS spent,
       (SELECT count(*) FROM replica WHERE job_id = job.id AND state = 'agreed') AS agreed
     FROM job LEFT JOIN dispute ON dispute.job_id = job.id`,
  );
  return jobs.flatMap(({ id, state, spent, agreed, price, outcome, deducted }) => {
    const earned = agreed * price - (outcome === 'split' ? (deducted ?? 0n) : 0n);
    const expected = state === 'completed' ? earned : 0n;
    return spent === expected ? [] : [`the customer of ${id} (${state}) spent ${spent} instead of ${expected}`];
  });
}
