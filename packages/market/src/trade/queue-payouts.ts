/** Payouts: everything that is owed to a provider of work and due leaves together, in as few movements as it fits in. */

import {
  add,
  limits,
  money,
  newId,
  regions,
  type Money,
  type Payee,
  type PayoutShare,
  type TradeTx,
} from '@assay/core';
import { entryOf, inFlight, payableTo } from './accounts.ts';
import { tellCustomers } from './apply-transfer.ts';
import { providerOf } from './region-provider.ts';
import type { TradeDeps } from './trade-deps.ts';

export type PayoutDeps = Pick<TradeDeps, 'store' | 'ids' | 'providers'>;

/**
 * Queues payouts for each provider of work with debts that are due and an account to be paid to; returns how many had
 * some. Without an account (`payout.account_missing`) the money stays payable; with accounts only in regions that have no
 * payment provider (any more) it waits and is looked at again, which the audit log says.
 */
export async function queuePayouts(deps: PayoutDeps): Promise<number> {
  return await deps.store.transaction(async (tx) => {
    const open = regions.filter((region) => providerOf(deps.providers, region) !== undefined);
    const payees = await tx.earnings.payees(limits.sweepPayees, open);
    const stranded: Payee[] = [];
    for (const payee of payees) {
      const provider = providerOf(deps.providers, payee.region);
      if (!provider) {
        stranded.push(payee);
        continue;
      }
      for (const shares of partsOf(payee.owed, provider.capabilities().maximum)) {
        await queuePayout(deps, tx, payee, shares);
      }
    }
    await postpone(tx, stranded);
    return payees.length;
  });
}

async function queuePayout(
  deps: PayoutDeps,
  tx: TradeTx,
  { account: party, region, destination }: Payee,
  shares: readonly PayoutShare[],
): Promise<void> {
  const id = newId('payout', deps.ids);
  const amount = totalOf(shares);
  await tx.earnings.take(party, jobsOf(shares));
  await tx.transfers.add({ kind: 'payout', id, party, region, amount, destination, shares });
  await tx.outbox.add({
    kind: 'payout',
    op: 'createPayout',
    ref: id,
    key: id,
    request: { region, currency: amount.currency, minor: amount.minor.toString(), destination },
  });
  const posting = { debit: payableTo(party), credit: inFlight({ kind: 'payout', id }), amount };
  await tx.money.post(entryOf({ id, job: null }, 'payout_sent', [posting]));
  await tx.trail.change({ kind: 'money', job: null, account: party, data: { transfer: id, kind: 'payout' } });
  await tellCustomers(tx, id, 'pending');
}

/** The shares in groups that the provider takes in one movement; each alone fits, as the payment of its job did. */
function partsOf(owed: readonly PayoutShare[], maximum: Money): PayoutShare[][] {
  const parts: PayoutShare[][] = [];
  let left = 0n;
  for (const share of owed) {
    if (share.amount.minor > left) {
      parts.push([]);
      left = maximum.minor;
    }
    parts.at(-1)?.push(share);
    left -= share.amount.minor;
  }
  return parts;
}

/** One line a region and look, and not one a payee: regions come back by configuration, whoever waits for them. */
async function postpone(tx: TradeTx, stranded: readonly Payee[]): Promise<void> {
  for (const payee of stranded) {
    await tx.earnings.postpone(payee.account, jobsOf(payee.owed), limits.payoutRetryMs);
  }
  for (const [region, payees] of Map.groupBy(stranded, (payee) => payee.region)) {
    const data = { region, payees: payees.map((payee) => payee.account) };
    await tx.trail.audit({ actor: 'system', action: 'payout.region_unavailable', ref: region, data });
  }
}

const jobsOf = (shares: readonly PayoutShare[]): PayoutShare['job'][] => shares.map((share) => share.job);

function totalOf(shares: readonly PayoutShare[]): Money {
  const [first, ...rest] = shares.map((share) => share.amount);
  return rest.reduce(add, first ?? money('USD', 0n));
}
