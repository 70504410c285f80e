/** The inbox: each notice names an object whose state is read from the provider and brought into the books. */

import { limits, type InboxMessage, type Region, type TransferRow } from '@assay/core';
import { applyObserved, type ApplyDeps } from './apply-transfer.ts';
import { eachOf } from './each-of.ts';
import { observe } from './observed.ts';
import { providerOf } from './region-provider.ts';
import type { TradeDeps } from './trade-deps.ts';

export type InboxDeps = ApplyDeps & Pick<TradeDeps, 'store' | 'providers'>;

/** Works off what is ready; returns how many messages it took. */
export async function consumeInbox(deps: InboxDeps): Promise<number> {
  const messages = await deps.store.transaction((tx) => tx.inbox.claim(limits.providerCalls));
  return await eachOf(messages, (message) => consume(deps, message));
}

async function consume(deps: InboxDeps, message: InboxMessage): Promise<void> {
  const { object, providerId } = message.notice;
  const region = message.source as Region;
  if ((object !== 'payment' && object !== 'refund' && object !== 'payout') || typeof providerId !== 'string') {
    await deps.store.transaction((tx) => tx.inbox.finish(message, 'ignored'));
    return;
  }
  // Only our stored id of the object counts: what an event or its metadata claims may be about somebody else's money.
  const transfer = await deps.store.transaction((tx) => tx.transfers.findByProvider(region, object, providerId));
  if (!transfer) return await park(deps, message, `no ${object} of ours has the id ${providerId}`);
  const provider = providerOf(deps.providers, region);
  if (!provider) return await park(deps, message, `no payment provider is configured for ${region} any more`);
  const seen = await observe(provider, object, providerId);
  if (seen.kind !== 'ok') return await park(deps, message, seen.message);
  await deps.store.transaction(async (tx) => {
    const locked = await tx.transfers.lock(transfer.id);
    const held = await tx.inbox.finish(message, 'done');
    if (locked && held) await applyObserved(deps, tx, locked, seen.value);
  });
}

/** Leaves a message for later, since the answer that tells us the id may not be stored yet; in the end it is ignored. */
async function park(deps: InboxDeps, message: InboxMessage, why: string): Promise<void> {
  await deps.store.transaction(async (tx) => {
    const isLast = message.attempts >= limits.inboxAttempts;
    if (!(await tx.inbox.finish(message, isLast ? 'ignored' : 'parked')) || !isLast) return;
    const data = { source: message.source, eventKey: message.eventKey, why };
    await tx.trail.audit({ actor: 'system', action: 'webhook.unmatched', ref: message.eventKey.slice(0, 200), data });
  });
}

/** Asks providers about movements that should be through: webhooks get lost. Returns how many it asked about. */
export async function askProviders(deps: InboxDeps): Promise<number> {
  const waiting = await deps.store.transaction((tx) =>
    tx.transfers.underWay(deps.terms.askAgainMs, limits.providerCalls),
  );
  return await eachOf(waiting, (transfer) => ask(deps, transfer));
}

async function ask(deps: InboxDeps, transfer: TransferRow): Promise<void> {
  const { region, kind, providerId } = transfer;
  const provider = providerOf(deps.providers, region);
  if (providerId === null || !provider) return;
  const seen = await observe(provider, kind, providerId);
  if (seen.kind !== 'ok') return;
  await deps.store.transaction(async (tx) => {
    const locked = await tx.transfers.lock(transfer.id);
    if (locked) await applyObserved(deps, tx, locked, seen.value);
  });
}
