/**
 * The way out to payment providers: what the outbox holds is sent, and each outcome (yes, a definite no, not known) is
 * booked in the transaction that finishes the message. A message whose outcome was never learned is looked up first, and
 * past the provider's memory of keys it is never sent again.
 */

import {
  limits,
  type Outcome,
  type OutboxMessage,
  type OutboxResult,
  type PaymentProvider,
  type TransferRow,
} from '@assay/core';
import { applyObserved, applyRefusal, type ApplyDeps } from './apply-transfer.ts';
import { eachOf } from './each-of.ts';
import { observe, send, type Observed } from './observed.ts';
import type { TradeDeps } from './trade-deps.ts';

export type ProviderDeps = ApplyDeps & Pick<TradeDeps, 'store' | 'providers'>;

const kinds = ['payment', 'refund', 'payout'] as const;

/** Sends everything that is ready; returns how many messages it took. */
export async function pumpProvider(deps: ProviderDeps): Promise<number> {
  return await pump(deps, { kinds, limit: limits.providerCalls });
}

/** Sends the message of one movement now, where nobody else does. */
export async function sendTransfer(deps: ProviderDeps, ref: string): Promise<number> {
  return await pump(deps, { kinds, limit: 1, ref });
}

async function pump(
  deps: ProviderDeps,
  query: { kinds: readonly OutboxMessage['kind'][]; limit: number; ref?: string },
): Promise<number> {
  const messages = await deps.store.transaction((tx) => tx.outbox.claim(query));
  return await eachOf(messages, (message) => sendMessage(deps, message));
}

async function sendMessage(deps: ProviderDeps, message: OutboxMessage): Promise<void> {
  const transfer = await deps.store.transaction((tx) => tx.transfers.find(message.ref as TransferRow['id']));
  if (!transfer) {
    await deps.store.transaction((tx) => tx.outbox.finish(message, { kind: 'human', error: 'no such movement' }));
    return;
  }
  const provider = deps.providers.forRegion(transfer.region);
  const outcome = await outcomeOf(provider, transfer, message);
  await deps.store.transaction(async (tx) => {
    const locked = await tx.transfers.lock(transfer.id);
    const held = await tx.outbox.finish(message, resultOf(outcome));
    if (!locked || !held) return;
    if (outcome.kind === 'ok') await applyObserved(deps, tx, locked, outcome.value);
    else if (outcome.kind === 'refused') await applyRefusal(deps, tx, locked, outcome);
  });
}

type SendOutcome = Outcome<Observed> | { readonly kind: 'gone'; readonly message: string };

async function outcomeOf(
  provider: PaymentProvider,
  transfer: TransferRow,
  message: OutboxMessage,
): Promise<SendOutcome> {
  const isOld = message.ageMs >= provider.capabilities().idempotencyWindowMs;
  if (!message.inDoubt) return await send(provider, transfer, message.request);
  const found = await provider.findByReference(transfer.kind, transfer.id);
  if (found.kind === 'ok' && found.value) return await observe(provider, transfer.kind, found.value.providerId);
  if (found.kind !== 'ok') return { kind: 'unknown', message: found.message };
  if (isOld) return { kind: 'gone', message: 'the payment provider does not know it and has forgotten the key' };
  return await send(provider, transfer, message.request);
}

function resultOf(outcome: SendOutcome): OutboxResult {
  switch (outcome.kind) {
    case 'ok':
      return { kind: 'done', providerId: outcome.value.providerId };
    case 'refused':
      return { kind: 'failed', error: `${outcome.code}: ${outcome.message}` };
    case 'gone':
      return { kind: 'human', error: outcome.message };
    default:
      return { kind: 'unknown', error: outcome.message };
  }
}
