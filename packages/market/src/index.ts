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
