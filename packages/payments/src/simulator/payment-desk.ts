/** PaymentIntents and refunds at the simulated bank. */

import type { WireCharge, WireIntent, WireRefund } from './bank-books.ts';
import type { BankDesk } from './bank-desk.ts';
import { badRequest, missing, WireError } from './wire-error.ts';
import { amountOf, optionalText, textOf, textsOf, type FormObject } from './wire-form.ts';

const currencies = new Set(['usd', 'eur', 'gbp', 'jpy']);

/** What Stripe's test payment methods do. */
const declines: Readonly<Record<string, readonly [code: string, decline: string]>> = {
  pm_card_chargeDeclined: ['card_declined', 'generic_decline'],
  pm_card_chargeDeclinedInsufficientFunds: ['card_declined', 'insufficient_funds'],
  pm_card_chargeDeclinedLostCard: ['card_declined', 'lost_card'],
  pm_card_chargeDeclinedExpiredCard: ['expired_card', ''],
  pm_card_chargeDeclinedProcessingError: ['processing_error', ''],
};
const paid = new Set(['pm_card_visa', 'pm_card_mastercard', 'pm_card_amex', 'pm_card_bypassPending']);
const asksCustomer = new Set(['pm_card_authenticationRequired', 'pm_card_threeDSecure2Required']);
const slow = new Set(['pm_usBankAccount_success', 'pm_sepaDebit_success']);

/** Makes a PaymentIntent, and confirms it where asked. */
export function createIntent(desk: BankDesk, form: FormObject): WireIntent {
  const amount = amountOf(form, 'amount');
  const currency = textOf(form, 'currency');
  if (!currencies.has(currency)) throw badRequest(undefined, `Invalid currency: ${currency}`);
  if (amount < desk.terms.minimumCharge) {
    throw badRequest('amount_too_small', `Amount must be at least ${desk.terms.minimumCharge}`);
  }
  if (amount > 99_999_999n) throw badRequest('amount_too_large', 'Amount must be no more than 99999999');
  const id = desk.newId('pi');
  const intent: WireIntent = {
    id,
    object: 'payment_intent',
    created: desk.nowSeconds(),
    livemode: desk.terms.livemode,
    metadata: textsOf(form, 'metadata'),
    amount,
    amount_received: 0n,
    currency,
    client_secret: `${id}_secret_${desk.newId('x').slice(2)}`,
    description: optionalText(form, 'description') ?? null,
    transfer_group: optionalText(form, 'transfer_group') ?? null,
    status: 'requires_payment_method',
    payment_method: null,
    latest_charge: null,
    last_payment_error: null,
    next_action: null,
  };
  const confirm = optionalText(form, 'confirm') === 'true';
  const method = optionalText(form, 'payment_method');
  if (confirm && method === undefined) throw badRequest('parameter_missing', 'A payment_method is needed to confirm.');
  if (method !== undefined) checkMethod(method);
  desk.bank.intents[id] = intent;
  desk.emit('payment_intent.created', intent);
  if (confirm && method !== undefined) tryMethod(desk, intent, method);
  return intent;
}

/** Confirms an intent that waits for a payment method. */
export function confirmIntent(desk: BankDesk, id: string, form: FormObject): WireIntent {
  const intent = intentOf(desk, id);
  const method = textOf(form, 'payment_method');
  checkMethod(method);
  if (!['requires_payment_method', 'requires_confirmation'].includes(intent.status)) {
    throw badRequest('payment_intent_unexpected_state', `This PaymentIntent is ${intent.status}.`);
  }
  tryMethod(desk, intent, method);
  return intent;
}

/** Ends an intent that was not paid. */
export function cancelIntent(desk: BankDesk, id: string): WireIntent {
  const intent = intentOf(desk, id);
  if (['succeeded', 'canceled', 'processing'].includes(intent.status)) {
    throw badRequest('payment_intent_unexpected_state', `This PaymentIntent is ${intent.status}.`);
  }
  intent.status = 'canceled';
  desk.emit('payment_intent.canceled', intent);
  return intent;
}

/** The intent of an id in a path; 404 where there is none. */
export function intentOf(desk: BankDesk, id: string): WireIntent {
  const intent = desk.bank.intents[id];
  if (!intent) throw missing('payment_intent', id, 404);
  return intent;
}

function checkMethod(method: string): void {
  const known = paid.has(method) || asksCustomer.has(method) || slow.has(method) || Object.hasOwn(declines, method);
  if (!known) throw missing('PaymentMethod', method, 400);
}

function tryMethod(desk: BankDesk, intent: WireIntent, method: string): void {
  intent.payment_method = method;
  const decline = declines[method];
  if (decline) declineIntent(desk, intent, decline);
  if (paid.has(method)) {
    collect(desk, intent, method === 'pm_card_bypassPending' ? 0 : desk.terms.settlementSeconds);
  } else if (slow.has(method)) {
    intent.status = 'processing';
    desk.emit('payment_intent.processing', intent);
  } else {
    intent.status = 'requires_action';
    intent.next_action = { type: 'use_stripe_sdk' };
    desk.emit('payment_intent.requires_action', intent);
  }
}

function declineIntent(desk: BankDesk, intent: WireIntent, [code, decline]: readonly [string, string]): never {
  const message = 'Your card was declined.';
  const details = { ...(decline !== '' && { decline_code: decline }) };
  intent.last_payment_error = { type: 'card_error', code, message, ...details };
  intent.payment_method = null;
  desk.emit('payment_intent.payment_failed', intent);
  throw new WireError(402, 'card_error', code, message, { ...details, payment_intent: structuredClone(intent) });
}

/** The money has come: a charge, a movement, the events. */
export function collect(desk: BankDesk, intent: WireIntent, settlementSeconds: number): void {
  const { amount, currency } = intent;
  const fee = (amount * desk.terms.feePermille + 500n) / 1000n + desk.terms.feeFixed;
  const id = desk.newId('ch');
  const movement = desk.move('charge', id, amount, currency, fee, desk.nowSeconds() + settlementSeconds);
  const charge: WireCharge = {
    id,
    object: 'charge',
    created: desk.nowSeconds(),
    livemode: desk.terms.livemode,
    metadata: { ...intent.metadata },
    amount,
    amount_refunded: 0n,
    currency,
    payment_intent: intent.id,
    balance_transaction: movement.id,
    transfer_group: intent.transfer_group,
    refunded: false,
    disputed: false,
  };
  desk.bank.charges[id] = charge;
  Object.assign(intent, { status: 'succeeded', amount_received: amount, latest_charge: id, next_action: null });
  desk.emit('charge.succeeded', charge);
  desk.emit('payment_intent.succeeded', intent);
}

/** Gives money of a charge back. */
export function createRefund(desk: BankDesk, form: FormObject): WireRefund {
  const intent = desk.bank.intents[textOf(form, 'payment_intent')];
  if (!intent) throw missing('payment_intent', textOf(form, 'payment_intent'), 404);
  const charge = desk.bank.charges[intent.latest_charge ?? ''];
  if (!charge) throw badRequest('payment_intent_unexpected_state', 'This PaymentIntent has no charge to refund.');
  if (charge.disputed) throw badRequest('refund_disputed_payment', `Charge ${charge.id} has been charged back.`);
  const left = charge.amount - charge.amount_refunded;
  if (left === 0n) throw badRequest('charge_already_refunded', `Charge ${charge.id} has already been refunded.`);
  const amount = form['amount'] === undefined ? left : amountOf(form, 'amount');
  if (amount > left) {
    throw badRequest(undefined, `Refund amount (${amount}) is greater than unrefunded amount on charge (${left})`);
  }
  const id = desk.newId('re');
  const movement = desk.move('refund', id, -amount, charge.currency);
  const refund: WireRefund = {
    id,
    object: 'refund',
    created: desk.nowSeconds(),
    livemode: desk.terms.livemode,
    metadata: textsOf(form, 'metadata'),
    amount,
    currency: charge.currency,
    charge: charge.id,
    payment_intent: intent.id,
    balance_transaction: movement.id,
    status: 'succeeded',
  };
  desk.bank.refunds[id] = refund;
  charge.amount_refunded += amount;
  charge.refunded = charge.amount_refunded === charge.amount;
  desk.emit('refund.created', refund);
  desk.emit('charge.refunded', charge);
  return refund;
}
