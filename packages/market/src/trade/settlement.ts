/** How a job's money is divided. Pure: the parts always sum to what was charged. */

import {
  add,
  assert,
  commissionOn,
  money,
  split,
  subtract,
  times,
  type AccountId,
  type CommissionTerms,
  type Earning,
  type Money,
  type WorkerRecord,
} from '@assay/core';

export interface SettlementInput {
  readonly charged: Money;
  readonly perReplica: Money;
  readonly records: readonly WorkerRecord[];
  readonly terms: CommissionTerms;
  /** Each provider's gross turnover of the month before this job. */
  readonly turnover: ReadonlyMap<AccountId, Money>;
  /** What an arbiter takes from what was earned and returns; usually nothing. */
  readonly deduction: Money;
}

export interface Settlement {
  /** By provider, ascending. */
  readonly earnings: readonly Earning[];
  readonly commission: Money;
  /** What providers earned, the commission included. */
  readonly gross: Money;
  readonly refund: Money;
}

/**
 * Pays each provider its agreed replicas less the commission and returns the rest. What an
 * arbiter takes away is taken from all in proportion to what they earned.
 */
export function settlementOf(input: SettlementInput): Settlement {
  const { charged, perReplica, terms, turnover } = input;
  const zero = money(charged.currency, 0n);
  const agreed = new Map<AccountId, number>();
  for (const record of input.records) {
    if (record.agreed > 0) agreed.set(record.owner, (agreed.get(record.owner) ?? 0) + record.agreed);
  }
  const payees = [...agreed].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const earned = payees.map(([, replicas]) => times(perReplica, BigInt(replicas)));
  const total = earned.reduce(add, zero);
  assert(total.minor <= charged.minor, 'the cap covers every agreed replica');
  const gross = subtract(total, input.deduction);
  assert(gross.minor >= 0n && input.deduction.minor >= 0n, 'nobody is paid more than was earned');
  const parts =
    total.minor === 0n
      ? []
      : split(
          gross,
          earned.map((one) => one.minor),
        );
  const earnings = payees.flatMap(([payee, replicas], index): Earning[] => {
    const part = parts[index] ?? zero;
    if (part.minor === 0n) return [];
    return [{ payee, replicas, gross: part, ...commissionOn(terms, turnover.get(payee) ?? zero, part) }];
  });
  return {
    earnings,
    commission: earnings.map((one) => one.commission).reduce(add, zero),
    gross,
    refund: subtract(charged, gross),
  };
}

/** What the agreed replicas of a job earned before anything is taken away. */
export function earnedBy(perReplica: Money, records: readonly WorkerRecord[]): Money {
  return times(perReplica, BigInt(records.reduce((sum, record) => sum + record.agreed, 0)));
}
