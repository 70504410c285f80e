/**
 * The platform's share of what a provider earns: graduated over the provider's gross earnings of a UTC month, so that
 * F(T + a) − F(T) telescopes: cutting a payment into parts changes nothing and no cent drifts.
 */

import { assert, refuse } from './errors.ts';
import { money, subtract, type Currency, type Money } from './money.ts';

export interface CommissionTier {
  /** Month turnover from which the rate holds, in minor units. */
  readonly fromMinor: bigint;
  /** Hundredths of a per cent. */
  readonly basisPoints: bigint;
}

/** Frozen with the job at funding. */
export interface CommissionTerms {
  readonly currency: Currency;
  /** Ascending, the first from zero. */
  readonly tiers: readonly CommissionTier[];
}

/** 8 % up to 10 000 USD of a month's turnover, 12 % above (D2). */
export const standardCommission: CommissionTerms = {
  currency: 'USD',
  tiers: [
    { fromMinor: 0n, basisPoints: 800n },
    { fromMinor: 10_000_00n, basisPoints: 1200n },
  ],
};

/** F(T): the commission on a month's first `turnover`, rounded down once. */
export function commissionUpTo(terms: CommissionTerms, turnoverMinor: bigint): bigint {
  assert(turnoverMinor >= 0n, 'turnover is not negative');
  let tenThousandths = 0n;
  terms.tiers.forEach((tier, index) => {
    const until = terms.tiers[index + 1]?.fromMinor ?? turnoverMinor;
    const reached = turnoverMinor < until ? turnoverMinor : until;
    if (reached > tier.fromMinor) tenThousandths += (reached - tier.fromMinor) * tier.basisPoints;
  });
  return tenThousandths / 10_000n;
}

/** The commission on `earning` by a provider whose month's turnover was `turnover` before, and what is left of it. */
export function commissionOn(
  terms: CommissionTerms,
  turnover: Money,
  earning: Money,
): { readonly commission: Money; readonly net: Money } {
  for (const amount of [turnover, earning]) {
    if (amount.currency !== terms.currency) {
      throw refuse('money.currency_mismatch', `commission terms are in ${terms.currency}, not ${amount.currency}`, {});
    }
  }
  const minor = commissionUpTo(terms, turnover.minor + earning.minor) - commissionUpTo(terms, turnover.minor);
  const commission = money(terms.currency, minor);
  return { commission, net: subtract(earning, commission) };
}

/** The month that turnover is counted in, `2026-11`, in UTC. */
export function turnoverMonth(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 7);
}
