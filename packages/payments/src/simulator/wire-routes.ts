/** The endpoints of the simulated API: what each takes and which desk answers. */

import { balanceOf } from './bank-books.ts';
import type { BankDesk } from './bank-desk.ts';
import { cancelIntent, confirmIntent, createIntent, createRefund, intentOf } from './payment-desk.ts';
import { createAccount, createPayout, createTransfer, reverseTransfer, showAccount } from './transfer-desk.ts';
import { missing, WireError } from './wire-error.ts';
import { checkShape, parseForm, type FormObject, type FormShape } from './wire-form.ts';
import { expanded, listPage, listShape, searchPage } from './wire-lists.ts';

/** A request as it came, its path without the query. */
export interface WireRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly body: string;
}

type Answer = (desk: BankDesk, form: FormObject, id: string) => object;
type Route = readonly [method: string, path: RegExp, shape: FormShape, answer: Answer];

const one: FormShape = { expand: 'any' };
const money: FormShape = { amount: true, currency: true, metadata: 'any', expand: 'any', description: true };

const routes: readonly Route[] = [
  [
    'POST',
    /^\/v1\/payment_intents$/,
    {
      ...money,
      confirm: true,
      payment_method: true,
      transfer_group: true,
      automatic_payment_methods: { enabled: true, allow_redirects: true },
    },
    (desk, form) => createIntent(desk, form),
  ],
  [
    'GET',
    /^\/v1\/payment_intents\/search$/,
    { query: true, limit: true, expand: 'any' },
    (desk, form) => {
      const until = desk.nowSeconds() - desk.terms.searchLagSeconds;
      return searchPage('/v1/payment_intents/search', desk.bank.intents, form, until);
    },
  ],
  [
    'GET',
    /^\/v1\/payment_intents$/,
    listShape,
    ({ bank }, form) => listPage('/v1/payment_intents', bank.intents, form),
  ],
  ['GET', /^\/v1\/payment_intents\/(\w+)$/, one, (desk, _form, id) => intentOf(desk, id)],
  [
    'POST',
    /^\/v1\/payment_intents\/(\w+)\/confirm$/,
    { payment_method: true, ...one },
    (desk, form, id) => confirmIntent(desk, id, form),
  ],
  ['POST', /^\/v1\/payment_intents\/(\w+)\/cancel$/, one, (desk, _form, id) => cancelIntent(desk, id)],
  [
    'GET',
    /^\/v1\/charges$/,
    { ...listShape, payment_intent: true, transfer_group: true },
    ({ bank }, form) => listPage('/v1/charges', bank.charges, form, ['payment_intent', 'transfer_group']),
  ],
  ['GET', /^\/v1\/charges\/(\w+)$/, one, ({ bank }, _form, id) => found('charge', bank.charges, id)],
  [
    'POST',
    /^\/v1\/refunds$/,
    { payment_intent: true, amount: true, metadata: 'any', expand: 'any' },
    (desk, form) => createRefund(desk, form),
  ],
  [
    'GET',
    /^\/v1\/refunds$/,
    { ...listShape, payment_intent: true, charge: true },
    ({ bank }, form) => listPage('/v1/refunds', bank.refunds, form, ['payment_intent', 'charge']),
  ],
  ['GET', /^\/v1\/refunds\/(\w+)$/, one, ({ bank }, _form, id) => found('refund', bank.refunds, id)],
  [
    'POST',
    /^\/v1\/transfers$/,
    { ...money, destination: true, transfer_group: true, source_transaction: true },
    (desk, form) => createTransfer(desk, form),
  ],
  [
    'GET',
    /^\/v1\/transfers$/,
    { ...listShape, transfer_group: true, destination: true },
    ({ bank }, form) => listPage('/v1/transfers', bank.transfers, form, ['transfer_group', 'destination']),
  ],
  ['GET', /^\/v1\/transfers\/(\w+)$/, one, ({ bank }, _form, id) => found('transfer', bank.transfers, id)],
  [
    'POST',
    /^\/v1\/transfers\/(\w+)\/reversals$/,
    { amount: true, metadata: 'any', expand: 'any' },
    (desk, form, id) => reverseTransfer(desk, id, form),
  ],
  ['POST', /^\/v1\/payouts$/, money, (desk, form) => createPayout(desk, form)],
  ['GET', /^\/v1\/payouts$/, listShape, ({ bank }, form) => listPage('/v1/payouts', bank.payouts, form)],
  ['GET', /^\/v1\/payouts\/(\w+)$/, one, ({ bank }, _form, id) => found('payout', bank.payouts, id)],
  ['GET', /^\/v1\/balance$/, one, (desk) => showBalance(desk)],
  [
    'GET',
    /^\/v1\/balance_transactions$/,
    { ...listShape, currency: true, type: true },
    ({ bank }, form) => listPage('/v1/balance_transactions', bank.movements, form, ['currency', 'type']),
  ],
  ['GET', /^\/v2\/core\/accounts\/(\w+)$/, {}, ({ bank }, _f, id) => showAccount(found('account', bank.accounts, id))],
];

/** Answers a request; throws a `WireError` for all but a 200. */
export function answer(desk: BankDesk, request: WireRequest): object {
  const { method, path, query, body } = request;
  if (method === 'POST' && path === '/v2/core/accounts') return showAccount(createAccount(desk, parseJson(body)));
  for (const [verb, pattern, shape, run] of routes) {
    const match = verb === method ? pattern.exec(path) : null;
    if (!match) continue;
    const form = parseForm(method === 'GET' ? query : body);
    checkShape(form, shape);
    return expanded(desk.bank, run(desk, form, match[1] ?? ''), form);
  }
  throw new WireError(404, 'invalid_request_error', undefined, `Unrecognized request URL (${method}: ${path}).`);
}

function parseJson(body: string): Record<string, unknown> {
  try {
    return JSON.parse(body) as Record<string, unknown>;
  } catch {
    throw new WireError(400, 'invalid_request_error', 'invalid_fields', 'The body is not JSON.');
  }
}

function found<T>(what: string, items: Readonly<Record<string, T>>, id: string): T {
  const item = items[id];
  if (item === undefined) throw missing(what, id, 404);
  return item;
}

function showBalance(desk: BankDesk): object {
  const currencies = new Set(Object.values(desk.bank.movements).map((movement) => movement.currency));
  const sums = [...currencies].map((currency) => ({ currency, ...balanceOf(desk.bank, currency, desk.nowSeconds()) }));
  return {
    object: 'balance',
    livemode: desk.terms.livemode,
    available: sums.map(({ currency, available }) => ({ currency, amount: available })),
    pending: sums.map(({ currency, available, total }) => ({ currency, amount: total - available })),
  };
}
