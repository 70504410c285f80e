/** Providers of regions that may have left the configuration while money of theirs is still under way. */

import { Refusal, type PaymentProvider, type Region } from '@assay/core';
import type { Providers } from './trade-deps.ts';

/** The region's provider, or undefined: one region that is gone must not hold up the others. */
export function providerOf(providers: Providers, region: Region): PaymentProvider | undefined {
  try {
    return providers.forRegion(region);
  } catch (error) {
    if (error instanceof Refusal && error.code === 'payment.region_unavailable') return undefined;
    throw error;
  }
}
