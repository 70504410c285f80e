import {
  commissionUpTo,
  money,
  standardCommission,
  type AccountId,
  type WorkerId,
  type WorkerRecord,
} from '@assay/core';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { earnedBy, settlementOf, type SettlementInput } from './settlement.ts';

const usd = (minor: bigint) => money('USD', minor);
const account = (n: number) => `acc_${String(n).padStart(32, '0')}` as AccountId;

const record = fc.record({
  worker: fc.nat(30).map((n) => `wrk_${String(n).padStart(32, '0')}` as WorkerId),
  owner: fc.nat(5).map(account),
  agreed: fc.nat(40),
  disagreed: fc.nat(3),
  lost: fc.nat(3),
});

const input = fc
  .record({
    records: fc.array(record, { maxLength: 30 }),
    price: fc.bigInt({ min: 1n, max: 100_000n }),
    unspent: fc.bigInt({ min: 0n, max: 1_000_000n }),
    share: fc.bigInt({ min: 0n, max: 10_000n }),
    turnover: fc.array(fc.bigInt({ min: 0n, max: 2_000_000n }), { minLength: 6, maxLength: 6 }),
  })
  .map(({ records, price, unspent, share, turnover }): SettlementInput => {
    const earned = earnedBy(usd(price), records);
    return {
      charged: usd(earned.minor + unspent),
      perReplica: usd(price),
      records,
      terms: standardCommission,
      turnover: new Map(turnover.map((minor, n) => [account(n), usd(minor)])),
      deduction: usd((earned.minor * share) / 10_000n),
    };
  });

const sum = (amounts: readonly { readonly minor: bigint }[]) => amounts.reduce((total, one) => total + one.minor, 0n);

describe('a settlement', () => {
  test('gives out exactly what was charged', () => {
    fc.assert(
      fc.property(input, (given) => {
        const { earnings, commission, gross, refund } = settlementOf(given);
        expect(sum(earnings.map((one) => one.net)) + commission.minor + refund.minor).toBe(given.charged.minor);
        expect(sum(earnings.map((one) => one.gross))).toBe(gross.minor);
        for (const one of earnings) expect(one.net.minor + one.commission.minor).toBe(one.gross.minor);
      }),
    );
  });

  test('pays each provider its agreed replicas and takes the graduated commission', () => {
    fc.assert(
      fc.property(input, (given) => {
        const { earnings } = settlementOf({ ...given, deduction: usd(0n) });
        const owners = new Map<AccountId, number>();
        for (const { owner, agreed } of given.records) owners.set(owner, (owners.get(owner) ?? 0) + agreed);
        expect(new Map(earnings.map((one) => [one.payee, one.replicas]))).toEqual(
          new Map([...owners].filter(([, replicas]) => replicas > 0)),
        );
        for (const { payee, replicas, gross, commission } of earnings) {
          expect(gross.minor).toBe(given.perReplica.minor * BigInt(replicas));
          const before = given.turnover.get(payee)?.minor ?? 0n;
          expect(commission.minor).toBe(
            commissionUpTo(given.terms, before + gross.minor) - commissionUpTo(given.terms, before),
          );
        }
      }),
    );
  });

  test('takes a deduction from nobody more than a minor unit out of proportion', () => {
    fc.assert(
      fc.property(input, (given) => {
        const total = earnedBy(given.perReplica, given.records).minor;
        const { earnings, gross } = settlementOf(given);
        for (const one of earnings) {
          const exact = given.perReplica.minor * BigInt(one.replicas) * gross.minor;
          expect(one.gross.minor * total).toBeGreaterThan(exact - total);
          expect(one.gross.minor * total).toBeLessThan(exact + total);
        }
      }),
    );
  });

  test('does not depend on the order of the records', () => {
    fc.assert(
      fc.property(input, (given) => {
        const reversed: readonly WorkerRecord[] = given.records.toReversed();
        expect(settlementOf({ ...given, records: reversed })).toEqual(settlementOf(given));
      }),
    );
  });

  test('pays nobody where nothing agreed', () => {
    const given = { charged: usd(90n), perReplica: usd(3n), records: [], terms: standardCommission };
    expect(settlementOf({ ...given, turnover: new Map(), deduction: usd(0n) })).toEqual({
      earnings: [],
      commission: usd(0n),
      gross: usd(0n),
      refund: usd(90n),
    });
  });
});
