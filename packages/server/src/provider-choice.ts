/** Payment providers by region, from the configuration. */

import { providersFromConfig, type ProviderRegistry, type StripeRegion } from '@assay/payments';
import type { Config } from './config.ts';

/** The providers whose keys are configured; other regions refuse `payment.region_unavailable`. */
export function configuredProviders(config: Config): ProviderRegistry {
  const eu = stripe(config, config.stripeEuKey, config.stripeEuWebhookSecret, 90);
  const us = stripe(config, config.stripeUsKey, config.stripeUsWebhookSecret, 730);
  return providersFromConfig({ ...(eu ? { eu } : {}), ...(us ? { us } : {}) });
}

function stripe(
  config: Config,
  secretKey: string | undefined,
  webhookSecret: string | undefined,
  maxHoldDays: number,
): StripeRegion | undefined {
  if (secretKey === undefined || webhookSecret === undefined) return undefined;
  const url = config.stripeUrl === undefined ? undefined : new URL(config.stripeUrl);
  const endpoint = url ? { endpoint: { host: url.hostname, port: Number(url.port || 80) } } : {};
  const account = { kind: 'stripe', mode: config.paymentMode, secretKey, webhookSecret, maxHoldDays } as const;
  return { ...account, currencies: ['USD'], ...endpoint };
}
