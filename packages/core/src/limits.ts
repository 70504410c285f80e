import { ledgerLimits } from './limits-ledger.ts';

/** Every bound of queues, loops, payloads and waits, once. Units come last in the names. */
export const limits = {
  bundleZipBytes: 256 * 1024 * 1024,
  bundleFiles: 10_000,
  bundleUnpackedBytes: 1024 * 1024 * 1024,
  bundleFileBytes: 512 * 1024 * 1024,
  /** Unpacked to packed bytes of one entry, above which it counts as a bomb. */
  bundleRatio: 200,
  /** Entries up to this size may shrink by any ratio: even an honest file of zeros does. */
  bundleRatioFreeBytes: 1024 * 1024,
  /** The directory of the zip: names, extra fields and comments. */
  bundleDirectoryBytes: 16 * 1024 * 1024,
  /** Files of one bundle that are stored at the same time. */
  bundleStores: 8,
  manifestBytes: 64 * 1024,
  requestBodyBytes: 1024 * 1024,
  exchangeBodyBytes: 2 * 1024 * 1024,
  webhookBodyBytes: 256 * 1024,
  idempotencyKeyMinChars: 8,
  idempotencyKeyMaxChars: 200,
  idempotencyKeepMs: 24 * 3_600_000,
  chunks: 10_000,
  redundancy: 9,
  /** Replicas given out for one unit, those lost or withdrawn not counted, as a multiple of its redundancy. */
  replicaAttemptsFactor: 3,
  /** Replicas lost of one unit, as a multiple of its redundancy. */
  replicaLossesFactor: 10,
  /** Replicas of one unit that one owner may lose before it gets no more of them. */
  ownerLosses: 5,
  /** How long a replacement waits for a taker before the verdict stands on the quorum that is there. */
  replacementPatienceMs: 60_000,
  /** How long a funded job may be without a verdict; then it fails and its money goes back. */
  jobDeadlineMs: 30 * 86_400_000,
  jobNameChars: 80,
  runnerChars: 128,
  args: 64,
  argChars: 1024,
  cpuCoresMin: 0.1,
  cpuCores: 64,
  memoryGbMin: 0.125,
  memoryGb: 256,
  timeoutHoursMin: 0.001,
  timeoutHours: 168,
  expectedMinutesMin: 0.01,
  budgetMinorMin: 1n,
  budgetMinor: 100_000_000_00n,
  /** Leaves room for the ordinal of a unit below PYTHONHASHSEED's 2^32 - 1. */
  randomSeed: 4_294_957_295,
  /** Hosts and ports that a manifest may name. */
  networkTargets: 16,
  hostNameChars: 253,
  metricNameChars: 64,
  tolerance: 1e12,
  metricsFileBytes: 4096,
  receiptBytes: 64 * 1024 * 1024,
  /** A ledger proof: one transaction with what it read and wrote, its block's header and two paths. */
  proofBytes: 8 * 1024 * 1024,
  outputFiles: 1000,
  outputBytes: 256 * 1024 * 1024,
  /** What a merge may be given, in bytes no more than its memory; each work unit may write an equal share of it. */
  mergeInputFiles: 20_000,
  mergeInputBytes: 1024 * 1024 * 1024,
  /** Files of a job's results that are listed at once, or put into one zip; above it those of one unit at a time. */
  resultFiles: 50_000,
  logBytes: 1024 * 1024,
  logLines: 10_000,
  /** Replicas that one worker may hold at once. */
  workerReplicas: 64,
  /** Commitments, reveals or claims in one exchange. */
  exchangeItems: 64,
  longPollMs: 25_000,
  leaseMs: 60_000,
  /** What a unit may take besides the time limit of its job: to fetch inputs and to start. A lease is renewed up to there. */
  runSlackMs: 3_600_000,
  /** How long a worker may take to show a result once its unit opens. */
  revealMs: 60_000,
  failureReasonChars: 500,
  /** Of what a sandbox says that a unit reached for. */
  breachChars: 200,
  /** Requests that one transaction of the exchange serves. */
  tickRequests: 64,
  /** Transactions of the exchange that one server runs at once. */
  tickLanes: 2,
  /** Replicas whose unit a server remembers to keep its ticks apart. */
  replicaMemory: 200_000,
  /** Units with their replicas that a server which is alone remembers as it last wrote them. */
  cacheUnits: 50_000,
  /** Transactions of the exchange after company before a server tries whether it is alone. */
  soloPause: 500,
  /** Open units at the head of the pool that one transaction of the exchange looks at. */
  tickOpenUnits: 2000,
  /** Workers a transaction searches the whole pool for, because its head has nothing for them. */
  tickSearches: 4,
  openJobs: 1000,
  /** Requests of the exchange that wait for work in one server. */
  exchangeWaiters: 10_000,
  /** Hashes of jobs' inputs that a server remembers, so that a merge's many files are not looked up one by one. */
  inputHashes: 200_000,
  /** How long a server believes what it read about a worker. */
  workerCacheMs: 5_000,
  cacheRows: 20_000,
  /** Verdicts that one Contract.submitWork covers, and how long a verdict waits for others. */
  verdictBatch: 256,
  verdictWaitMs: 1_000,
  /** Units named in one row of the change feed, which only counts more; notifications between servers are cut to a byte limit of PostgreSQL's. */
  feedUnits: 20,
  notifyChars: 7_000,
  sweepDesks: 100,
  sweepUnits: 500,
  /** How far the clock of a signed request may be off. */
  requestSkewMs: 120_000,
  pageItems: 200,
  outboxBatch: 100,
  /** With the pauses below about a day: a shorter outage of the ledger or of a payment provider needs nobody. */
  outboxAttempts: 150,
  /** The first pause before a message is sent again; it doubles up to the second figure. */
  outboxRetryMs: 250,
  outboxRetryMaxMs: 600_000,
  /** How long a running call holds its idempotency key. */
  idempotencyLeaseMs: 60_000,
  /** How often a follower of the change feed looks without being told, and for how long it lets changes gather. */
  feedPollMs: 5_000,
  feedGatherMs: 100,
  /** Attempts to match a webhook with a movement of ours, after which an operator may look at it. */
  inboxAttempts: 12,
  /** Jobs that one look for overdue ones takes on, and payees that one look for due debts does. */
  sweepJobs: 100,
  sweepPayees: 50,
  /** How long a payout that failed waits before the money is sent again. */
  payoutRetryMs: 3_600_000,
  /** The longest pause of a background process that keeps failing. */
  processPauseMaxMs: 30_000,
  /** Facts that a follower reads at once. */
  factBatch: 200,
  /** Jobs whose money one transaction moves. */
  settledTogether: 16,
  eventStreamBuffer: 1000,
  /** Between two comments on a stream of events, and the silence after which a client opens it again. */
  eventHeartbeatMs: 15_000,
  eventSilenceMs: 45_000,
  /** Open event streams of one server and of one account, and the pause in which changes gather before they are read. */
  eventStreams: 2_000,
  eventStreamsPerAccount: 50,
  eventGatherMs: 50,
  /** Open units that one look at available work scans, and the pause between two looks of one request. */
  availableUnits: 2_000,
  availablePollMs: 1_000,
  /** Signed requests that a server remembers, so that none counts twice. */
  requestsSeen: 200_000,
  /** How long a sign-in lasts, and a link that signs in once. */
  sessionMs: 14 * 24 * 3_600_000,
  ticketMs: 3_600_000,
  /** Wrong passwords for one address before the next must wait, and how many it regains in a minute. */
  signInBurst: 10,
  signInPerMinute: 1,
  /** The same for all attempts from one network address. */
  signInAddressBurst: 60,
  signInAddressPerMinute: 20,
  /** Passwords hashed at once: each takes 32 MiB and a thread. */
  passwordHashes: 2,
  passwordHashesWaiting: 100,
  /** API keys and devices that one account may have at a time; a device that was removed counts while it holds replicas. */
  apiKeysPerAccount: 100,
  workersPerAccount: 200,
  /** Requests of all devices behind one network address, as a multiple of what one device may send. */
  devicesPerAddress: 32,
  /** Callers whose rates a server remembers. */
  rateKeys: 20_000,
  /** How long a small body and an upload may take to arrive. */
  requestBodyMs: 30_000,
  uploadMs: 900_000,
  /** Bundles that a server unpacks at once. */
  bundleUploads: 4,
  /** Uploads that a server spools at once, and those of one account among them. */
  bundleSpools: 64,
  bundleSpoolsPerAccount: 4,
  readyCheckMs: 3_000,
  /** A file of the gateway's TLS, the clients that it names, and how often the files are looked at. */
  tlsFileBytes: 1024 * 1024,
  tlsClients: 1_000,
  tlsLookMs: 5_000,
  tlsConnections: 1_000,
  /** How long the other end of a connection that is refused has to read why and to close it. */
  partingMs: 2_000,
  /** Units that wait for workers are counted up to this. */
  backlogUnits: 100_000,
  /** Between two sweeps of leases, and between two rounds of forgetting what is old. */
  sweepMs: 1_000,
  pruneMs: 600_000,
  /** How long the feed of changes reaches back. */
  feedKeepMs: 7 * 24 * 3_600_000,
  keepAliveMs: 72_000,
  /** How long a stopping server waits for requests that are under way. */
  stopMs: 20_000,
  stopLookMs: 20,
  /** Attempts of one call, and the first and longest pause between them. */
  clientAttempts: 5,
  demoAttempts: 8,
  clientBackoffMs: 200,
  clientBackoffMaxMs: 5_000,
  clientTimeoutMs: 30_000,
  clientUploadMs: 600_000,
  databaseConnections: 16,
  databaseConnectMs: 10_000,
  databaseIdleMs: 60_000,
  databaseStatementMs: 60_000,
  databaseReconnectMs: 100,
  /** How often a transaction that lost a race runs again, and the unit of the growing pause between. */
  transactionRetries: 5,
  transactionRetryMs: 5,
  /** How long the embedded database may take to answer after a start, recovery included, and to stop. */
  databaseStartMs: 60_000,
  databaseStopMs: 30_000,
  databaseLogBytes: 10 * 1024 * 1024,
  /** From the start of a sandbox's process until it may be given a unit. */
  sandboxStartMs: 60_000,
  /** From a unit's end until its outputs are outside the sandbox. */
  sandboxCollectMs: 60_000,
  /** Between two looks at a sandbox's memory. */
  sandboxWatchMs: 25,
  /** What the interpreter itself needs on top of a unit's memory. */
  sandboxRuntimeBytes: 320 * 1024 * 1024,
  /** The same for R, whose compiled code grows while it runs. */
  sandboxRuntimeBytesR: 576 * 1024 * 1024,
  /** A pool of sandboxes is refilled after no unit was handed one for so long, at the latest after this much. */
  sandboxRefillRestMs: 150,
  sandboxRefillMaxMs: 2000,
  /** CPU time of a sandbox's process that is started before its unit is known. */
  sandboxIdleCpuSeconds: 24 * 60 * 60,
  sandboxMemoryMinBytes: 64 * 1024 * 1024,
  /** What a 32-bit WebAssembly memory can hold. */
  sandboxMemoryMaxBytes: 4 * 1024 * 1024 * 1024,
  sandboxScratchFiles: 20_000,
  sandboxScratchBytes: 1024 * 1024 * 1024,
  /** How long a worker measures itself at its start. */
  benchmarkMs: 150,
  /** Log text of running units waits this long for company, and only so many lines of it wait. */
  logFlushMs: 400,
  logQueueLines: 20_000,
  logBatchLines: 200,
  logLineChars: 8192,
  /** Inputs that a worker keeps. */
  workerCacheBytes: 4 * 1024 * 1024 * 1024,
  /** Inputs of one unit that are fetched at once. */
  workerDownloads: 8,
  /** The body of one exchange that a worker composes. */
  workerReportBytes: 1024 * 1024,
  /** Between two looks at what the owner of a worker's machine allows, and at how much its folder holds. */
  workerLookMs: 3_000,
  workerDiskLookMs: 60_000,
  /** The longest pause before a worker tries a sandbox again that failed. */
  workerProbeMaxMs: 300_000,
  workerUploadAttempts: 3,
  /** How long a stopping worker waits for the server to hear of it. */
  workerStopMs: 10_000,
  /** How long a finished unit's commitment waits for its last log lines to leave. */
  workerLogWaitMs: 1000,
  workerRetryMs: 200,
  workerRetryMaxMs: 10_000,
  /** Open files of a sandbox's process. */
  sandboxDescriptors: 64,
  /** How long a line of a worker's audit log is kept, by whole days, and how much all of them may hold. */
  auditKeepMs: 30 * 86_400_000,
  auditBytes: 1024 * 1024 * 1024,
  /** Lines that one write of the audit log takes, and connections that one line names. */
  auditBatch: 256,
  auditConnections: 100,
  ...ledgerLimits,
  /** Calls to payment providers that a server makes at the same time. */
  providerCalls: 8,
  /** How long one call to a payment provider may take; after it the outcome is unknown. */
  providerTimeoutMs: 20_000,
  /** Pages of 100 read from a payment provider in one list of movements. */
  providerPages: 100,
  /** How old, or how far in the future, the signature of a webhook may be. */
  webhookToleranceMs: 300_000,
} as const;
