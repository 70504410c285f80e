/** Payouts: through, or owed again; an account that cannot be paid to is used no more until it is changed. */

import { limits, type PayoutId, type TradeTx, type TransferRow } from '@assay/core';
import { assetAt, entryOf, inFlight, payableTo } from './accounts.ts';
import type { ApplyDeps } from './apply-transfer.ts';
import type { Observed } from './observed.ts';

/** Why a payout failed that the payee must mend: every other reason passes, and the payout is tried again. */
const accountFaults: ReadonlySet<string> = new Set([
  'account_closed',
  'account_frozen',
  'account_invalid',
  'bank_account_restricted',
  'bank_ownership_changed',
  'debit_not_authorized',
  'incorrect_account_holder_name',
  // The payee has not given the provider what it asks of those whom it pays.
  'insufficient_capabilities_for_transfer',
  'invalid_account_number',
  'no_account',
  'recipient_unknown',
  'resource_missing',
]);

/** Books a payout's new state; the payout is under our lock. Without a provider's id it was refused. */
export async function applyPayout(
  deps: ApplyDeps,
  tx: TradeTx,
  payout: TransferRow,
  seen: Omit<Observed, 'providerId'> & { readonly providerId: string | undefined },
): Promise<void> {
  const { state, failure, providerId } = seen;
  const change = { state, failure: failure ?? null };
  await tx.transfers.change(payout.id, providerId === undefined ? change : { ...change, providerId });
  const asset = assetAt(deps.providers.forRegion(payout.region));
  const { amount } = payout;
  if (state === 'succeeded') {
    await tx.money.post(entryOf(payout, 'payout_paid', [{ debit: inFlight(payout), credit: asset, amount }]));
  } else if (state === 'failed' || state === 'canceled') {
    const from = payout.state === 'succeeded' ? asset : inFlight(payout);
    const kind = payout.state === 'succeeded' ? 'payout_returned' : 'payout_failed';
    await tx.money.post(entryOf(payout, kind, [{ debit: from, credit: payableTo(payout.party), amount }]));
    const shares = await tx.transfers.sharesOf(payout.id as PayoutId);
    const debts = shares.map((share) => ({ ...share, payee: payout.party }));
    await tx.earnings.owe(debts, limits.payoutRetryMs);
    if (failure !== undefined && accountFaults.has(failure) && payout.destination !== null) {
      await tx.earnings.disableDestination(payout.party, payout.destination, failure);
    }
    const data = { payee: payout.party, failure: failure ?? null, amount: amount.minor.toString() };
    await tx.trail.audit({ actor: 'system', action: 'payout.failed', ref: payout.id, data });
  }
}
