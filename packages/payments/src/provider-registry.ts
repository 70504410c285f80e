/** Which provider takes and pays the money of which region, from configuration. */

import { refuse, type Currency, type PaymentProvider, type Region } from '@assay/core';
import { createStripeProvider } from './stripe-provider.ts';

/** A region's provider as configuration writes it; the keys of secrets are resolved before. */
export interface StripeRegion {
  readonly kind: 'stripe';
  readonly mode: 'sandbox' | 'live';
  readonly secretKey: string;
  readonly webhookSecret: string;
  readonly currencies: readonly Currency[];
  readonly maxHoldDays: number;
  readonly endpoint?: { readonly host: string; readonly port: number };
}

/** The kinds of provider that configuration can name: a new one is a new member and its adapter. */
export type RegionProvider = StripeRegion;

/** Finds providers by region. */
export interface ProviderRegistry {
  /** Refuses `payment.region_unavailable` where none is configured. */
  forRegion(region: Region): PaymentProvider;
  /** Each configured region with its provider. */
  entries(): readonly (readonly [Region, PaymentProvider])[];
}

/** The providers of `table`; refuses `config.invalid` where a key does not fit its mode. */
export function providersFromConfig(table: Readonly<Partial<Record<Region, RegionProvider>>>): ProviderRegistry {
  const providers: Partial<Record<Region, PaymentProvider>> = {};
  for (const [region, config] of Object.entries(table) as [Region, RegionProvider][]) {
    const { kind, maxHoldDays, ...account } = config;
    providers[region] = createStripeProvider({
      ...account,
      name: `${kind}-${region}`,
      maxHoldMs: maxHoldDays * 24 * 3_600_000,
    });
  }
  return providerRegistry(providers);
}

/** A registry of providers that the caller has made. */
export function providerRegistry(providers: Readonly<Partial<Record<Region, PaymentProvider>>>): ProviderRegistry {
  return {
    forRegion(region) {
      const provider = providers[region];
      if (!provider) {
        throw refuse('payment.region_unavailable', `no payment provider is configured for ${region}`, { region });
      }
      return provider;
    },
    entries: () => Object.entries(providers) as [Region, PaymentProvider][],
  };
}
