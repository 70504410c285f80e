/** Webhooks come in: checked, stored once, answered. What they mean is found out later, by asking the provider. */

import { limits, refuse, type Region } from '@assay/core';
import type { TradeDeps } from './trade-deps.ts';

export type WebhookDeps = Pick<TradeDeps, 'store' | 'providers' | 'clock'>;

export interface Webhook {
  readonly region: Region;
  /** The body, byte for byte. */
  readonly raw: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Stores a webhook; `false` where it was stored before. Refuses `webhook.unverified`, `request.too_large` and
 * `payment.region_unavailable`.
 */
export async function receiveWebhook(deps: WebhookDeps, webhook: Webhook): Promise<boolean> {
  const provider = deps.providers.forRegion(webhook.region);
  if (webhook.raw.byteLength > limits.webhookBodyBytes) {
    throw refuse('request.too_large', `a webhook has at most ${limits.webhookBodyBytes} bytes`, {});
  }
  const { eventKey, object, providerId, occurredAtMs } = provider.handleWebhook(
    webhook.raw,
    webhook.headers,
    deps.clock.nowMs(),
  );
  return await deps.store.transaction((tx) =>
    tx.inbox.receive({
      source: webhook.region,
      eventKey,
      raw: webhook.raw,
      headers: webhook.headers,
      notice: { object, providerId, occurredAtMs },
    }),
  );
}
