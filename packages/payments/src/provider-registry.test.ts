import { describe, expect, it } from 'vitest';
import { providersFromConfig, type StripeRegion } from './provider-registry.ts';

const eu: StripeRegion = {
  kind: 'stripe',
  mode: 'sandbox',
  secretKey: 'sk_test_1',
  webhookSecret: 'whsec_1',
  currencies: ['EUR', 'USD'],
  maxHoldDays: 90,
};

describe('the provider of a region', () => {
  const registry = providersFromConfig({ eu, us: { ...eu, maxHoldDays: 730 } });

  it('is the one that configuration names, with its own name in the books', () => {
    expect(registry.forRegion('eu')).toMatchObject({ name: 'stripe-eu', mode: 'sandbox' });
    expect(registry.forRegion('us').capabilities().maxHoldMs).toBe(730 * 86_400_000);
    expect(registry.entries().map(([region, provider]) => [region, provider.name])).toEqual([
      ['eu', 'stripe-eu'],
      ['us', 'stripe-us'],
    ]);
  });

  it.each(['ru', 'cn'] as const)('is refused for %s, where none is configured', (region) => {
    expect(() => registry.forRegion(region)).toThrow(
      expect.objectContaining({ code: 'payment.region_unavailable', status: 422 }),
    );
  });

  it.each([
    ['a live key in a sandbox', { secretKey: 'sk_live_1' }],
    ['a restricted live key in a sandbox', { secretKey: 'rk_live_1' }],
    ['a sandbox key live', { mode: 'live' as const }],
    [
      'live money sent elsewhere',
      { mode: 'live' as const, secretKey: 'sk_live_1', endpoint: { host: '127.0.0.1', port: 1 } },
    ],
    ['a publishable key', { secretKey: 'pk_test_1' }],
    ['no key', { secretKey: '' }],
    ['no webhook secret', { webhookSecret: '' }],
  ])('is not opened with %s', (_name, change) => {
    expect(() => providersFromConfig({ eu: { ...eu, ...change } })).toThrow(
      expect.objectContaining({ code: 'config.invalid' }),
    );
  });
});
