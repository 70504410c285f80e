/**
 * The way out to payment providers: what the outbox holds is sent, and each outcome (yes, a definite no, not known) is
 * booked in the transaction that finishes the message. A message whose outcome was never learned is looked up first, and
 * past the provider's memory of keys it is never sent again. A payment that its job no longer waits for is not sent either.
 */

import {
  limits,
  type LookupHints,
  type Outcome,
  type OutboxMessage,
  type OutboxResult,
  type PaymentProvider,
  type TradeTx,
  type TransferRow,
} from '@assay/core';
import { applyObserved, applyRefusal, type ApplyDeps } from './apply-transfer.ts';
import { eachOf } from './each-of.ts';
import { observe, send, type Observed } from './observed.ts';
import { providerOf } from './region-provider.ts';
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
  const found = await deps.store.transaction((tx) => findTransfer(tx, message.ref as TransferRow['id']));
  if (!found) return await leaveToHuman(deps, message, 'no such movement');
  const { transfer, isWanted } = found;
  const provider = providerOf(deps.providers, transfer.region);
  if (!provider) {
    return await leaveToHuman(deps, message, `no payment provider is configured for ${transfer.region} any more`);
  }
  const outcome = await outcomeOf(provider, transfer, message, isWanted);
  await deps.store.transaction(async (tx) => {
    const locked = await tx.transfers.lock(transfer.id);
    const held = await tx.outbox.finish(message, resultOf(outcome));
    if (!locked || !held) return;
    if (outcome.kind === 'ok') await applyObserved(deps, tx, locked, outcome.value);
    else if (outcome.kind === 'refused') await applyRefusal(deps, tx, locked, outcome);
  });
}

/** The movement, and whether it is still to be made: a payment only while its job waits for one. */
async function findTransfer(
  tx: TradeTx,
  id: TransferRow['id'],
): Promise<{ transfer: TransferRow; isWanted: boolean } | undefined> {
  const transfer = await tx.transfers.find(id);
  if (transfer?.kind !== 'payment' || transfer.job === null) return transfer && { transfer, isWanted: true };
  const job = await tx.jobs.find(transfer.job);
  return { transfer, isWanted: job?.state === 'created' };
}

async function leaveToHuman(deps: ProviderDeps, message: OutboxMessage, error: string): Promise<void> {
  await deps.store.transaction((tx) => tx.outbox.finish(message, { kind: 'human', error }));
}

/** For so long a request whose answer never came may still be at work at the provider, unseen by a look-up. */
const lateMs = 3 * limits.providerTimeoutMs;

type SendOutcome = Outcome<Observed> | { readonly kind: 'gone'; readonly message: string };

async function outcomeOf(
  provider: PaymentProvider,
  transfer: TransferRow,
  message: OutboxMessage,
  isWanted: boolean,
): Promise<SendOutcome> {
  const unwanted = { kind: 'refused', code: 'job_closed', message: 'the job waits for no payment any more' } as const;
  if (!message.inDoubt) return isWanted ? await send(provider, transfer, message.request) : unwanted;
  const found = await provider.findByReference(transfer.kind, transfer.id, hintsOf(transfer, message));
  if (found.kind !== 'ok') return { kind: 'unknown', message: found.message };
  if (found.value) {
    const seen = await observe(provider, transfer.kind, found.value.providerId);
    // It is there: a read that is refused says nothing about what it came to.
    return seen.kind === 'ok' ? seen : { kind: 'unknown', message: seen.message };
  }
  if (!isWanted) {
    return message.ageMs < lateMs ? { kind: 'unknown', message: 'an earlier sending may still arrive' } : unwanted;
  }
  if (message.ageMs >= provider.capabilities().idempotencyWindowMs) {
    return { kind: 'gone', message: 'the payment provider does not know it and has forgotten the key' };
  }
  return await send(provider, transfer, message.request);
}

function hintsOf(transfer: TransferRow, { request }: OutboxMessage): LookupHints {
  const { paymentProviderId } = request;
  return {
    ...(typeof paymentProviderId === 'string' && { paymentProviderId }),
    ...(transfer.destination !== null && { destination: transfer.destination }),
  };
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
