/**
 * Stripe as a payment provider, by separate charges and transfers: a payment is a PaymentIntent that lands on the
 * platform's balance, a payout is a transfer to the payee's account there, from where Stripe pays to the bank. Retries are
 * ours: the SDK makes none but one after a closed connection, under the same key.
 */

import {
  limits,
  money,
  refuse,
  type Capabilities,
  type Currency,
  type Money,
  type Outcome,
  type PaymentProvider,
  type PaymentRequest,
  type PayoutRequest,
  type ProviderPayment,
  type ProviderPayout,
} from '@assay/core';
import { Stripe } from 'stripe';
import { findByReference, listMovements } from './stripe-lookup.ts';
import {
  confirmedByUsKey,
  moneyOf,
  paymentOf,
  payoutOf,
  referenceKey,
  refundOf,
  sameMode,
  wireAmount,
} from './stripe-objects.ts';
import { attempt, refused } from './stripe-outcome.ts';
import { readStripeWebhook } from './stripe-webhook.ts';

/** One Stripe account of the platform. */
export interface StripeOptions {
  /** Names the account in our books. */
  readonly name: string;
  readonly mode: 'sandbox' | 'live';
  /** `sk_test_…` or `rk_test_…` in a sandbox, `sk_live_…` or `rk_live_…` live. */
  readonly secretKey: string;
  readonly webhookSecret: string;
  readonly currencies: readonly Currency[];
  /** How long Stripe lets money stay: 90 days in most countries, two years in the US. */
  readonly maxHoldMs: number;
  /** Another address than Stripe's own, such as a simulator's. */
  readonly endpoint?: { readonly host: string; readonly port: number };
  /** How long a call may take before its outcome counts as unknown. */
  readonly timeoutMs?: number;
}

/** Stripe's bounds of one charge in currencies of two decimals. */
const bounds = { minimumMinor: 50n, maximumMinor: 99_999_999n };
const withCharge = ['latest_charge.balance_transaction'];

/** Opens the account; refuses `config.invalid` where key and mode disagree. No call is made. */
export function createStripeProvider(options: StripeOptions): PaymentProvider {
  const { mode, secretKey } = options;
  const prefix = mode === 'live' ? /^[sr]k_live_/ : /^[sr]k_test_/;
  if (!prefix.test(secretKey)) throw refuse('config.invalid', `the Stripe key is not of ${mode} mode`, { mode });
  if (!options.webhookSecret.startsWith('whsec_')) {
    throw refuse('config.invalid', 'a Stripe webhook secret starts with whsec_', {});
  }
  if (mode === 'live' && options.endpoint) throw refuse('config.invalid', 'live money goes to Stripe only', { mode });
  const stripe = new Stripe(secretKey, {
    telemetry: false,
    maxNetworkRetries: 0,
    timeout: options.timeoutMs ?? limits.providerTimeoutMs,
    ...(options.endpoint && { ...options.endpoint, protocol: 'http' }),
  });
  const payment = (intent: Stripe.PaymentIntent): ProviderPayment => paymentOf(sameMode(mode, intent));
  const payout = (transfer: Stripe.Transfer): ProviderPayout => payoutOf(sameMode(mode, transfer));
  const capabilities = capabilitiesOf(options);
  return {
    name: options.name,
    mode,
    capabilities: () => capabilities,
    createPayment: async (request) =>
      outOfBounds(capabilities, request.amount, true) ??
      (await attempt(async () => payment(await startPayment(stripe, request)))),
    createPayout: async (request) =>
      outOfBounds(capabilities, request.amount, false) ??
      (await attempt(async () => payout(await startTransfer(stripe, request)))),
    refund: async ({ reference, idempotencyKey, amount, paymentProviderId }) =>
      outOfBounds(capabilities, amount, false) ??
      (await attempt(async () => {
        const params = {
          payment_intent: paymentProviderId,
          amount: wireAmount(amount),
          metadata: { [referenceKey]: reference },
        };
        return refundOf(await stripe.refunds.create(params, { idempotencyKey }));
      })),
    getPayment: (id) => attempt(async () => payment(await stripe.paymentIntents.retrieve(id, { expand: withCharge }))),
    getPayout: (id) => attempt(async () => payout(await stripe.transfers.retrieve(id))),
    getRefund: (id) => attempt(async () => refundOf(await stripe.refunds.retrieve(id))),
    findByReference: (kind, reference, about) => attempt(() => findByReference(stripe, kind, reference, about)),
    listMovements: (sinceMs) => attempt(() => listMovements(stripe, sinceMs)),
    balance: (currency) => attempt(() => balanceOf(stripe, mode, currency)),
    createRecipient: (reference, idempotencyKey) =>
      attempt(() => createRecipient(stripe, mode, reference, idempotencyKey)),
    handleWebhook: (raw, headers, nowMs) =>
      readStripeWebhook({ stripe, secret: options.webhookSecret, mode }, raw, headers, nowMs),
  };
}

function capabilitiesOf(options: StripeOptions): Capabilities {
  const [currency = 'USD'] = options.currencies;
  return {
    currencies: options.currencies,
    partialRefund: true,
    instantPayout: false,
    minimum: money(currency, bounds.minimumMinor),
    maximum: money(currency, bounds.maximumMinor),
    idempotencyWindowMs: 24 * 3_600_000,
    maxHoldMs: options.maxHoldMs,
  };
}

function outOfBounds(known: Capabilities, amount: Money, isCharge: boolean): Outcome<never> | undefined {
  if (!known.currencies.includes(amount.currency)) {
    return refused('currency_unsupported', `this account does not handle ${amount.currency}`);
  }
  const least = isCharge ? known.minimum.minor : 1n;
  if (amount.minor < least) return refused('amount_too_small', `the least is ${least} minor units`);
  if (amount.minor > known.maximum.minor) return refused('amount_too_large', `the most is ${known.maximum.minor}`);
  return undefined;
}

async function startPayment(stripe: Stripe, request: PaymentRequest): Promise<Stripe.PaymentIntent> {
  const confirmed = request.method === undefined ? {} : { [confirmedByUsKey]: 'yes' };
  const params: Stripe.PaymentIntentCreateParams = {
    amount: wireAmount(request.amount),
    currency: request.amount.currency.toLowerCase(),
    description: request.description,
    transfer_group: request.reference,
    metadata: { [referenceKey]: request.reference, ...confirmed },
    expand: withCharge,
    automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
    ...(request.method !== undefined && { confirm: true, payment_method: request.method }),
  };
  return await stripe.paymentIntents.create(params, { idempotencyKey: request.idempotencyKey });
}

async function startTransfer(stripe: Stripe, request: PayoutRequest): Promise<Stripe.Transfer> {
  const params: Stripe.TransferCreateParams = {
    amount: wireAmount(request.amount),
    currency: request.amount.currency.toLowerCase(),
    destination: request.destination,
    metadata: { [referenceKey]: request.reference },
  };
  if (request.sourcePaymentId === undefined) {
    params.transfer_group = request.reference;
  } else {
    // With its source a transfer is accepted before the charge has settled; its group is then the charge's.
    const intent = await stripe.paymentIntents.retrieve(request.sourcePaymentId);
    const charge = intent.latest_charge;
    if (charge === null) throw new Error('the payment that should fund the payout has no charge');
    params.source_transaction = typeof charge === 'string' ? charge : charge.id;
  }
  return await stripe.transfers.create(params, { idempotencyKey: request.idempotencyKey });
}

async function balanceOf(stripe: Stripe, mode: 'sandbox' | 'live', currency: Currency): Promise<Money> {
  const balance = sameMode(mode, await stripe.balance.retrieve());
  const parts = [...balance.available, ...balance.pending].map((part) => moneyOf(part.amount, part.currency));
  const minor = parts.reduce((sum, part) => (part.currency === currency ? sum + part.minor : sum), 0n);
  return money(currency, minor);
}

async function createRecipient(
  stripe: Stripe,
  mode: 'sandbox' | 'live',
  reference: string,
  idempotencyKey: string,
): Promise<string> {
  const account = await stripe.v2.core.accounts.create(
    {
      dashboard: 'express',
      configuration: { recipient: { capabilities: { stripe_balance: { stripe_transfers: { requested: true } } } } },
      defaults: { responsibilities: { fees_collector: 'application', losses_collector: 'application' } },
      metadata: { [referenceKey]: reference },
    },
    { idempotencyKey },
  );
  return sameMode(mode, account).id;
}
