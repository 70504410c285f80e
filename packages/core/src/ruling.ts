/** What an arbiter decided on a dispute; its hash stands in Contract.resolveDispute on the ledger. */

import { hashOf, type Sha256, type Sha256Hex } from './hash.ts';
import type { JobId } from './ids.ts';
import { moneyToJson, type Money } from './money.ts';

export interface Ruling {
  readonly outcome: 'COMPLETED' | 'REFUNDED';
  /** Of what the agreed replicas earned, the part that goes back to the customer: all of it for `REFUNDED`. */
  readonly refund: Money;
  readonly reason: string;
}

/** The hash of a ruling on `job`. */
export function rulingHash(sha256: Sha256, job: JobId, ruling: Ruling): Sha256Hex {
  const { outcome, refund, reason } = ruling;
  return hashOf(sha256, 'ruling', { job, outcome, refund: { ...moneyToJson(refund) }, reason });
}
