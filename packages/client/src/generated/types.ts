/** Generated from docs/reference/openapi.json by scripts/client.ts; do not edit. */

/** Why a request was refused (RFC 9457). */
export type Problem = {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** What clients match on: see the table of error codes. */
  readonly code: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly requestId: string;
};

/** An amount of money. */
export type Money = {
  readonly currency: 'USD' | 'EUR' | 'RUB' | 'CNY' | 'JPY';
  /** Whole minor units (cents), a decimal string. */
  readonly minor: string;
};

export type TreeFile = {
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string;
};

export type Account = {
  readonly id: string;
  readonly email: string;
  /** Where data lives and money moves. */
  readonly region: 'ru' | 'eu' | 'us' | 'cn';
  readonly roles: readonly ('customer' | 'provider' | 'operator' | 'arbiter' | 'auditor')[];
  readonly createdAt: string;
};

export type AccountRequest = {
  readonly email: string;
  readonly password: string;
  /** Where data lives and money moves. */
  readonly region: 'ru' | 'eu' | 'us' | 'cn';
  readonly roles: readonly ('customer' | 'provider')[];
};

export type SessionRequest = {
  readonly email: string;
  readonly password: string;
};

/** The present password and the new one. */
export type PasswordChange = {
  readonly password: string;
  readonly newPassword: string;
};

/** A sign-in link that works once. */
export type TicketRequest = {
  readonly ticket: string;
};

export type Session = {
  readonly account: Account;
  readonly via: 'session' | 'apiKey' | 'certificate';
  readonly scopes: readonly ('jobs:read' | 'jobs:write' | 'workers' | 'ledger' | 'disputes' | 'account' | 'metrics')[];
  readonly expiresAt: string | null;
};

export type OpenSession = {
  readonly id: string;
  /** What signed in, as `Firefox on Linux`. */
  readonly client: string;
  readonly createdAt: string;
  readonly lastUsedAt: string;
  readonly expiresAt: string;
  /** Whether this request came by it. */
  readonly current: boolean;
};

export type EndedSessions = {
  readonly ended: number;
};

export type ApiKeyRequest = {
  readonly name: string;
  readonly scopes: readonly ('jobs:read' | 'jobs:write' | 'workers' | 'ledger' | 'disputes' | 'account' | 'metrics')[];
};

export type ApiKey = {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly ('jobs:read' | 'jobs:write' | 'workers' | 'ledger' | 'disputes' | 'account' | 'metrics')[];
  readonly createdAt: string;
  readonly lastUsedAt: string | null;
};

export type NewApiKey = {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly ('jobs:read' | 'jobs:write' | 'workers' | 'ledger' | 'disputes' | 'account' | 'metrics')[];
  readonly createdAt: string;
  readonly lastUsedAt: string | null;
  /** Shown this once. */
  readonly secret: string;
};

export type RunnerOffer = {
  /** Such as platform-runner:python-3.14. */
  readonly runner: string;
  readonly driver: 'wasm' | 'docker';
  /** Pins the exact runner image. */
  readonly digest: string;
  /** Units may be let out to the hosts that their manifest names. */
  readonly egress?: boolean;
  /** Units can be given a graphics processor. */
  readonly gpu?: boolean;
};

/** What a worker has. */
export type Machine = {
  readonly arch: string;
  readonly os: string;
  /** That one replica may have. */
  readonly cpuCores: number;
  /** That one replica may have. */
  readonly memoryGb: number;
  readonly gpu?: string | null;
  /** The longest run that the worker takes. */
  readonly maxHours?: number;
  /** Replicas run at once. */
  readonly slots: number;
  readonly runners: readonly RunnerOffer[];
  /** Of the benchmark, 1 = the reference machine. */
  readonly score?: number;
};

export type WorkerRequest = {
  /** The ed25519 key of the device, hex. */
  readonly publicKey: string;
  readonly name: string;
  readonly machine: Machine;
};

export type NewWorker = {
  readonly workerId: string;
};

export type Worker = {
  readonly id: string;
  readonly name: string;
  readonly publicKey: string;
  readonly machine: Machine;
  readonly state: 'active' | 'banned';
  readonly reputation: {
    readonly agreed: number;
    readonly disagreed: number;
    readonly lost: number;
  };
  readonly running: number;
  readonly createdAt: string;
  readonly lastSeenAt: string | null;
};

export type PayoutAccountRequest = {
  /** Where data lives and money moves. */
  readonly region: 'ru' | 'eu' | 'us' | 'cn';
};

export type PayoutAccount = {
  /** Where data lives and money moves. */
  readonly region: 'ru' | 'eu' | 'us' | 'cn';
  readonly provider: string;
  readonly destination: string;
  readonly createdAt: string;
};

export type BanRequest = {
  /** An account, which may not order or pay any more, or a worker, which gets no work any more. */
  readonly subject: string;
  readonly reason: string;
};

export type Ban = {
  /** An account, which may not order or pay any more, or a worker, which gets no work any more. */
  readonly subject: string;
  readonly reason: string;
  readonly bannedAt: string;
};

export type InvokeRequest = {
  readonly contract: 'Marketplace' | 'Contract' | 'Reputation' | 'EscrowTrigger';
  readonly fn: string;
  readonly args: readonly string[];
};

export type Invoked = {
  readonly txId: string;
  readonly block: string;
  readonly result: string;
};

export type Queried = {
  readonly result: string;
};

export type FactLine = {
  readonly at: string;
  readonly block: string;
  readonly txId: string;
  readonly contract: 'Marketplace' | 'Contract' | 'Reputation' | 'EscrowTrigger';
  readonly name: string;
  readonly payload: unknown;
  /** Its place in the stream of all facts. */
  readonly position: string;
};

export type SignedHead = {
  readonly block: string;
  readonly blockHash: string;
  readonly chainRoot: string;
  readonly at: string;
  readonly atMs: number;
  readonly publicKey: string;
  readonly signature: string;
};

export type TransactionLine = {
  readonly block: string;
  readonly index: number;
  readonly txId: string;
  readonly at: string;
  readonly contract: string;
  readonly fn: string;
  readonly jobId: string | null;
  /** Who asked. */
  readonly creator: {
    /** The organisation. */
    readonly mspId: string;
    /** SHA-256 of the certificate (PEM), hex. */
    readonly certificate: string;
    readonly name: string | null;
  };
  /** The validation code; 0 counts, any other is in the block without effect. */
  readonly code: number;
  readonly facts: readonly string[];
};

export type LedgerTransaction = {
  readonly block: string;
  readonly index: number;
  readonly txId: string;
  readonly at: string;
  readonly contract: string;
  readonly fn: string;
  readonly jobId: string | null;
  /** Who asked. */
  readonly creator: {
    /** The organisation. */
    readonly mspId: string;
    /** SHA-256 of the certificate (PEM), hex. */
    readonly certificate: string;
    readonly name: string | null;
  };
  /** The validation code; 0 counts, any other is in the block without effect. */
  readonly code: number;
  readonly facts: readonly {
    readonly name: string;
    readonly payload: unknown;
  }[];
  readonly args: readonly string[];
  readonly result: string;
  readonly signature: {
    readonly value: string | null;
    /** As this server checks it; `elsewhere`: the creator signed another network’s envelope. */
    readonly state: 'valid' | 'invalid' | 'elsewhere';
  };
  readonly leaves: {
    readonly count: number;
    readonly root: string;
  } | null;
  readonly proposedAt: string;
  readonly reads: number;
  readonly writes: number;
  /** Whether `GET /ledger/proofs/{txId}` has a proof of it. */
  readonly provable: boolean;
};

export type BlockLine = {
  readonly number: string;
  readonly hash: string;
  readonly previousHash: string;
  readonly at: string;
  readonly txCount: number;
};

export type Block = {
  readonly number: string;
  readonly hash: string;
  readonly previousHash: string;
  readonly at: string;
  readonly txCount: number;
  readonly txRoot: string;
  /** Canonical JSON; the block’s hash is over it. */
  readonly header: string;
  readonly head: SignedHead;
  readonly ordered: {
    readonly hash: string;
    readonly previous: string;
    readonly data: string;
  } | null;
  readonly genesis: {
    readonly channel: string;
    readonly publicKey: string;
    readonly organizations: readonly string[];
  } | null;
};

export type WorkerChange = {
  readonly block: string;
  readonly index: number;
  readonly txId: string;
  readonly at: string;
  readonly contract: string;
  readonly fn: string;
  readonly jobId: string | null;
  /** Who asked. */
  readonly creator: {
    /** The organisation. */
    readonly mspId: string;
    /** SHA-256 of the certificate (PEM), hex. */
    readonly certificate: string;
    readonly name: string | null;
  };
  /** The validation code; 0 counts, any other is in the block without effect. */
  readonly code: number;
  readonly facts: readonly string[];
  readonly counters: {
    readonly agreed: number;
    readonly disagreed: number;
    readonly lost: number;
    readonly slashed: number;
  } | null;
};

export type Found = {
  readonly kind: 'block' | 'transaction' | 'job' | 'worker';
  readonly id: string;
};

export type InclusionProof = {
  readonly format: 'assay/proof/1';
  readonly transaction: string;
  readonly txIndex: number;
  readonly txCount: number;
  readonly txPath: readonly string[];
  readonly header: string;
  readonly chainPath: readonly string[];
  readonly head: SignedHead;
};

export type FactPage = {
  readonly items: readonly FactLine[];
  readonly next: string | null;
};

export type BlockPage = {
  readonly items: readonly BlockLine[];
  readonly next: string | null;
};

export type TransactionPage = {
  readonly items: readonly TransactionLine[];
  readonly next: string | null;
};

export type WorkerChangePage = {
  readonly items: readonly WorkerChange[];
  readonly next: string | null;
};

export type Health = {
  readonly status: 'ok';
  readonly version: string;
  readonly uptimeMs: number;
  /** Whether payments move real money: live ones do. */
  readonly payments: 'sandbox' | 'live';
};

export type Check = {
  readonly name: string;
  readonly ok: boolean;
  readonly text: string;
};

export type Ready = {
  readonly ready: boolean;
  readonly checks: readonly Check[];
};

export type PayRequest = {
  readonly method?: string;
};

export type Payment = {
  readonly id: string;
  readonly jobId: string;
  readonly state: 'pending' | 'requires_action' | 'succeeded' | 'canceled' | 'failed';
  readonly amount: Money;
  readonly provider: string;
  readonly action: string | null;
  readonly failure: string | null;
};

export type MoneyLine = {
  readonly at: string;
  readonly kind: string;
  readonly text: string;
  readonly from: string;
  readonly to: string;
  readonly amount: Money;
  readonly entryId: string;
};

export type MoneyPage = {
  readonly items: readonly MoneyLine[];
  readonly next: string | null;
};

export type QuoteRequest = {
  /** A manifest (see its JSON Schema). */
  readonly manifest: Readonly<Record<string, unknown>>;
};

/** The cap is what the job costs at most; the deposit is what is charged: the cap, or the least that the payment provider takes. */
export type Quote = {
  /** A manifest (see its JSON Schema). */
  readonly manifest: Readonly<Record<string, unknown>>;
  readonly manifestHash: string;
  /** The version of the rates. */
  readonly rateCard: string;
  readonly units: number;
  readonly redundancy: number;
  /** Units × redundancy: what the cap pays for. */
  readonly replicas: number;
  readonly perReplica: Money;
  readonly cap: Money;
  readonly deposit: Money;
  readonly budget: Money;
};

export type Job = {
  readonly id: string;
  readonly name: string;
  readonly state: 'created' | 'funded' | 'verified' | 'completed' | 'disputed' | 'refunded' | 'cancelled';
  /** Where data lives and money moves. */
  readonly region: 'ru' | 'eu' | 'us' | 'cn';
  /** A manifest (see its JSON Schema). */
  readonly manifest: Readonly<Record<string, unknown>>;
  readonly manifestHash: string;
  readonly bundle: {
    readonly digest: string;
    readonly files: number;
    readonly sizeBytes: number;
  };
  readonly price: {
    readonly perReplica: Money;
    readonly cap: Money;
    readonly charged: Money | null;
    readonly spent: Money | null;
    readonly refunded: Money | null;
  };
  readonly redundancy: number;
  readonly counts: {
    readonly units: number;
    readonly agreed: number;
    readonly undecided: number;
    readonly replicasRunning: number;
  };
  readonly createdAt: string;
  readonly fundedAt: string | null;
  readonly verifiedAt: string | null;
  readonly releaseDueAt: string | null;
  readonly settledAt: string | null;
  readonly failure: {
    readonly code: string;
    readonly text: string;
  } | null;
  readonly dispute: {
    readonly id: string;
    readonly state: 'open' | 'resolved';
    readonly reason: string;
    readonly openedAt: string;
  } | null;
};

/** A job as it was created, with the quote that it was priced by. */
export type CreatedJob = {
  readonly id: string;
  readonly name: string;
  readonly state: 'created' | 'funded' | 'verified' | 'completed' | 'disputed' | 'refunded' | 'cancelled';
  /** Where data lives and money moves. */
  readonly region: 'ru' | 'eu' | 'us' | 'cn';
  /** A manifest (see its JSON Schema). */
  readonly manifest: Readonly<Record<string, unknown>>;
  readonly manifestHash: string;
  readonly bundle: {
    readonly digest: string;
    readonly files: number;
    readonly sizeBytes: number;
  };
  readonly price: {
    readonly perReplica: Money;
    readonly cap: Money;
    readonly charged: Money | null;
    readonly spent: Money | null;
    readonly refunded: Money | null;
  };
  readonly redundancy: number;
  readonly counts: {
    readonly units: number;
    readonly agreed: number;
    readonly undecided: number;
    readonly replicasRunning: number;
  };
  readonly createdAt: string;
  readonly fundedAt: string | null;
  readonly verifiedAt: string | null;
  readonly releaseDueAt: string | null;
  readonly settledAt: string | null;
  readonly failure: {
    readonly code: string;
    readonly text: string;
  } | null;
  readonly dispute: {
    readonly id: string;
    readonly state: 'open' | 'resolved';
    readonly reason: string;
    readonly openedAt: string;
  } | null;
  readonly quote: Quote;
  readonly payment: Payment | null;
};

export type Replica = {
  readonly id: string;
  readonly workerId: string;
  readonly workerName: string;
  readonly ownerName: string;
  readonly state: 'leased' | 'committed' | 'revealed' | 'agreed' | 'disagreed' | 'lost' | 'failed' | 'withdrawn';
  /** The runner digest, with the architecture where that counts. */
  readonly machineClass: string;
  readonly commitment: string | null;
  readonly digest: string | null;
  readonly metric: string | null;
  readonly claimedAt: string;
  readonly committedAt: string | null;
  readonly revealedAt: string | null;
  readonly usage: {
    readonly wallMs: number;
    readonly cpuMs: number;
    readonly peakBytes: number;
  } | null;
  readonly paid: Money | null;
};

export type Unit = {
  readonly id: string;
  readonly ordinal: number;
  readonly kind: 'work' | 'merge';
  readonly state: 'open' | 'running' | 'revealing' | 'agreed' | 'undecided';
  readonly agreedDigest: string | null;
  readonly metric: string | null;
  readonly replicas: readonly Replica[];
};

export type LogLine = {
  readonly position: string;
  readonly unitId: string;
  readonly replicaId: string;
  readonly stream: 'stdout' | 'stderr' | 'system';
  readonly text: string;
  readonly at: string;
};

export type Results = {
  readonly digest: string;
  readonly files: readonly TreeFile[];
  /** Whether the files come from the merge unit; else they lie under NNNN/. */
  readonly merged: boolean;
};

/** One event of a stream: something changed, read it again. */
export type Change = {
  readonly position: string;
  readonly jobId: string | null;
  readonly kind: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly at: string;
};

export type DisputeRequest = {
  readonly reason: string;
};

export type ResolveRequest = {
  readonly outcome: 'release' | 'refund' | 'split';
  /** For a split: what goes back. */
  readonly refundMinor?: string;
  readonly reason: string;
};

export type Dispute = {
  readonly id: string;
  readonly jobId: string;
  readonly state: 'open' | 'resolved';
  readonly reason: string;
  readonly outcome: 'release' | 'refund' | 'split' | null;
  readonly openedAt: string;
  readonly resolvedAt: string | null;
};

export type JobPage = {
  readonly items: readonly Job[];
  readonly next: string | null;
};

export type UnitPage = {
  readonly items: readonly Unit[];
  readonly next: string | null;
};

export type LogPage = {
  readonly items: readonly LogLine[];
  readonly next: string | null;
};

export type HeldMessage = {
  /** Its number in the outbox. */
  readonly message: string;
  readonly kind: 'ledger' | 'payment' | 'payout' | 'refund' | 'mail';
  /** What it asks of its receiver. */
  readonly op: string;
  /** What it is about, such as a job. */
  readonly ref: string;
  /** A sending may have had its effect; the receiver is asked before anything is sent anew. */
  readonly inDoubt: boolean;
  /** Why it is held. */
  readonly error: string;
  readonly addedAt: string;
};

export type ResumeRequest = {
  /** Its number in the outbox. */
  readonly message: string;
  readonly reason: string;
  /** Somebody made sure that the receiver has nothing of it: it may be sent although its key may be forgotten. */
  readonly absent?: boolean;
};

export type Commit = {
  readonly replica: string;
  readonly commitment: string;
};

export type Usage = {
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly peakBytes: number;
};

export type Reveal = {
  readonly replica: string;
  readonly nonce: string;
  readonly exitCode: number;
  readonly outputs: readonly TreeFile[];
  readonly metrics?: string;
  readonly usage: Usage;
  readonly breach?: string;
};

export type ReplicaFailure = {
  readonly replica: string;
  readonly reason: string;
};

export type ExchangeRequest = {
  readonly commits: readonly Commit[];
  readonly reveals: readonly Reveal[];
  readonly failures: readonly ReplicaFailure[];
  readonly running: readonly string[];
  readonly claim: number;
  readonly waitMs: number;
  readonly knownJobs?: readonly string[];
};

export type Offer = {
  readonly replica: string;
  readonly unit: string;
  readonly job: string;
  readonly kind: 'work' | 'merge';
  readonly ordinal: number;
  /** What the worker said it computes this with; it signs the same with the result. */
  readonly machineClass: string;
  readonly leaseUntil: string;
  readonly inputs?: readonly TreeFile[];
};

export type JobSpec = {
  readonly runner: string;
  readonly entryPoint: string;
  readonly mergeScript?: string | null;
  readonly args: readonly string[];
  readonly outputDir: string;
  readonly bundle: readonly TreeFile[];
  readonly resources: {
    readonly cpuCores: number;
    readonly memoryGb: number;
    readonly gpu?: boolean;
  };
  /** The only hosts and ports that units may connect to. */
  readonly network?: readonly {
    readonly host: string;
    readonly port: number;
  }[];
  readonly timeoutMs: number;
  readonly randomSeed: number | null;
  readonly chunks: number;
  readonly perReplica: Money;
  readonly verification: {
    readonly type: 'exact' | 'metric';
    readonly metricName?: string;
    readonly tolerance?: number;
  };
};

export type ReplicaRefusal = {
  readonly replica: string;
  readonly code: string;
};

export type ExchangeResponse = {
  readonly offers: readonly Offer[];
  readonly jobs: Readonly<Record<string, JobSpec>>;
  readonly reveal: readonly string[];
  readonly stop: readonly string[];
  readonly refused: readonly ReplicaRefusal[];
};

export type Available = {
  readonly items: readonly {
    readonly job: string;
    readonly name: string;
    readonly runner: string;
    readonly openReplicas: number;
    readonly perReplica: Money;
    readonly timeoutMs: number;
  }[];
};

export type LogRequest = {
  readonly lines: readonly {
    readonly replica: string;
    readonly stream: 'stdout' | 'stderr';
    readonly text: string;
  }[];
};

export type LogReply = {
  readonly accepted: number;
  readonly refused: readonly ReplicaRefusal[];
};

export type StoredObject = {
  readonly sha256: string;
  readonly sizeBytes: number;
};

/** Every operation by method and path: what it takes and what it answers. */
export interface Operations {
  /** Open an account. */
  'POST /accounts': {
    readonly params: undefined;
    readonly query: undefined;
    readonly body: AccountRequest;
    readonly reply: Account;
  };
  /** Sign in; the answer sets the session cookie. */
  'POST /sessions': {
    readonly params: undefined;
    readonly query: undefined;
    readonly body: SessionRequest;
    readonly reply: Session;
  };
  /** The sessions of this account, newest first. */
  'GET /sessions': {
    readonly params: undefined;
    readonly query: { readonly after?: string; readonly limit?: number; };
    readonly body: undefined;
    readonly reply: {
      readonly items: readonly OpenSession[];
      readonly next: string | null;
    };
  };
  /** End all sessions of this account but the one that asks, and its links that were not used. */
  'DELETE /sessions': {
    readonly params: undefined;
    readonly query: undefined;
    readonly body: undefined;
    readonly reply: EndedSessions;
  };
  /** Sign in with a link that works once. */
  'POST /sessions/ticket': {
    readonly params: undefined;
    readonly query: undefined;
    readonly body: TicketRequest;
    readonly reply: Session;
  };
  /** Who is signed in. */
  'GET /sessions/current': {
    readonly params: undefined;
    readonly query: undefined;
    readonly body: undefined;
    readonly reply: Session;
  };
  /** Sign out. */
  'DELETE /sessions/current': {
    readonly params: undefined;
    readonly query: undefined;
    readonly body: undefined;
    readonly reply: undefined;
  };
  /** End a session of this account. */
  'DELETE /sessions/{id}': {
    readonly params: { readonly id: string; };
    readonly query: undefined;
    readonly body: undefined;
    readonly reply: undefined;
  };
  /** Change the password; all other sessions of the account end. */
  'POST /account/password': {
    readonly params: undefined;
    readonly query: undefined;
    readonly body: PasswordChange;
    readonly reply: undefined;
  };
  /** Make an API key; its secret is shown once. */
  'POST /api-keys': {
    readonly params: undefined;
    readonly query: undefined;
    readonly body: ApiKeyRequest;
    readonly reply: NewApiKey;
  };
  /** The API keys of this account. */
  'GET /api-keys': {
    readonly params: undefined;
    readonly query: undefined;
    readonly body: undefined;
    readonly reply: {
      readonly items: readonly ApiKey[];
      readonly next: string | null;
    };
  };
  /** Revoke an API key. */
  'DELETE /api-keys/{id}': {
    readonly params: { readonly id: string; };
    readonly query: undefined;
    readonly body: undefined;
    readonly reply: undefined;
  };
  /** Open the account that earnings are paid to. */
  'POST /payout-accounts': {
    readonly params: undefined;
    readonly query: undefined;
    readonly body: PayoutAccountRequest;
    readonly reply: PayoutAccount;
  };
  /** The accounts in use that earnings are paid to, one of a region at most. */
  'GET /payout-accounts': {
    readonly params: undefined;
    readonly query: undefined;
    readonly body: undefined;
    readonly reply: {
      readonly items: readonly PayoutAccount[];
      readonly next: string | null;
    };
  };
  /** Register a device by its public key; the same key and owner again answers with the same worker. */
  'POST /workers': {
    readonly params: undefined;
    readonly query: undefined;
    readonly body: WorkerRequest;
    readonly reply: NewWorker;
  };
  /** The workers of this account; operators and auditors see all. */
  'GET /workers': {
    readonly params: undefined;
    readonly query: { readonly after?: string; readonly limit?: number; };
    readonly body: undefined;
    readonly reply: {
      readonly items: readonly Worker[];
      readonly next: string | null;
    };
  };
  /** Take a device off the market for good: it gets no more work, and what it holds is lost. */
  'DELETE /workers/{id}': {
    readonly params: { readonly id: string; };
    readonly query: undefined;
    readonly body: undefined;
    readonly reply: undefined;
  };
  /** Accounts and workers that are banned, and why. */
  'GET /bans': {
    readonly params: undefined;
    readonly query: { readonly after?: string; readonly limit?: number; };
    readonly body: undefined;
    readonly reply: {
      readonly items: readonly Ban[];
      readonly next: string | null;
    };
  };
  /** Ban an account from ordering, or a worker from working; it stays banned for its first reason. */
  'POST /bans': {
    readonly params: undefined;
    readonly query: undefined;
    readonly body: BanRequest;
    readonly reply: undefined;
  };
  /** End a ban. */
  'POST /bans/lift': {
    readonly params: undefined;
    readonly query: undefined;
    readonly body: BanRequest;
    readonly reply: undefined;
  };
  /** The price of a job by its manifest; nothing is stored. */
  'POST /quotes': {
    readonly params: undefined;
    readonly query: undefined;
    readonly body: QuoteRequest;
    readonly reply: Quote;
  };
  /** Create a job from a zip with manifest.json, code and data in the field `bundle`. Nothing is charged yet. */
  'POST /contracts/create': {
    readonly params: undefined;
    readonly query: undefined;
    readonly body: FormData;
    readonly reply: CreatedJob;
  };
  /** Charge the cap into escrow; the job opens to workers when the payment has succeeded. */
  'POST /jobs/{id}/pay': {
    readonly params: { readonly id: string; };
    readonly query: undefined;
    readonly body: PayRequest;
    readonly reply: Payment;
  };
  /** Cancel a job that is not paid yet. */
  'POST /jobs/{id}/cancel': {
    readonly params: { readonly id: string; };
    readonly query: undefined;
    readonly body: undefined;
    readonly reply: Job;
  };
  /** Freeze the escrow of a verified job inside its challenge window. */
  'POST /jobs/{id}/dispute': {
    readonly params: { readonly id: string; };
    readonly query: undefined;
    readonly body: DisputeRequest;
    readonly reply: Dispute;
  };
  /** Decide a dispute. */
  'POST /disputes/{id}/resolve': {
    readonly params: { readonly id: string; };
    readonly query: undefined;
    readonly body: ResolveRequest;
    readonly reply: Dispute;
  };
  /** Jobs, newest first: one’s own, those that own workers ran, or all for operators, arbiters and auditors. */
  'GET /jobs': {
    readonly params: undefined;
    readonly query: { readonly after?: string; readonly limit?: number; readonly state?: 'created' | 'funded' | 'verified' | 'completed' | 'disputed' | 'refunded' | 'cancelled'; };
    readonly body: undefined;
    readonly reply: JobPage;
  };
  /** One job. */
  'GET /jobs/{id}': {
    readonly params: { readonly id: string; };
    readonly query: undefined;
    readonly body: undefined;
    readonly reply: Job;
  };
  /** The units of a job with their replicas. */
  'GET /jobs/{id}/units': {
    readonly params: { readonly id: string; };
    readonly query: { readonly after?: string; readonly limit?: number; };
    readonly body: undefined;
    readonly reply: UnitPage;
  };
  /** Every movement of this job’s money, oldest first. */
  'GET /jobs/{id}/money': {
    readonly params: { readonly id: string; };
    readonly query: { readonly after?: string; readonly limit?: number; };
    readonly body: undefined;
    readonly reply: MoneyPage;
  };
  /** What the ledger says about this job. */
  'GET /jobs/{id}/facts': {
    readonly params: { readonly id: string; };
    readonly query: { readonly after?: string; readonly limit?: number; };
    readonly body: undefined;
    readonly reply: FactPage;
  };
  /** What the job’s code printed. */
  'GET /jobs/{id}/logs': {
    readonly params: { readonly id: string; };
    readonly query: { readonly after?: string; readonly limit?: number; };
    readonly body: undefined;
    readonly reply: LogPage;
  };
  /** The agreed files of a verified job. */
  'GET /jobs/{id}/results': {
    readonly params: { readonly id: string; };
    readonly query: { readonly unit?: number; };
    readonly body: undefined;
    readonly reply: Results;
  };
  /** One agreed file. */
  'GET /jobs/{id}/results/{path}': {
    readonly params: { readonly id: string; readonly path: string; };
    readonly query: undefined;
    readonly body: undefined;
    readonly reply: ReadableStream<Uint8Array>;
  };
  /** All agreed files in one zip. */
  'GET /jobs/{id}/results.zip': {
    readonly params: { readonly id: string; };
    readonly query: undefined;
    readonly body: undefined;
    readonly reply: ReadableStream<Uint8Array>;
  };
  /** The portable proof of a settled job; `assay verify` checks it offline. */
  'GET /jobs/{id}/receipt': {
    readonly params: { readonly id: string; };
    readonly query: undefined;
    readonly body: undefined;
    readonly reply: Readonly<Record<string, unknown>>;
  };
  /** Server-sent events of one job; resumes by Last-Event-ID or `after`. */
  'GET /jobs/{id}/events': {
    readonly params: { readonly id: string; };
    readonly query: { readonly after?: string; };
    readonly body: undefined;
    readonly reply: AsyncIterable<Change>;
  };
  /** Server-sent events of everything that the caller may see. */
  'GET /events': {
    readonly params: undefined;
    readonly query: { readonly after?: string; };
    readonly body: undefined;
    readonly reply: AsyncIterable<Change>;
  };
  /** Commit, reveal, report failures, renew leases and claim, in one signed request; waits up to waitMs. */
  'POST /work/exchange': {
    readonly params: undefined;
    readonly query: undefined;
    readonly body: ExchangeRequest;
    readonly reply: ExchangeResponse;
  };
  /** What this worker may take now; waits up to waitMs until there is something. */
  'GET /work/available': {
    readonly params: undefined;
    readonly query: { readonly waitMs?: number; };
    readonly body: undefined;
    readonly reply: Available;
  };
  /** Log lines of running replicas; lines above the limit are dropped. */
  'POST /work/logs': {
    readonly params: undefined;
    readonly query: undefined;
    readonly body: LogRequest;
    readonly reply: LogReply;
  };
  /** Upload an output of a replica that this worker holds. */
  'PUT /work/objects/{sha256}': {
    readonly params: { readonly sha256: string; };
    readonly query: { readonly replica: string; };
    readonly body: ReadableStream<Uint8Array>;
    readonly reply: StoredObject;
  };
  /** Download an input of a replica that this worker holds. */
  'GET /work/objects/{sha256}': {
    readonly params: { readonly sha256: string; };
    readonly query: { readonly replica: string; };
    readonly body: undefined;
    readonly reply: ReadableStream<Uint8Array>;
  };
  /** Submit a transaction to one of the contracts. */
  'POST /chaincode/invoke': {
    readonly params: undefined;
    readonly query: undefined;
    readonly body: InvokeRequest;
    readonly reply: Invoked;
  };
  /** Run a read-only function of one of the contracts. */
  'GET /chaincode/query': {
    readonly params: undefined;
    readonly query: { readonly contract: 'Marketplace' | 'Contract' | 'Reputation' | 'EscrowTrigger'; readonly fn: string; readonly args?: string; };
    readonly body: undefined;
    readonly reply: Queried;
  };
  /** What a payment provider tells us; checked over its raw bytes and only stored. */
  'POST /payment/webhook/{region}': {
    readonly params: { readonly region: 'ru' | 'eu' | 'us' | 'cn'; };
    readonly query: undefined;
    readonly body: Readonly<Record<string, unknown>>;
    readonly reply: {
      readonly received: boolean;
    };
  };
  /** The signed head of the chain; keep it to detect rewritten history. */
  'GET /ledger/head': {
    readonly params: undefined;
    readonly query: undefined;
    readonly body: undefined;
    readonly reply: SignedHead;
  };
  /** Blocks, newest first. */
  'GET /ledger/blocks': {
    readonly params: undefined;
    readonly query: { readonly after?: string; readonly limit?: number; };
    readonly body: undefined;
    readonly reply: BlockPage;
  };
  /** One block: its header, its hashes and the signed head that it made. */
  'GET /ledger/blocks/{number}': {
    readonly params: { readonly number: string; };
    readonly query: undefined;
    readonly body: undefined;
    readonly reply: Block;
  };
  /** The transactions of one block, in order. */
  'GET /ledger/blocks/{number}/transactions': {
    readonly params: { readonly number: string; };
    readonly query: { readonly after?: string; readonly limit?: number; };
    readonly body: undefined;
    readonly reply: TransactionPage;
  };
  /** One transaction by its place; also those that do not count. */
  'GET /ledger/blocks/{number}/transactions/{index}': {
    readonly params: { readonly number: string; readonly index: string; };
    readonly query: undefined;
    readonly body: undefined;
    readonly reply: LedgerTransaction;
  };
  /** One transaction by its id. */
  'GET /ledger/transactions/{txId}': {
    readonly params: { readonly txId: string; };
    readonly query: undefined;
    readonly body: undefined;
    readonly reply: LedgerTransaction;
  };
  /** Facts, newest first: all of them, or those about one job. */
  'GET /ledger/facts': {
    readonly params: undefined;
    readonly query: { readonly after?: string; readonly limit?: number; readonly job?: string; };
    readonly body: undefined;
    readonly reply: FactPage;
  };
  /** Every change of a worker’s record, newest first, with the counters after it. */
  'GET /ledger/workers/{id}/history': {
    readonly params: { readonly id: string; };
    readonly query: { readonly after?: string; readonly limit?: number; };
    readonly body: undefined;
    readonly reply: WorkerChangePage;
  };
  /** What a block number, a hash, a transaction id, a job id or a worker id names. */
  'GET /ledger/search': {
    readonly params: undefined;
    readonly query: { readonly q: string; };
    readonly body: undefined;
    readonly reply: Found;
  };
  /** The proof that a transaction is part of the chain; `assay verify` checks it offline. */
  'GET /ledger/proofs/{txId}': {
    readonly params: { readonly txId: string; };
    readonly query: undefined;
    readonly body: undefined;
    readonly reply: InclusionProof;
  };
  /** Server-sent events: each new block; resumes by Last-Event-ID or `after`, which are block numbers. */
  'GET /ledger/events': {
    readonly params: undefined;
    readonly query: { readonly after?: string; };
    readonly body: undefined;
    readonly reply: AsyncIterable<Change>;
  };
  /** Messages to the ledger and to payment providers that wait for a person, and why. */
  'GET /outbox/held': {
    readonly params: undefined;
    readonly query: { readonly after?: string; readonly limit?: number; };
    readonly body: undefined;
    readonly reply: {
      readonly items: readonly HeldMessage[];
      readonly next: string | null;
    };
  };
  /** Send a held message again, under the key that it always had. */
  'POST /outbox/held/resume': {
    readonly params: undefined;
    readonly query: undefined;
    readonly body: ResumeRequest;
    readonly reply: undefined;
  };
  /** Whether this process answers. */
  'GET /health': {
    readonly params: undefined;
    readonly query: undefined;
    readonly body: undefined;
    readonly reply: Health;
  };
  /** The same; for supervisors that restart what does not answer. */
  'GET /health/live': {
    readonly params: undefined;
    readonly query: undefined;
    readonly body: undefined;
    readonly reply: Health;
  };
  /** Whether database, ledger and objects answer, and how far the market lags behind its ledger; 503 where one does not. */
  'GET /ready': {
    readonly params: undefined;
    readonly query: undefined;
    readonly body: undefined;
    readonly reply: Ready;
  };
  /** The same; for what spreads requests over several servers. */
  'GET /health/ready': {
    readonly params: undefined;
    readonly query: undefined;
    readonly body: undefined;
    readonly reply: Ready;
  };
  /** Prometheus metrics; from loopback or with an operator’s key. */
  'GET /metrics': {
    readonly params: undefined;
    readonly query: undefined;
    readonly body: undefined;
    readonly reply: string;
  };
  /** This document. */
  'GET /openapi.json': {
    readonly params: undefined;
    readonly query: undefined;
    readonly body: undefined;
    readonly reply: Readonly<Record<string, unknown>>;
  };
}
