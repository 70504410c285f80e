/** What happens at the bank without a request of ours: customers finish or leave, money comes back, refunds fail. */

import { assert } from '@assay/core';
import type { WireDispute } from './bank-books.ts';
import type { BankDesk } from './bank-desk.ts';
import { cancelIntent, collect } from './payment-desk.ts';
import { reverseTransfer } from './transfer-desk.ts';

/** Acts by the id of the object that they change. */
export interface BankActs {
  /** The customer finishes a payment that waits for them, or a bank debit goes through. */
  completePayment(intentId: string): Promise<void>;
  /** The customer fails, or the debit bounces. */
  failPayment(intentId: string): Promise<void>;
  /** The customer walks away, and the payment is closed. */
  cancelPayment(intentId: string): Promise<void>;
  /** A refund that had succeeded comes back. */
  failRefund(refundId: string): Promise<void>;
  /** A transfer comes back whole: paid, then failed. */
  returnTransfer(transferId: string): Promise<void>;
  /** A payout to the platform's bank arrives, or comes back. */
  finishPayout(payoutId: string, outcome: 'paid' | 'failed'): Promise<void>;
  /** The customer's bank takes a payment back. */
  disputePayment(intentId: string): Promise<void>;
  /** Payees' accounts stop or start taking transfers. */
  setAccountOpen(accountId: string, open: boolean): Promise<void>;
}

/** The acts of one bank; each is saved before it resolves. */
export function bankActs(desk: BankDesk, save: () => Promise<void>): BankActs {
  const { bank } = desk;
  return {
    async completePayment(intentId) {
      const intent = known(bank.intents, intentId);
      assert(intent.status !== 'succeeded' && intent.status !== 'canceled', 'a payment that is still open');
      collect(desk, intent, desk.terms.settlementSeconds);
      await save();
    },
    async failPayment(intentId) {
      const intent = known(bank.intents, intentId);
      Object.assign(intent, {
        status: 'requires_payment_method',
        next_action: null,
        last_payment_error: { type: 'card_error', code: 'payment_intent_authentication_failure' },
      });
      desk.emit('payment_intent.payment_failed', intent);
      await save();
    },
    async cancelPayment(intentId) {
      cancelIntent(desk, intentId);
      await save();
    },
    async failRefund(refundId) {
      const refund = known(bank.refunds, refundId);
      Object.assign(refund, { status: 'failed', failure_reason: 'lost_or_stolen_card' });
      desk.move('refund_failure', refundId, refund.amount, refund.currency);
      desk.emit('refund.failed', refund);
      await save();
    },
    async returnTransfer(transferId) {
      reverseTransfer(desk, transferId, {});
      await save();
    },
    async finishPayout(payoutId, outcome) {
      const payout = known(bank.payouts, payoutId);
      payout.status = outcome;
      if (outcome === 'failed') {
        payout.failure_code = 'account_closed';
        desk.move('payout_failure', payoutId, payout.amount, payout.currency);
      }
      desk.emit(`payout.${outcome}`, payout);
      await save();
    },
    async disputePayment(intentId) {
      dispute(desk, intentId);
      await save();
    },
    async setAccountOpen(accountId, open) {
      known(bank.accounts, accountId).open = open;
      await save();
    },
  };
}

function dispute(desk: BankDesk, intentId: string): void {
  const { bank } = desk;
  const charge = known(bank.charges, known(bank.intents, intentId).latest_charge ?? '');
  charge.disputed = true;
  const made: WireDispute = {
    id: desk.newId('du'),
    object: 'dispute',
    created: desk.nowSeconds(),
    livemode: desk.terms.livemode,
    metadata: {},
    amount: charge.amount,
    currency: charge.currency,
    charge: charge.id,
    payment_intent: intentId,
    status: 'needs_response',
  };
  bank.disputes[made.id] = made;
  desk.move('adjustment', made.id, -charge.amount, charge.currency);
  desk.emit('charge.dispute.created', made);
}

function known<T>(items: Readonly<Record<string, T>>, id: string): T {
  const item = items[id];
  assert(item !== undefined, `the bank knows ${id}`);
  return item;
}
