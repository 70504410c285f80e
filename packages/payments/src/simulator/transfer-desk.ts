/** Payees' accounts, transfers to them and payouts at the simulated bank. */

import {
  balanceOf,
  type WireAccount,
  type WireCharge,
  type WirePayout,
  type WireReversal,
  type WireTransfer,
} from './bank-books.ts';
import type { BankDesk } from './bank-desk.ts';
import { badRequest, missing, WireError } from './wire-error.ts';
import { amountOf, optionalText, textOf, textsOf, type FormObject } from './wire-form.ts';

/** Sends money from the platform's balance to a payee's account. */
export function createTransfer(desk: BankDesk, form: FormObject): WireTransfer {
  const amount = amountOf(form, 'amount');
  const currency = textOf(form, 'currency');
  const destination = textOf(form, 'destination');
  const account = desk.bank.accounts[destination];
  if (!account) throw missing('destination', destination, 400);
  if (!account.open) {
    throw badRequest('insufficient_capabilities_for_transfer', 'Your destination account needs stripe_transfers.');
  }
  const source = optionalText(form, 'source_transaction');
  const charge = source === undefined ? undefined : fundedBy(desk, source, amount);
  if (!charge && amount > balanceOf(desk.bank, currency, desk.nowSeconds()).available) {
    throw badRequest('balance_insufficient', 'You have insufficient available funds in your Stripe account.');
  }
  const id = desk.newId('tr');
  const transfer: WireTransfer = {
    id,
    object: 'transfer',
    created: desk.nowSeconds(),
    livemode: desk.terms.livemode,
    metadata: textsOf(form, 'metadata'),
    amount,
    amount_reversed: 0n,
    reversed: false,
    currency,
    destination,
    source_transaction: source ?? null,
    transfer_group: optionalText(form, 'transfer_group') ?? charge?.transfer_group ?? null,
    balance_transaction: desk.move('transfer', id, -amount, currency, 0n, charge && settledAt(desk, charge)).id,
  };
  desk.bank.transfers[id] = transfer;
  account.held[currency] = (account.held[currency] ?? 0n) + amount;
  desk.emit('transfer.created', transfer);
  return transfer;
}

/** When a charge's money is there: a transfer from it leaves the pending part until then. */
function settledAt(desk: BankDesk, charge: WireCharge): number | undefined {
  return desk.bank.movements[charge.balance_transaction]?.available_on;
}

function fundedBy(desk: BankDesk, source: string, amount: bigint): WireCharge {
  const charge = desk.bank.charges[source];
  if (!charge) throw missing('charge', source, 400);
  const used = Object.values(desk.bank.transfers)
    .filter((transfer) => transfer.source_transaction === source)
    .reduce((sum, transfer) => sum + transfer.amount - transfer.amount_reversed, 0n);
  if (used + amount > charge.amount) {
    throw badRequest(
      'transfer_source_balance_parameters_mismatch',
      'The charge has not enough left for this transfer.',
    );
  }
  return charge;
}

/** Brings a transfer back, as far as the payee still has it. */
export function reverseTransfer(desk: BankDesk, id: string, form: FormObject): WireReversal {
  const transfer = desk.bank.transfers[id];
  if (!transfer) throw missing('transfer', id, 404);
  const left = transfer.amount - transfer.amount_reversed;
  const amount = form['amount'] === undefined ? left : amountOf(form, 'amount');
  if (amount > left || left === 0n) throw badRequest(undefined, 'The reversal is greater than what is left.');
  const account = desk.bank.accounts[transfer.destination] as WireAccount;
  const held = account.held[transfer.currency] ?? 0n;
  if (amount > held) throw badRequest('balance_insufficient', 'The destination account has not enough to reverse.');
  const reversalId = desk.newId('trr');
  const reversal: WireReversal = {
    id: reversalId,
    object: 'transfer_reversal',
    created: desk.nowSeconds(),
    livemode: desk.terms.livemode,
    metadata: textsOf(form, 'metadata'),
    amount,
    currency: transfer.currency,
    transfer: id,
    balance_transaction: desk.move('transfer_refund', reversalId, amount, transfer.currency).id,
  };
  desk.bank.reversals[reversalId] = reversal;
  account.held[transfer.currency] = held - amount;
  transfer.amount_reversed += amount;
  transfer.reversed = transfer.amount_reversed === transfer.amount;
  desk.emit('transfer.reversed', transfer);
  return reversal;
}

/** Sends money from the platform's balance to the platform's own bank. */
export function createPayout(desk: BankDesk, form: FormObject): WirePayout {
  const amount = amountOf(form, 'amount');
  const currency = textOf(form, 'currency');
  if (amount > balanceOf(desk.bank, currency, desk.nowSeconds()).available) {
    throw badRequest('balance_insufficient', 'You have insufficient funds in your Stripe account.');
  }
  const id = desk.newId('po');
  const payout: WirePayout = {
    id,
    object: 'payout',
    created: desk.nowSeconds(),
    livemode: desk.terms.livemode,
    metadata: textsOf(form, 'metadata'),
    amount,
    currency,
    balance_transaction: desk.move('payout', id, -amount, currency).id,
    status: 'in_transit',
    failure_code: null,
  };
  desk.bank.payouts[id] = payout;
  desk.emit('payout.created', payout);
  return payout;
}

const accountKeys = new Set([
  'configuration',
  'contact_email',
  'dashboard',
  'defaults',
  'display_name',
  'identity',
  'include',
  'metadata',
]);

/** Opens a payee's account, from the JSON body of the v2 API. */
export function createAccount(desk: BankDesk, body: Readonly<Record<string, unknown>>): WireAccount {
  const unknown = Object.keys(body).find((key) => !accountKeys.has(key));
  if (unknown !== undefined) {
    throw new WireError(400, 'invalid_request_error', 'invalid_fields', `Unknown field: ${unknown}`);
  }
  const asked = JSON.stringify(body['configuration'] ?? {});
  const id = desk.newId('acct');
  const account: WireAccount = {
    id,
    object: 'v2.core.account',
    created: desk.nowSeconds(),
    livemode: desk.terms.livemode,
    metadata: (body['metadata'] ?? {}) as Record<string, string>,
    configuration: (body['configuration'] ?? {}) as Record<string, unknown>,
    dashboard: typeof body['dashboard'] === 'string' ? body['dashboard'] : null,
    held: {},
    open: asked.includes('"stripe_transfers":{"requested":true}'),
  };
  desk.bank.accounts[id] = account;
  desk.emitThin('v2.core.account.created', { id, type: 'v2.core.account', url: `/v2/core/accounts/${id}` });
  return account;
}

/** How the API shows an account. */
export function showAccount(account: WireAccount): object {
  const { held: _held, open, created, ...shown } = account;
  const transfers = { status: open ? 'active' : 'restricted', status_details: [] };
  return {
    ...shown,
    created: new Date(created * 1000).toISOString(),
    applied_configurations: ['recipient'],
    configuration: { recipient: { applied: true, capabilities: { stripe_balance: { stripe_transfers: transfers } } } },
  };
}
