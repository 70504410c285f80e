/** Refunds: through, or back with us as the customer's credit. */

import type { TradeTx, TransferRow } from '@assay/core';
import { assetAt, creditOf, entryOf, inFlight } from './accounts.ts';
import type { ApplyDeps } from './apply-transfer.ts';
import type { Observed } from './observed.ts';

/** Books a refund's new state; the refund is under our lock. Without a provider's id it was refused. */
export async function applyRefund(
  deps: ApplyDeps,
  tx: TradeTx,
  refund: TransferRow,
  seen: Omit<Observed, 'providerId'> & { readonly providerId: string | undefined },
): Promise<void> {
  const { state, failure, providerId } = seen;
  const change = { state, failure: failure ?? null };
  await tx.transfers.change(refund.id, providerId === undefined ? change : { ...change, providerId });
  const asset = assetAt(deps.providers.forRegion(refund.region));
  const { amount } = refund;
  if (state === 'succeeded') {
    await tx.money.post(entryOf(refund, 'refund_paid', [{ debit: inFlight(refund), credit: asset, amount }]));
  } else if (state === 'failed' || state === 'canceled') {
    const from = refund.state === 'succeeded' ? asset : inFlight(refund);
    await tx.money.post(entryOf(refund, 'refund_failed', [{ debit: from, credit: creditOf(refund.party), amount }]));
    const data = { job: refund.job, failure: failure ?? null, amount: amount.minor.toString() };
    await tx.trail.audit({ actor: 'system', action: 'refund.failed', ref: refund.id, data });
  }
}
