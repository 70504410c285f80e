export { openExchange, type Exchange, type ExchangeDeps } from './work/exchange.ts';
export { saysSomething, type ExchangeReply, type JobSpec, type Offer } from './work/exchange-reply.ts';
export {
  deviceVerifier,
  opensslVerifier,
  sodiumVerifier,
  type VerifySignature,
} from './work/device-signature.ts';
export { createWorkerDirectory, profileOf, type KnownWorker, type WorkerDirectory } from './work/worker-directory.ts';
export { type SignedHeaders } from './work/signed-request.ts';
export { createJobFacts, type JobFacts, type JobFactsReader } from './work/job-facts.ts';
export { sweepWork, type SweepDeps, type SweepReport } from './work/sweep-work.ts';
export { judgedOf } from './work/verdict-batches.ts';
export { createJob, quoteManifest, type JobRequest, type QuotedManifest } from './trade/create-job.ts';
export { payJob, type PayRequest } from './trade/pay-job.ts';
export { cancelJob, expireJobs } from './trade/cancel-job.ts';
export { disputeJob, resolveDispute, type DisputeRequest, type RulingRequest } from './trade/dispute-job.ts';
export { receiveWebhook, type Webhook } from './trade/receive-webhook.ts';
export { askProviders, consumeInbox } from './trade/consume-inbox.ts';
export { pumpProvider } from './trade/pump-provider.ts';
export { pumpLedger } from './trade/pump-ledger.ts';
export { followLedger } from './trade/follow-ledger.ts';
export { releaseDue } from './trade/release-due.ts';
export { queuePayouts } from './trade/queue-payouts.ts';
export { workFailed, workVerified } from './trade/end-of-work.ts';
export { settlementOf, type Settlement, type SettlementInput } from './trade/settlement.ts';
export { moneyTimeline, type MoneyLine } from './trade/money-timeline.ts';
export { buildReceipt } from './trade/build-receipt.ts';
export { checkBooks } from './trade/check-books.ts';
export { runToQuiet, startProcesses, tradeProcesses, type TradeProcess } from './trade/processes.ts';
export { type Providers, type TradeDeps, type TradeTerms } from './trade/trade-deps.ts';
