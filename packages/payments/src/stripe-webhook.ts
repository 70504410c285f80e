/** Stripe's webhooks: authentic or refused, and then only which object changed. */

import { limits, refuse, type Refusal, type WebhookNotice } from '@assay/core';
import type { Stripe } from 'stripe';

/** What the check needs besides the message. */
export interface WebhookTrust {
  readonly stripe: Stripe;
  /** The signing secret of the endpoint, `whsec_…`. */
  readonly secret: string;
  readonly mode: 'sandbox' | 'live';
}

interface SignedEvent {
  readonly id: string;
  readonly object: string;
  readonly type: string;
  readonly livemode: boolean;
  /** Seconds in a snapshot event, ISO 8601 in a thin one. */
  readonly created: number | string;
  readonly account?: string;
  readonly data?: { readonly object?: Readonly<Record<string, unknown>> };
  readonly related_object?: { readonly id?: unknown } | null;
}

/**
 * Checks size, signature, age and mode over the raw bytes, in this order, and says which object changed. Refuses
 * `webhook.unverified` whatever is wrong. The tolerance is fixed here: a configured zero would turn the age check off.
 */
export function readStripeWebhook(
  trust: WebhookTrust,
  raw: Uint8Array,
  headers: Readonly<Record<string, string>>,
  nowMs: number,
): WebhookNotice {
  if (raw.length > limits.webhookBodyBytes) throw unverified('it is too large');
  const event = parse(signedText(trust, raw, headers['stripe-signature'] ?? '', nowMs));
  if (event.livemode !== (trust.mode === 'live')) throw unverified(`it is not of ${trust.mode} mode`);
  const occurredAtMs = typeof event.created === 'number' ? event.created * 1000 : Date.parse(event.created);
  return { eventKey: event.id, ...changedObject(event), occurredAtMs };
}

function signedText(trust: WebhookTrust, raw: Uint8Array, header: string, nowMs: number): string {
  const toleranceMs = limits.webhookToleranceMs;
  try {
    // Thin events fail in constructEvent, so the signature is checked by the same code one level below.
    trust.stripe.webhooks.signature?.verifyHeader(raw, header, trust.secret, toleranceMs / 1000, undefined, nowMs);
  } catch (error) {
    throw unverified((error as Error).message.split('\n')[0] ?? '');
  }
  // The SDK takes the last t= of the header, and accepts any from the future.
  const signedAt = Number.parseInt(
    header
      .split(',')
      .findLast((item) => item.startsWith('t='))
      ?.slice(2) ?? '',
    10,
  );
  if (!(signedAt * 1000 <= nowMs + toleranceMs)) throw unverified('it was signed in the future');
  return new TextDecoder().decode(raw);
}

function parse(text: string): SignedEvent {
  let event: Partial<SignedEvent> | null;
  try {
    event = JSON.parse(text) as Partial<SignedEvent> | null;
  } catch {
    throw unverified('it is not JSON');
  }
  const known = event?.object === 'event' || event?.object === 'v2.core.event';
  if (!known || !/^evt_\w+$/.test(String(event?.id)) || typeof event?.type !== 'string') {
    throw unverified('it is not an event');
  }
  return event as SignedEvent;
}

function changedObject(event: SignedEvent): Pick<WebhookNotice, 'object' | 'providerId'> {
  if (event.object === 'v2.core.event') return { object: 'other', providerId: textOf(event.related_object?.id) };
  const { id, payment_intent: intent } = event.data?.object ?? {};
  const providerId = textOf(id);
  const topic = event.type.split('.')[0];
  // What happens on a payee's own account has another owner; its ids are not ours.
  if (event.account !== undefined) return { object: 'other', providerId };
  if (topic === 'payment_intent') return { object: 'payment', providerId };
  if (topic === 'refund' || event.type === 'charge.refund.updated') return { object: 'refund', providerId };
  if (topic === 'transfer') return { object: 'payout', providerId };
  if (topic === 'charge' && typeof intent === 'string') return { object: 'payment', providerId: intent };
  return { object: 'other', providerId };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function unverified(why: string): Refusal {
  return refuse('webhook.unverified', `the webhook could not be verified: ${why}`, {});
}
