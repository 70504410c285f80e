/** The money of a job as people read it. */

import { isoTime, moneyToJson, type JobId, type JournalAccount, type JournalLine, type MoneyJson } from '@assay/core';
import type { TradeDeps } from './trade-deps.ts';

/** One movement, oldest first. */
export interface MoneyLine {
  readonly at: string;
  readonly kind: string;
  readonly text: string;
  readonly from: string;
  readonly to: string;
  readonly amount: MoneyJson;
  readonly entryId: string;
}

/** What each kind of entry says, by where its money goes. */
const texts: Readonly<Record<string, string>> = {
  'payment_to_escrow/escrow': 'The payment arrived and is held in escrow.',
  'payment_to_escrow/psp_asset': 'The payment provider kept its fee; the platform bears it.',
  'payment_to_credit/customer_credit': 'A payment arrived twice or too late; it goes back.',
  'payment_to_credit/psp_asset': 'The payment provider kept its fee; the platform bears it.',
  'payment_to_suspense/suspense': 'A payment of another amount arrived; it goes back.',
  'payment_to_suspense/psp_asset': 'The payment provider kept its fee; the platform bears it.',
  'settlement/worker_payable': 'Agreed results are earned, less the commission.',
  'settlement/commission': 'The commission of the platform.',
  'settlement/refund_in_flight': 'What was not spent, or was ruled back, goes to the customer.',
  'refund_sent/refund_in_flight': 'The money goes back to the customer.',
  'refund_paid/psp_asset': 'The refund was paid.',
  'refund_failed/customer_credit': 'The refund failed; it is kept as the customer’s credit.',
  'payout_sent/payout_in_flight': 'Earnings are on their way to the provider.',
  'payout_paid/psp_asset': 'The payout was paid.',
  'payout_failed/worker_payable': 'The payout failed; the money is owed to the provider.',
  'payout_returned/worker_payable': 'The payout came back; the money is owed to the provider.',
};

/** Every movement of the job's money, oldest first; of payouts for several jobs this job's share. */
export async function moneyTimeline(deps: Pick<TradeDeps, 'store'>, job: JobId): Promise<MoneyLine[]> {
  const lines = await deps.store.transaction((tx) => tx.money.timeline(job));
  return lines.map(lineOf);
}

const accountWords: Readonly<Record<JournalAccount['kind'], string>> = {
  psp_asset: 'payment provider',
  escrow: 'escrow',
  worker_payable: 'owed to',
  payout_in_flight: 'payout under way',
  refund_in_flight: 'refund under way',
  customer_credit: 'credit of',
  commission: 'commission of the platform',
  psp_fee: 'fees of',
  loss: 'loss of',
  suspense: 'held back at',
};

/** Accounts that the line's job or entry already names. */
const withoutRef: ReadonlySet<JournalAccount['kind']> = new Set(['escrow', 'commission', 'refund_in_flight']);

/** `owed to acc_…`: an account in words. */
function accountText(account: JournalAccount): string {
  return withoutRef.has(account.kind) ? accountWords[account.kind] : `${accountWords[account.kind]} ${account.ref}`;
}

function lineOf(line: JournalLine): MoneyLine {
  const { debit, credit } = line;
  return {
    at: isoTime(line.atMs),
    kind: line.kind,
    text: texts[`${line.kind}/${credit.kind}`] ?? line.kind,
    from: accountText(debit),
    to: accountText(credit),
    amount: moneyToJson(line.amount),
    entryId: line.entry,
  };
}
