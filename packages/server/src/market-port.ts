/** The market's use cases as the routes call them, bound to their adapters by `compose.ts`. */

import type { AccountId, DisputeRow, JobId, JobRow, Receipt, TransferRow } from '@assay/core';
import type {
  DisputeRequest,
  JobRequest,
  MoneyLine,
  PayRequest,
  QuotedManifest,
  RulingRequest,
  Webhook,
} from '@assay/market';

export interface Market {
  /** Prices a manifest of unknown shape; refuses `manifest.*` and `quote.over_budget`. */
  quote(manifest: unknown): QuotedManifest;
  createJob(request: JobRequest): Promise<{ readonly job: JobRow; readonly quoted: QuotedManifest }>;
  payJob(request: PayRequest): Promise<TransferRow>;
  cancelJob(request: { readonly customer: AccountId; readonly job: JobId }): Promise<JobRow>;
  disputeJob(request: DisputeRequest): Promise<DisputeRow>;
  resolveDispute(request: RulingRequest): Promise<DisputeRow>;
  /** Stores what a payment provider tells; false where it was stored before. */
  receiveWebhook(webhook: Webhook): Promise<boolean>;
  /** Every movement of the job's money, oldest first. */
  moneyTimeline(job: JobId): Promise<readonly MoneyLine[]>;
  /** The portable proof of a settled job; refuses `result.not_ready` before. */
  receipt(job: JobId): Promise<Receipt>;
}
