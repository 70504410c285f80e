/** The journal's accounts by what they are for, and the entries that movements cause. */

import type { AccountId, JobId, JournalAccount, JournalEntry, JournalPosting, TransferRow } from '@assay/core';

export const escrowOf = (job: JobId): JournalAccount => ({ kind: 'escrow', ref: job });
export const payableTo = (payee: AccountId): JournalAccount => ({ kind: 'worker_payable', ref: payee });
export const creditOf = (customer: AccountId): JournalAccount => ({ kind: 'customer_credit', ref: customer });
export const commission: JournalAccount = { kind: 'commission', ref: 'platform' };

/** Our money at a provider, by the name of the account there. */
export const assetAt = (provider: { readonly name: string }): JournalAccount => ({
  kind: 'psp_asset',
  ref: provider.name,
});
export const feeAt = (provider: { readonly name: string }): JournalAccount => ({ kind: 'psp_fee', ref: provider.name });
export const suspenseAt = (provider: { readonly name: string }): JournalAccount => ({
  kind: 'suspense',
  ref: provider.name,
});

/** Where the money of a refund or a payout is while nobody has it. */
export const inFlight = (transfer: Pick<TransferRow, 'kind' | 'id'>): JournalAccount => ({
  kind: transfer.kind === 'refund' ? 'refund_in_flight' : 'payout_in_flight',
  ref: transfer.id,
});

/** The entry that a movement causes, once per movement and kind. */
export function entryOf(
  transfer: Pick<TransferRow, 'id' | 'job'>,
  kind: string,
  postings: readonly JournalPosting[],
): JournalEntry {
  return { key: `${transfer.id}/${kind}`, kind, job: transfer.job, cause: { transfer: transfer.id }, postings };
}
