/** Everything that takes part in one simulation. */

import type { AccountId, IdSource, JobId, ReplicaId, Sha256Hex } from '@assay/core';
import type { MemoryPaymentProvider } from '@assay/core/conformance';
import type { Outlook } from './outlook.ts';
import type { PostOffice } from './post-office.ts';
import type { Prng } from './prng.ts';
import type { JobPlan } from './scenario.ts';
import type { SimulatedServer, Site } from './simulated-server.ts';
import type { SimulatedWorker } from './simulated-worker.ts';
import type { RunResult } from './simulated-device.ts';
import type { SimulationDatabase } from './simulation-database.ts';
import type { StepLog } from './step-log.ts';

/** What the market has acknowledged to devices, and what they truly had: what the market must never lose. */
export interface WitnessedWork {
  readonly runs: Map<
    ReplicaId,
    { readonly worker: SimulatedWorker; readonly result: RunResult; readonly isLie: boolean }
  >;
  readonly commits: Map<ReplicaId, Sha256Hex>;
  readonly reveals: Set<ReplicaId>;
}

export interface SimulatedCustomer {
  readonly account: AccountId;
  readonly plan: JobPlan;
  readonly orderKey: string;
  /** Known once the order was acknowledged. */
  job: JobId | undefined;
  /** The card was declined, or the browser closed, once. */
  failedOnce: boolean;
  disputed: boolean;
  /** A late dispute was answered. */
  lateDisputeTried: boolean;
}

export interface World {
  readonly random: Prng;
  readonly site: Site;
  readonly database: SimulationDatabase;
  readonly ids: IdSource;
  readonly bank: MemoryPaymentProvider;
  readonly servers: SimulatedServer[];
  readonly workers: SimulatedWorker[];
  readonly customers: readonly SimulatedCustomer[];
  readonly arbiter: AccountId;
  readonly post: PostOffice;
  readonly witnessed: WitnessedWork;
  readonly log: StepLog;
  outlook: Outlook;
  /** The run comes to its end: nothing fails any more and everybody does what is still to do. */
  isEnding: boolean;
}
