/** Every bound of queues, loops, payloads and waits, once. Units come last in the names. */
export const limits = {
  bundleZipBytes: 256 * 1024 * 1024,
  bundleFiles: 10_000,
  bundleUnpackedBytes: 1024 * 1024 * 1024,
  bundleFileBytes: 512 * 1024 * 1024,
  /** Unpacked to packed bytes of one entry, above which it counts as a bomb. */
  bundleRatio: 200,
  manifestBytes: 64 * 1024,
  requestBodyBytes: 1024 * 1024,
  exchangeBodyBytes: 2 * 1024 * 1024,
  webhookBodyBytes: 256 * 1024,
  idempotencyKeyMinChars: 8,
  idempotencyKeyMaxChars: 200,
  idempotencyKeepMs: 24 * 3_600_000,
  chunks: 10_000,
  redundancy: 9,
  /** Replicas ever given out for one unit, as a multiple of its redundancy. */
  replicaAttemptsFactor: 3,
  args: 64,
  argChars: 1024,
  cpuCores: 64,
  memoryGb: 256,
  timeoutHours: 168,
  budgetMinor: 100_000_000_00n,
  metricsFileBytes: 4096,
  outputFiles: 1000,
  outputBytes: 256 * 1024 * 1024,
  logBytes: 1024 * 1024,
  logLines: 10_000,
  /** Replicas that one worker may hold at once. */
  workerReplicas: 64,
  /** Commitments, reveals or claims in one exchange. */
  exchangeItems: 64,
  longPollMs: 25_000,
  leaseMs: 60_000,
  /** How far the clock of a signed request may be off. */
  requestSkewMs: 120_000,
  pageItems: 200,
  outboxBatch: 100,
  outboxAttempts: 20,
  eventStreamBuffer: 1000,
} as const;
