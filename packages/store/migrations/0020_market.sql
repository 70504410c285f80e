-- The market's books: jobs, units, replicas and the evidence of who said what.
--
-- Lock order of every transaction: desk (by worker) -> unit (by id) -> job (by id) -> escrow and journal.
-- Hot rows (unit, replica, desk) keep their changing columns out of every index, so that updates stay on their page;
-- the one exception is unit.wanted, which decides membership in the pool of open units.
-- Rows of the hot path carry no foreign keys to rows that the same transaction has locked or made: each check would
-- be a query a row. The invariants that they would hold are tested over whole lives of units.

CREATE TABLE job (
  id text COLLATE "C" PRIMARY KEY,
  customer_id text COLLATE "C" NOT NULL,
  name text NOT NULL,
  state text NOT NULL DEFAULT 'created'
    CHECK (state IN ('created', 'funded', 'verified', 'completed', 'disputed', 'refunded', 'cancelled')),
  region text NOT NULL CHECK (region IN ('ru', 'eu', 'us', 'cn')),
  -- Normalised manifest and its hash (hashOf 'manifest').
  manifest jsonb NOT NULL,
  manifest_hash text COLLATE "C" NOT NULL,
  -- The unpacked bundle: a list of {path, sizeBytes, sha256}; its digest is treeDigest.
  bundle jsonb NOT NULL,
  bundle_digest text COLLATE "C" NOT NULL,
  bundle_files integer NOT NULL,
  bundle_bytes bigint NOT NULL,
  -- Money in minor units of one currency, fixed by the quote.
  currency char(3) NOT NULL,
  price_per_replica bigint NOT NULL CHECK (price_per_replica > 0),
  cap bigint NOT NULL CHECK (cap > 0),
  charged bigint,
  paid_out bigint,
  refunded bigint,
  redundancy smallint NOT NULL CHECK (redundancy > 0),
  -- The commission's steps as they stood when the job was funded.
  commission_terms jsonb,
  priority smallint NOT NULL DEFAULT 0,
  idempotency_key text COLLATE "C",
  -- Work units of the manifest, plus one when it has a merge script.
  units_total integer NOT NULL CHECK (units_total > 0),
  units_agreed integer NOT NULL DEFAULT 0,
  units_undecided integer NOT NULL DEFAULT 0,
  replicas_running integer NOT NULL DEFAULT 0,
  -- Verdicts so far (numbers the rows of verdict) and how many of them a Contract.submitWork covers.
  verdicts integer NOT NULL DEFAULT 0,
  verdicts_submitted integer NOT NULL DEFAULT 0,
  verdicts_submitted_at timestamptz,
  failure_code text,
  failure_text text,
  created_at timestamptz NOT NULL DEFAULT assay_now(),
  -- An unpaid job is given up after this instant.
  expires_at timestamptz,
  funded_at timestamptz,
  verified_at timestamptz,
  release_due_at timestamptz,
  -- When the release was put to the ledger: from then on nobody can dispute.
  release_requested_at timestamptz,
  settled_at timestamptz,
  -- What the ledger refused, for an operator to look at; null where all is well.
  ledger_problem text,
  -- Of the request that made the job, to tell a repeated request from a reused key.
  request_hash text COLLATE "C",
  CHECK (units_agreed + units_undecided <= units_total),
  CHECK (verdicts_submitted <= verdicts)
) WITH (fillfactor = 60);
CREATE INDEX job_customer ON job (customer_id, id DESC);
CREATE INDEX job_state ON job (state, id) WHERE state IN ('created', 'funded', 'verified', 'disputed');
CREATE INDEX job_unpaid ON job (expires_at) WHERE state = 'created';
CREATE INDEX job_due ON job (release_due_at) WHERE state = 'verified' AND release_requested_at IS NULL;
CREATE UNIQUE INDEX job_idempotency ON job (customer_id, idempotency_key) WHERE idempotency_key IS NOT NULL;

CREATE TABLE unit (
  id text COLLATE "C" PRIMARY KEY,
  job_id text COLLATE "C" NOT NULL REFERENCES job,
  ordinal integer NOT NULL,
  kind text NOT NULL DEFAULT 'work' CHECK (kind IN ('work', 'merge')),
  state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'running', 'revealing', 'agreed', 'undecided')),
  -- Replicas asked for so far, and how many of them nobody has claimed yet.
  planned smallint NOT NULL CHECK (planned > 0),
  wanted smallint NOT NULL CHECK (wanted >= 0),
  -- Since when replacements are wanted; patience with them is counted from here.
  wanted_since timestamptz,
  -- A replacement once found no taker for too long; stays true.
  patience_over boolean NOT NULL DEFAULT false,
  -- For exact results the first claim fixes what machines may follow.
  machine_class text,
  reveal_due_at timestamptz,
  agreed_digest text COLLATE "C",
  agreed_metric text,
  agreed_exit_code integer,
  -- The agreeing replica whose outputs are the unit's result.
  canonical_replica text COLLATE "C",
  agreeing smallint,
  decided_at timestamptz,
  -- Order of the pool, lowest first: the time of funding, later for higher ordinals so that a large job does not shut
  -- out the ones after it, earlier for priority.
  position bigint NOT NULL,
  UNIQUE (job_id, kind, ordinal)
) WITH (fillfactor = 50);
CREATE INDEX unit_pool ON unit (position) WHERE wanted > 0;
CREATE INDEX unit_impatient ON unit (wanted_since) WHERE wanted > 0 AND NOT patience_over;

CREATE TABLE replica (
  id text COLLATE "C" PRIMARY KEY,
  unit_id text COLLATE "C" NOT NULL,
  job_id text COLLATE "C" NOT NULL,
  worker_id text COLLATE "C" NOT NULL,
  -- Who the worker was when it claimed: what independence is judged by.
  owner_id text COLLATE "C" NOT NULL,
  payout_account_id text COLLATE "C",
  hub_id text COLLATE "C",
  network_block text,
  machine_class text NOT NULL,
  state text NOT NULL DEFAULT 'leased'
    CHECK (state IN ('leased', 'committed', 'revealed', 'agreed', 'disagreed', 'lost', 'failed', 'withdrawn')),
  claimed_at timestamptz NOT NULL,
  lease_until timestamptz NOT NULL,
  -- Up to when the lease can be renewed.
  run_until timestamptz NOT NULL DEFAULT 'infinity',
  commitment text COLLATE "C",
  commit_request text COLLATE "C",
  commit_leaf smallint,
  committed_at timestamptz,
  nonce text COLLATE "C",
  digest text COLLATE "C",
  exit_code integer,
  metrics_sha256 text COLLATE "C",
  -- Text of metrics.json as revealed, and the judged value as it stands there.
  metrics text,
  metric text,
  outputs jsonb,
  wall_ms bigint,
  cpu_ms bigint,
  peak_bytes bigint,
  reveal_request text COLLATE "C",
  reveal_leaf smallint,
  revealed_at timestamptz,
  -- Why a replica was lost or failed.
  reason text,
  ended_at timestamptz,
  -- Replicas of the unit that the owner lost before: two of one owner at a time would share the number.
  attempt smallint NOT NULL CHECK (attempt >= 0),
  UNIQUE (unit_id, owner_id, attempt)
) WITH (fillfactor = 30);

-- Who ran a replica of a job: what lets a provider of work find its jobs without reading everybody's replicas. Kept by
-- the statement that adds replicas, since an index on them would be paid for by every later change of each of them.
CREATE TABLE job_party (
  owner_id text COLLATE "C" NOT NULL,
  job_id text COLLATE "C" NOT NULL,
  PRIMARY KEY (owner_id, job_id)
);

-- In order, so that two statements with the same new parties queue instead of deadlocking.
CREATE FUNCTION note_job_parties() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$BEGIN
  INSERT INTO job_party (owner_id, job_id) SELECT DISTINCT owner_id, job_id FROM added ORDER BY owner_id, job_id
    ON CONFLICT DO NOTHING;
  RETURN NULL;
END$$;

CREATE TRIGGER replica_has_parties AFTER INSERT ON replica REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION note_job_parties();

-- What workers' sandboxes say that units reached for. Weighed by the next sweep: two independent ones that agree end
-- the job and ban its customer.
CREATE TABLE breach (
  replica_id text COLLATE "C" PRIMARY KEY REFERENCES replica,
  job_id text COLLATE "C" NOT NULL REFERENCES job,
  what text NOT NULL CHECK (length(what) BETWEEN 1 AND 200),
  reported_at timestamptz NOT NULL DEFAULT assay_now(),
  weighed boolean NOT NULL DEFAULT false
);
CREATE INDEX breach_unweighed ON breach (job_id) WHERE NOT weighed;
CREATE INDEX breach_job ON breach (job_id);

-- What each worker holds: replicas that are leased or committed. One row a worker, locked first, so that two servers
-- never serve one worker at once, and silent workers are found without an index on replicas.
CREATE TABLE desk (
  worker_id text COLLATE "C" PRIMARY KEY,
  held text[] NOT NULL DEFAULT '{}',
  -- The unit of each held replica.
  held_units text[] NOT NULL DEFAULT '{}',
  seen_at timestamptz NOT NULL,
  CHECK (cardinality(held) = cardinality(held_units))
) WITH (fillfactor = 30);

-- Which server is the only one that changes units and may remember them; null when there are several, or none.
CREATE TABLE work_solo (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  server text COLLATE "C"
);
INSERT INTO work_solo DEFAULT VALUES;

-- One signed request of a worker: the evidence behind commitments and results. `leaves` are the 32-byte leaf hashes
-- of the statements in order; replica.commit_leaf and reveal_leaf index into them.
CREATE TABLE exchange (
  id text COLLATE "C" PRIMARY KEY,
  worker_id text COLLATE "C" NOT NULL,
  sent_at_ms bigint NOT NULL,
  received_at timestamptz NOT NULL,
  root text COLLATE "C" NOT NULL,
  body_sha256 text COLLATE "C" NOT NULL,
  signature text COLLATE "C" NOT NULL,
  leaves bytea NOT NULL,
  offers text[] NOT NULL DEFAULT '{}',
  refused jsonb NOT NULL DEFAULT '[]'
);

-- Verdicts in the order in which they fell, numbered per job; Contract.submitWork covers ranges of them.
CREATE TABLE verdict (
  job_id text COLLATE "C" NOT NULL,
  number integer NOT NULL CHECK (number > 0),
  unit_id text COLLATE "C" NOT NULL,
  PRIMARY KEY (job_id, number)
);

-- Which verdicts one Contract.submitWork put on the ledger, with the two Merkle roots.
CREATE TABLE verdict_batch (
  job_id text COLLATE "C" NOT NULL REFERENCES job,
  first_number integer NOT NULL,
  last_number integer NOT NULL,
  proof_hash text COLLATE "C" NOT NULL,
  result_hash text COLLATE "C" NOT NULL,
  at timestamptz NOT NULL DEFAULT assay_now(),
  PRIMARY KEY (job_id, first_number),
  CHECK (first_number <= last_number)
);

-- Output files that a worker has stored for its replica; a reveal may list no other.
CREATE TABLE object_upload (
  replica_id text COLLATE "C" NOT NULL,
  sha256 text COLLATE "C" NOT NULL,
  size_bytes bigint NOT NULL,
  at timestamptz NOT NULL DEFAULT assay_now(),
  PRIMARY KEY (replica_id, sha256)
);

CREATE TABLE log (
  position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  job_id text COLLATE "C" NOT NULL,
  unit_id text COLLATE "C" NOT NULL,
  replica_id text COLLATE "C" NOT NULL,
  stream text NOT NULL CHECK (stream IN ('stdout', 'stderr', 'system')),
  text text NOT NULL,
  at timestamptz NOT NULL DEFAULT assay_now()
);
CREATE INDEX log_job ON log (job_id, position);
CREATE INDEX log_replica ON log (replica_id);

-- Gross earnings of a provider in a month of UTC (its first day): what the graduated commission is counted on.
CREATE TABLE turnover (
  provider_id text COLLATE "C" NOT NULL,
  month date NOT NULL CHECK (extract(day FROM month) = 1),
  currency char(3) NOT NULL,
  gross bigint NOT NULL DEFAULT 0 CHECK (gross >= 0),
  PRIMARY KEY (provider_id, month, currency)
);

-- What a settled job brought each provider; one row a job and provider, so nobody is paid twice.
CREATE TABLE earning (
  job_id text COLLATE "C" NOT NULL REFERENCES job,
  provider_id text COLLATE "C" NOT NULL,
  replicas integer NOT NULL CHECK (replicas > 0),
  gross bigint NOT NULL CHECK (gross > 0),
  commission bigint NOT NULL CHECK (commission >= 0 AND commission <= gross),
  net bigint GENERATED ALWAYS AS (gross - commission) STORED,
  currency char(3) NOT NULL,
  at timestamptz NOT NULL DEFAULT assay_now(),
  PRIMARY KEY (job_id, provider_id)
);
CREATE INDEX earning_provider ON earning (provider_id, at);

-- What each agreed replica was paid, gross: its owner's earning divided evenly, the first ones by id a minor unit more
-- where a ruling left a remainder. Derived, because to write it would rewrite every replica of a job at its settlement.
CREATE VIEW replica_pay AS
  SELECT r.id AS replica_id, r.unit_id, r.job_id, r.owner_id, e.gross / e.replicas + CASE
      WHEN e.gross % e.replicas = 0 THEN 0
      WHEN e.gross % e.replicas > (SELECT count(*) FROM replica m
        WHERE m.unit_id = ANY (ARRAY(SELECT id FROM unit WHERE unit.job_id = r.job_id))
          AND m.owner_id = r.owner_id AND m.state = 'agreed' AND m.id < r.id) THEN 1
      ELSE 0 END AS paid
  FROM replica r JOIN earning e ON e.job_id = r.job_id AND e.provider_id = r.owner_id WHERE r.state = 'agreed';

CREATE TABLE dispute (
  id text COLLATE "C" PRIMARY KEY,
  job_id text COLLATE "C" NOT NULL REFERENCES job,
  opened_by text COLLATE "C" NOT NULL,
  reason text NOT NULL,
  state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'resolved')),
  outcome text CHECK (outcome IN ('release', 'refund', 'split')),
  refund_minor bigint,
  resolution text,
  resolved_by text COLLATE "C",
  opened_at timestamptz NOT NULL DEFAULT assay_now(),
  resolved_at timestamptz,
  CHECK ((state = 'resolved') = (outcome IS NOT NULL))
);
CREATE UNIQUE INDEX dispute_open ON dispute (job_id) WHERE state = 'open';
CREATE INDEX dispute_job ON dispute (job_id);

GRANT SELECT, INSERT, UPDATE ON job, unit, replica, desk, turnover, dispute TO assay_app;
GRANT SELECT, INSERT, DELETE ON log, object_upload TO assay_app;
-- Evidence: written once. Only a request that waited for work gets its offers later.
GRANT SELECT, INSERT ON exchange, verdict, verdict_batch, earning TO assay_app;
GRANT SELECT ON replica_pay, job_party TO assay_app;
GRANT SELECT, UPDATE (server) ON work_solo TO assay_app;
GRANT UPDATE (offers) ON exchange TO assay_app;
GRANT SELECT, INSERT, UPDATE (weighed) ON breach TO assay_app;
