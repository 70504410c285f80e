-- Money at payment providers: what came in, what goes back, what is paid out. The journal says whose it is; these rows
-- say where the provider stands.
--
-- Lock order of every transaction: transfer (by id) -> job -> escrow and journal.

-- One movement at a provider. `payment`: in, for a job. `refund`: back to where a payment came from. `payout`: to a
-- provider of work; its shares say for which jobs.
CREATE TABLE transfer (
  id text COLLATE "C" PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('payment', 'refund', 'payout')),
  region text NOT NULL CHECK (region IN ('ru', 'eu', 'us', 'cn')),
  -- Who pays or is paid.
  party_id text COLLATE "C" NOT NULL,
  job_id text COLLATE "C" REFERENCES job,
  state text NOT NULL DEFAULT 'queued'
    CHECK (state IN ('queued', 'pending', 'requires_action', 'in_transit', 'succeeded', 'canceled', 'failed')),
  currency char(3) NOT NULL,
  amount bigint NOT NULL CHECK (amount > 0),
  -- Payments: which try of the job this is, with what method, and what a browser needs to finish it.
  attempt integer NOT NULL DEFAULT 1,
  method text,
  action text,
  -- Payments: what arrived, and where the journal put it.
  received bigint,
  received_currency char(3),
  booked_as text CHECK (booked_as IN ('escrow', 'credit', 'suspense')),
  fee bigint,
  -- Refunds: the payment that goes back, and why.
  payment_id text COLLATE "C" REFERENCES transfer,
  reason text,
  -- Payouts: the payee's account at the provider.
  destination text,
  provider_id text COLLATE "C",
  failure text,
  created_at timestamptz NOT NULL DEFAULT assay_now(),
  -- When the provider was last asked, and when it last changed its mind.
  checked_at timestamptz NOT NULL DEFAULT assay_now(),
  changed_at timestamptz NOT NULL DEFAULT assay_now(),
  CHECK (kind = 'payout' OR job_id IS NOT NULL),
  CHECK ((kind = 'refund') = (payment_id IS NOT NULL AND reason IS NOT NULL)),
  CHECK ((kind = 'payout') = (destination IS NOT NULL))
);
CREATE UNIQUE INDEX transfer_provider ON transfer (region, kind, provider_id) WHERE provider_id IS NOT NULL;
CREATE UNIQUE INDEX transfer_attempt ON transfer (job_id, attempt) WHERE kind = 'payment';
-- At most one payment of a job is under way: a second can only be one that was given up and came through after all.
CREATE UNIQUE INDEX transfer_live ON transfer (job_id)
  WHERE kind = 'payment' AND state IN ('queued', 'pending', 'requires_action');
CREATE UNIQUE INDEX transfer_refund ON transfer (payment_id, reason) WHERE kind = 'refund';
CREATE INDEX transfer_job ON transfer (job_id);
CREATE INDEX transfer_under_way ON transfer (checked_at)
  WHERE state IN ('pending', 'requires_action', 'in_transit') AND provider_id IS NOT NULL;

-- What is owed to a provider of work and not under way: the queue that payouts are made from. A row leaves with its
-- payout and comes back when the payout fails.
CREATE TABLE payable (
  job_id text COLLATE "C" NOT NULL REFERENCES job,
  payee_id text COLLATE "C" NOT NULL,
  currency char(3) NOT NULL,
  amount bigint NOT NULL CHECK (amount > 0),
  due_at timestamptz NOT NULL,
  PRIMARY KEY (payee_id, job_id)
);
CREATE INDEX payable_due ON payable (due_at);

-- Which jobs a payout pays for.
CREATE TABLE payout_share (
  transfer_id text COLLATE "C" NOT NULL REFERENCES transfer,
  job_id text COLLATE "C" NOT NULL REFERENCES job,
  amount bigint NOT NULL CHECK (amount > 0),
  PRIMARY KEY (transfer_id, job_id)
);
CREATE INDEX payout_share_job ON payout_share (job_id);

GRANT SELECT, INSERT, UPDATE ON transfer TO assay_app;
GRANT SELECT, INSERT, DELETE, UPDATE (due_at) ON payable TO assay_app;
GRANT SELECT, INSERT ON payout_share TO assay_app;
