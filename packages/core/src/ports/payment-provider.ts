/** Money in and out through a payment provider. Exceptions never cross this border: each call answers with an outcome. */

import type { Currency, Money } from '../money.ts';

/** Definite yes, definite no, or not known: only a definite no may be sent again under a new key. */
export type Outcome<T> =
  | { readonly kind: 'ok'; readonly value: T }
  | { readonly kind: 'refused'; readonly code: string; readonly message: string }
  | { readonly kind: 'unknown'; readonly message: string };

export type PaymentState = 'pending' | 'requires_action' | 'succeeded' | 'canceled';
export type PayoutState = 'pending' | 'in_transit' | 'paid' | 'failed' | 'canceled';
export type RefundState = 'pending' | 'succeeded' | 'failed';

export interface ProviderPayment {
  readonly providerId: string;
  /** Our id, as we sent it. */
  readonly reference: string;
  readonly state: PaymentState;
  readonly amount: Money;
  /** What the provider kept, when it is known. */
  readonly fee?: Money;
  /** When the money can be paid out again; undefined while that is not known. */
  readonly availableAtMs?: number;
  /** What a browser needs to finish the payment (a client secret or a redirect URL). */
  readonly action?: string;
}

export interface ProviderPayout {
  readonly providerId: string;
  readonly reference: string;
  readonly state: PayoutState;
  readonly amount: Money;
  readonly failure?: string;
}

export interface ProviderRefund {
  readonly providerId: string;
  readonly reference: string;
  readonly state: RefundState;
  readonly amount: Money;
}

/** What a webhook tells: only which object changed. Its state is fetched again from the provider. */
export interface WebhookNotice {
  /** Deduplicates deliveries. */
  readonly eventKey: string;
  readonly object: 'payment' | 'payout' | 'refund' | 'other';
  readonly providerId: string;
  readonly occurredAtMs: number;
}

export interface Capabilities {
  readonly currencies: readonly Currency[];
  readonly partialRefund: boolean;
  readonly instantPayout: boolean;
  readonly minimum: Money;
  readonly maximum: Money;
  /** How long the provider remembers an idempotency key. */
  readonly idempotencyWindowMs: number;
  /** How long money may stay before it must be released or returned. */
  readonly maxHoldMs: number;
}

export interface Movement {
  readonly providerId: string;
  readonly kind: 'payment' | 'refund' | 'payout' | 'fee' | 'other';
  readonly reference: string | undefined;
  /** Signed: into our balance is positive. */
  readonly amount: Money;
  readonly atMs: number;
}

export interface PaymentRequest {
  readonly reference: string;
  readonly idempotencyKey: string;
  readonly amount: Money;
  /** A provider's payment method; without one the payment waits for the customer. */
  readonly method?: string;
  readonly description: string;
}

export interface PayoutRequest {
  readonly reference: string;
  readonly idempotencyKey: string;
  readonly amount: Money;
  /** The payee's account at the provider. */
  readonly destination: string;
  /** The pay-in that funds it, where the provider wants to know. */
  readonly sourcePaymentId?: string;
}

export interface RefundRequest {
  readonly reference: string;
  readonly idempotencyKey: string;
  readonly amount: Money;
  readonly paymentProviderId: string;
}

/** What a movement was about, as its request said. */
export interface LookupHints {
  /** The payment that a refund gives back. */
  readonly paymentProviderId?: string;
  /** Whom a payout went to. */
  readonly destination?: string;
}

export interface PaymentProvider {
  readonly name: string;
  readonly mode: 'sandbox' | 'live';
  capabilities(): Capabilities;
  createPayment(request: PaymentRequest): Promise<Outcome<ProviderPayment>>;
  createPayout(request: PayoutRequest): Promise<Outcome<ProviderPayout>>;
  refund(request: RefundRequest): Promise<Outcome<ProviderRefund>>;
  getPayment(providerId: string): Promise<Outcome<ProviderPayment>>;
  getPayout(providerId: string): Promise<Outcome<ProviderPayout>>;
  getRefund(providerId: string): Promise<Outcome<ProviderRefund>>;
  /**
   * Looks an unknown outcome up by our reference; `undefined` says that the provider has no such object. What `about`
   * says narrows the search.
   */
  findByReference(
    kind: 'payment' | 'payout' | 'refund',
    reference: string,
    about?: LookupHints,
  ): Promise<Outcome<{ providerId: string } | undefined>>;
  listMovements(sinceMs: number): Promise<Outcome<readonly Movement[]>>;
  balance(currency: Currency): Promise<Outcome<Money>>;
  /** Opens an account that a payee is paid to; returns the provider's id of it. */
  createRecipient(reference: string, idempotencyKey: string): Promise<Outcome<string>>;
  /** Checks authenticity over the raw bytes; refuses `webhook.unverified`. No outside call. */
  handleWebhook(raw: Uint8Array, headers: Readonly<Record<string, string>>, nowMs: number): WebhookNotice;
}
