/** Payouts: everything that is owed to a provider of work and due leaves in one movement. */

import { add, limits, money, newId, type Payee } from '@assay/core';
import { entryOf, inFlight, payableTo } from './accounts.ts';
import { tellCustomers } from './apply-transfer.ts';
import type { TradeDeps } from './trade-deps.ts';

export type PayoutDeps = Pick<TradeDeps, 'store' | 'ids' | 'providers'>;

/**
 * Queues a payout for each provider of work with debts that are due and an account to be paid to; returns how many.
 * Without an account (`payout.account_missing`) the money stays payable.
 */
export async function queuePayouts(deps: PayoutDeps): Promise<number> {
  return await deps.store.transaction(async (tx) => {
    const payees = await tx.earnings.payees(limits.sweepPayees);
    for (const payee of payees) {
      deps.providers.forRegion(payee.region);
      const id = newId('payout', deps.ids);
      const amount = totalOf(payee);
      const { account: party, region, destination, owed: shares } = payee;
      await tx.earnings.take(
        party,
        shares.map((share) => share.job),
      );
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
    return payees.length;
  });
}

function totalOf(payee: Payee): Payee['owed'][number]['amount'] {
  const [first, ...rest] = payee.owed.map((share) => share.amount);
  return rest.reduce(add, first ?? money('USD', 0n));
}
