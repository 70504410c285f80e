/** What a job costs: a price per accepted replica, fixed before funding, and a cap that the budget must cover. */

import { refuse } from './errors.ts';
import { hashOf, type Sha256, type Sha256Hex } from './hash.ts';
import { budgetOf, unitCountOf } from './manifest.ts';
import type { Manifest } from './manifest-shape.ts';
import { formatMoney, money, moneyToJson, times, type Currency, type Money } from './money.ts';

/** Rates in millionths of the currency's main unit per hour. */
export interface RateCard {
  readonly version: string;
  readonly currency: Currency;
  readonly cpuCoreHourMicros: bigint;
  readonly memoryGbHourMicros: bigint;
  readonly gpuHourMicros: bigint;
  /** The least that one accepted replica costs. */
  readonly minimum: Money;
}

/** The rates of this deployment: 4 cents a core-hour, half a cent a GB-hour, 60 cents a GPU-hour, at least 3 cents. */
export const standardRateCard: RateCard = {
  version: '2026-11',
  currency: 'USD',
  cpuCoreHourMicros: 40_000n,
  memoryGbHourMicros: 5_000n,
  gpuHourMicros: 600_000n,
  minimum: money('USD', 3n),
};

export interface Quote {
  readonly rateCard: string;
  readonly units: number;
  readonly redundancy: number;
  /** The price of one accepted replica. */
  readonly perReplica: Money;
  /** What is charged; what is unspent returns at settlement. */
  readonly cap: Money;
  readonly budget: Money;
}

/** What a job costs at most, fixed when it is ordered; its hash is part of the listing on the ledger. */
export interface JobTerms {
  readonly perReplica: Money;
  readonly cap: Money;
  /** What is charged: the cap, or the least that the payment provider takes. */
  readonly deposit: Money;
  readonly redundancy: number;
  /** Work units, and one more where the manifest merges. */
  readonly units: number;
}

/** The hash of a job's terms, `termsHash` in the details of Marketplace.listContract. */
export function termsHash(sha256: Sha256, terms: JobTerms): Sha256Hex {
  const { perReplica, cap, deposit, redundancy, units } = terms;
  return hashOf(sha256, 'terms', {
    perReplica: { ...moneyToJson(perReplica) },
    cap: { ...moneyToJson(cap) },
    deposit: { ...moneyToJson(deposit) },
    redundancy,
    units,
  });
}

/** The price of one accepted replica, rounded up to a minor unit. */
export function pricePerReplica(card: RateCard, resources: Manifest['resources']): Money {
  const perHourMicros =
    milli(resources.cpu_cores) * card.cpuCoreHourMicros +
    milli(resources.memory_gb) * card.memoryGbHourMicros +
    (resources.gpu ? 1000n * card.gpuHourMicros : 0n);
  // perHourMicros counts thousandths of a core; milliseconds over an hour; 10 000 micros are a minor unit (cent).
  const runMs = milli((resources.expected_minutes ?? 0) * 60);
  const minor = divideUp(perHourMicros * runMs, 1000n * 3_600_000n * 10_000n);
  return minor > card.minimum.minor ? money(card.currency, minor) : card.minimum;
}

/** The quote for a job; refuses `quote.over_budget` with the cap and the budget. */
export function quoteJob(card: RateCard, manifest: Manifest): Quote {
  const units = unitCountOf(manifest);
  const { redundancy } = manifest.verification;
  const perReplica = pricePerReplica(card, manifest.resources);
  const cap = times(perReplica, BigInt(units * redundancy));
  const budget = budgetOf(manifest);
  if (cap.minor > budget.minor) {
    throw refuse(
      'quote.over_budget',
      `${units} units × ${redundancy} replicas at ${formatMoney(perReplica)} cost up to ${formatMoney(cap)}, more than the budget of ${formatMoney(budget)}`,
      { perReplica: formatMoney(perReplica), cap: formatMoney(cap), budget: formatMoney(budget), units, redundancy },
    );
  }
  return { rateCard: card.version, units, redundancy, perReplica, cap, budget };
}

/** Thousandths, rounded up past what floating point adds. */
function milli(value: number): bigint {
  return BigInt(Math.ceil(Number((value * 1000).toFixed(6))));
}

function divideUp(dividend: bigint, divisor: bigint): bigint {
  return (dividend + divisor - 1n) / divisor;
}
