import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { commissionOn, commissionUpTo, standardCommission, turnoverMonth, type CommissionTerms } from './commission.ts';
import { money } from './money.ts';

const usd = (minor: bigint) => money('USD', minor);

describe('commission', () => {
  it('takes 8 % below the threshold, 12 % above, and both across it', () => {
    expect(commissionOn(standardCommission, usd(0n), usd(100_00n)).commission).toEqual(usd(8_00n));
    expect(commissionOn(standardCommission, usd(10_000_00n), usd(100_00n)).commission).toEqual(usd(12_00n));
    expect(commissionOn(standardCommission, usd(9_990_00n), usd(20_00n)).commission).toEqual(usd(2_00n));
  });

  it('refuses another currency', () => {
    expect(() => commissionOn(standardCommission, usd(0n), money('EUR', 1n))).toThrow(/USD/);
    expect(() => commissionOn(standardCommission, money('EUR', 0n), usd(1n))).toThrow(/USD/);
  });

  const amount = fc.bigInt({ min: 0n, max: 20_000_00n });
  const terms: fc.Arbitrary<CommissionTerms> = fc
    .array(fc.tuple(fc.bigInt({ min: 1n, max: 15_000_00n }), fc.bigInt({ min: 0n, max: 10_000n })), { maxLength: 4 })
    .map((tiers) => ({
      currency: 'USD',
      tiers: [
        { fromMinor: 0n, basisPoints: 800n },
        ...tiers
          .map(([fromMinor, basisPoints]) => ({ fromMinor, basisPoints }))
          .toSorted((a, b) => (a.fromMinor < b.fromMinor ? -1 : 1)),
      ],
    }));

  it('telescopes: parts of an earning pay together what the whole pays, to the cent', () => {
    fc.assert(
      fc.property(terms, amount, fc.array(amount, { maxLength: 8 }), (by, before, parts) => {
        let turnover = before;
        let paid = 0n;
        for (const part of parts) {
          const { commission, net } = commissionOn(by, usd(turnover), usd(part));
          expect(commission.minor + net.minor).toBe(part);
          expect(commission.minor).toBeGreaterThanOrEqual(0n);
          expect(net.minor).toBeGreaterThanOrEqual(0n);
          turnover += part;
          paid += commission.minor;
        }
        expect(paid).toBe(commissionUpTo(by, turnover) - commissionUpTo(by, before));
      }),
    );
  });

  it('never shrinks as turnover grows', () => {
    fc.assert(
      fc.property(terms, amount, amount, (by, a, b) => {
        expect(commissionUpTo(by, a)).toBeLessThanOrEqual(commissionUpTo(by, a + b));
      }),
    );
  });

  it('counts months in UTC', () => {
    expect(turnoverMonth(Date.UTC(2026, 10, 30, 23, 59, 59, 999))).toBe('2026-11');
    expect(turnoverMonth(Date.UTC(2026, 11, 1))).toBe('2026-12');
  });
});
