/** The bounds of the ledger and of its engines; `limits` has them with all others. */
export const ledgerLimits = {
  ledgerKeyChars: 300,
  ledgerArgs: 8,
  ledgerArgChars: 128 * 1024,
  /** Workers in one batch of results. */
  ledgerResults: 500,
  ledgerReplicas: 1_000_000,
  ledgerPageItems: 100,
  /** The end of the year 9999. */
  ledgerTimeMs: 253_402_300_799_999,
  challengeWindowMs: 90 * 24 * 3_600_000,
  /** The least length of a challenge window where the organisations of a ledger agreed on no other. */
  challengeWindowMinMs: 24 * 3_600_000,
  /** Organisations that a rule of the ledger may ask for. */
  ledgerVotes: 100,
  ledgerSubmissions: 1000,
  /** Batched facts of one transaction, characters of one, and how many one call and one block take. */
  ledgerLeaves: 1000,
  ledgerLeafChars: 1024,
  ledgerCallLeaves: 20_000,
  /** Submissions of several calls that share one database transaction, and with it one wait for the disk. */
  ledgerGroup: 2000,
  ledgerBlockTransactions: 500,
  /** Rows that one range query of a contract may read, as on Fabric. */
  ledgerQueryRows: 100_000,
  ledgerScanPage: 500,
  /** Keys of the state that the writer keeps in memory. */
  ledgerCachedKeys: 100_000,
  ledgerCertificates: 1000,
  ledgerCertificateChars: 8192,
  /** Signatures that are checked where they are; more go to threads, in lists of so many. */
  ledgerSignaturesInline: 16,
  ledgerSignatureBatch: 128,
  /** Threads that check signatures. */
  ledgerSignatureThreads: 4,
  ledgerFactBatch: 200,
  ledgerFollowMs: 1000,
  ledgerProblems: 100,
  /** How long a local Fabric network's programs have to end before they are killed. */
  fabricStopMs: 10_000,
  /** How long a local network may take until it answers. */
  fabricStartMs: 60_000,
  fabricToolMs: 60_000,
  fabricToolBytes: 4 * 1024 * 1024,
  /** What a contract server takes from its peer in one message, as much as peers take themselves. */
  fabricMessageBytes: 100 * 1024 * 1024,
  /** How often the wallet is read again for an identity whose certificate is in the last third of its time. */
  fabricWalletMs: 60_000,
  /** How often, while another organisation's peer is used, the own one is asked whether it is back. */
  fabricHomeMs: 2_000,
  /** How long a peer may take to answer one call. */
  fabricCallMs: 10_000,
  /** How long a transaction that was ordered may take to come back in a block before it is sent again. */
  fabricCommitMs: 5_000,
  /** How long one submission is tried before the caller hears that the ledger is unavailable. */
  fabricSubmitMs: 30_000,
  fabricRetryMs: 50,
  fabricRetryMaxMs: 1_000,
  /** Tries of a transaction that conflicts with others before the caller hears of the conflict. */
  fabricConflicts: 8,
  /** Transactions of one server that are under way at the same time. */
  fabricInFlight: 200,
  /** How far the clock of whoever proposes a transaction may be from an endorsing organisation's own. */
  fabricClockSkewMs: 30_000,
  /** Blocks that the projection writes in one transaction. */
  fabricProjectionBlocks: 50,
} as const;
