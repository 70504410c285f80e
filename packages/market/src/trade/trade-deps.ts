/** What the use cases of buying, holding and paying are made from; each takes the part that it needs. */

import type {
  Clock,
  CommissionTerms,
  IdSource,
  Ledger,
  LedgerIdentity,
  PaymentProvider,
  RateCard,
  Region,
  Sha256,
  TradeStore,
} from '@assay/core';

/** Finds payment providers; refuses `payment.region_unavailable` where a region has none. */
export interface Providers {
  forRegion(region: Region): PaymentProvider;
}

export interface TradeDeps {
  readonly store: TradeStore;
  readonly ids: IdSource;
  readonly sha256: Sha256;
  readonly clock: Clock;
  readonly providers: Providers;
  readonly ledger: Ledger;
  /** Who signs on the ledger: the orchestrator all but the rulings on disputes. */
  readonly identities: { readonly orchestrator: LedgerIdentity; readonly arbiter: LedgerIdentity };
  readonly terms: TradeTerms;
  /** Told of what a process could not do and will try again. */
  readonly onProblem: (process: string, error: unknown) => void;
}

/** The terms of this deployment. */
export interface TradeTerms {
  /** The allowlist of runners. */
  readonly runners: readonly string[];
  /** Those of them whose units workers can give a graphics processor. */
  readonly gpuRunners: readonly string[];
  readonly rateCard: RateCard;
  /** Frozen into each job when it is funded. */
  readonly commission: CommissionTerms;
  /** How long a job waits for its payment. */
  readonly payWithinMs: number;
  /** How long earnings are gathered before they are paid out together. */
  readonly payoutDelayMs: number;
  /** How long a provider is left in peace before it is asked about a movement that should be through. */
  readonly askAgainMs: number;
  /** Where each region's objects are stored, as the ledger names it. */
  readonly storage: Readonly<Record<Region, string>>;
}
