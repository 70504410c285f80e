-- Written from the migrated database by schema.integration.test.ts; `vitest run packages/store/src/schema -u` writes it anew.

-- Types

CREATE TYPE escrow_state AS ENUM ('awaiting_payment', 'funded', 'challenge', 'frozen', 'released', 'refunded', 'split', 'charged_back', 'expired');

CREATE TYPE inbox_state AS ENUM ('received', 'parked', 'done', 'ignored');

CREATE TYPE money_account_kind AS ENUM ('psp_asset', 'escrow', 'worker_payable', 'payout_in_flight', 'refund_in_flight', 'customer_credit', 'commission', 'psp_fee', 'chargeback_receivable', 'loss', 'fx_clearing', 'suspense');

CREATE TYPE outbox_state AS ENUM ('ready', 'sending', 'unknown', 'done', 'failed', 'human');

-- Functions

CREATE OR REPLACE FUNCTION public.apply_postings()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
DECLARE wrong text;
BEGIN
  IF EXISTS (SELECT FROM added JOIN journal_entry e ON e.id = added.entry_id WHERE e.xid <> pg_current_xact_id()) THEN
    RAISE EXCEPTION 'entry is sealed' USING ERRCODE = 'LE008';
  END IF;
  SELECT format('%s -> %s', d.kind, c.kind) INTO wrong
    FROM added JOIN journal_entry e ON e.id = added.entry_id
      JOIN money_account d ON d.id = added.debit_id JOIN money_account c ON c.id = added.credit_id
    WHERE NOT EXISTS (SELECT FROM money_flow f WHERE f.debit = d.kind AND f.credit = c.kind)
      AND NOT (e.kind = 'reversal'
        AND EXISTS (SELECT FROM money_flow f WHERE f.debit = c.kind AND f.credit = d.kind)) LIMIT 1;
  IF wrong IS NOT NULL THEN
    RAISE EXCEPTION 'money does not flow %', wrong USING ERRCODE = 'LE010', HINT = 'journal.wrong_flow';
  END IF;
  PERFORM FROM money_account
    WHERE guarded AND id IN (SELECT debit_id FROM added UNION SELECT credit_id FROM added)
    ORDER BY id FOR NO KEY UPDATE;
  UPDATE money_account a SET debits = a.debits + s.d, credits = a.credits + s.c
    FROM (SELECT id, sum(d)::bigint AS d, sum(c)::bigint AS c
      FROM (SELECT debit_id AS id, amount AS d, 0 AS c FROM added UNION ALL SELECT credit_id, 0, amount FROM added) AS x
      GROUP BY id) AS s
    WHERE a.id = s.id AND a.guarded;
  RETURN NULL;
END$function$
;

CREATE OR REPLACE FUNCTION public.assay_now()
 RETURNS timestamp with time zone
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$SELECT clock_timestamp()$function$
;

CREATE OR REPLACE FUNCTION public.audit_chain()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
DECLARE last record;
BEGIN
  PERFORM pg_advisory_xact_lock(1635083369, 1);
  SELECT id, hash INTO last FROM audit_log ORDER BY id DESC LIMIT 1;
  NEW.id := coalesce(last.id, 0) + 1;
  NEW.at := assay_now();
  NEW.previous_hash := coalesce(last.hash, sha256(''));
  NEW.hash := audit_hash(NEW);
  RETURN NEW;
END$function$
;

CREATE OR REPLACE FUNCTION public.audit_hash(line audit_log)
 RETURNS bytea
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
RETURN sha256(((line).previous_hash || convert_to((jsonb_build_array((line).id, ((EXTRACT(epoch FROM (line).at) * (1000000)::numeric))::bigint, (line).actor, (line).action, (line).ref, (line).data))::text, 'UTF8'::name)))
;

CREATE OR REPLACE FUNCTION public.escrow_agrees()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
DECLARE
  e escrow;
  held bigint;
  account bigint := CASE TG_TABLE_NAME WHEN 'escrow' THEN (to_jsonb(NEW)->>'account_id')::bigint
    ELSE (to_jsonb(NEW)->>'id')::bigint END;
BEGIN
  SELECT credits - debits INTO held FROM money_account WHERE id = account;
  SELECT * INTO e FROM escrow WHERE account_id = account;
  IF held IS DISTINCT FROM (CASE WHEN e.state IN ('funded', 'challenge', 'frozen') THEN e.amount ELSE 0 END) THEN
    RAISE EXCEPTION 'escrow % is % but holds %', e.job_id, e.state, held USING ERRCODE = 'LE007';
  END IF;
  RETURN NULL;
END$function$
;

CREATE OR REPLACE FUNCTION public.escrow_opens()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$BEGIN
  IF NOT EXISTS (SELECT FROM money_account a WHERE a.id = NEW.account_id AND a.kind = 'escrow' AND a.ref = NEW.job_id) THEN
    RAISE EXCEPTION 'escrow % needs its own account', NEW.job_id USING ERRCODE = 'LE011', HINT = 'escrow.unbalanced';
  END IF;
  RETURN NEW;
END$function$
;

CREATE OR REPLACE FUNCTION public.escrow_step()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
DECLARE at timestamptz := assay_now();
BEGIN
  IF NEW.state <> OLD.state
    AND NOT EXISTS (SELECT FROM escrow_edge WHERE from_state = OLD.state AND to_state = NEW.state) THEN
    RAISE EXCEPTION 'no edge % -> %', OLD.state, NEW.state USING ERRCODE = 'LE005';
  END IF;
  IF OLD.state = 'challenge' AND NEW.state = 'released' AND greatest(OLD.release_due_at, OLD.funds_available_at) > at THEN
    RAISE EXCEPTION 'challenge window open until %', greatest(OLD.release_due_at, OLD.funds_available_at)
      USING ERRCODE = 'LE009';
  END IF;
  IF NEW.funds_available_at IS DISTINCT FROM OLD.funds_available_at
    AND NOT coalesce(NEW.funds_available_at >= OLD.funds_available_at, OLD.funds_available_at IS NULL) THEN
    RAISE EXCEPTION 'funds are not available earlier than first said' USING ERRCODE = 'LE009';
  END IF;
  IF NEW.release_due_at IS DISTINCT FROM OLD.release_due_at AND NOT coalesce(
    CASE WHEN OLD.state = 'challenge' THEN NEW.release_due_at >= OLD.release_due_at
      ELSE NEW.state = 'challenge' AND NEW.release_due_at >= at - interval '1 second' END, false) THEN
    RAISE EXCEPTION 'a challenge window is set when it opens and only ever lengthened' USING ERRCODE = 'LE009';
  END IF;
  NEW.version := OLD.version + 1;
  NEW.changed_at := at;
  RETURN NEW;
END$function$
;

CREATE OR REPLACE FUNCTION public.forbid()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$BEGIN
  RAISE EXCEPTION 'append-only: % %', TG_OP, TG_TABLE_NAME USING ERRCODE = 'LE001';
END$function$
;

CREATE OR REPLACE FUNCTION public.note_job_parties()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$BEGIN
  INSERT INTO job_party (owner_id, job_id) SELECT DISTINCT owner_id, job_id FROM added ORDER BY owner_id, job_id
    ON CONFLICT DO NOTHING;
  RETURN NULL;
END$function$
;

CREATE OR REPLACE FUNCTION public.tell()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$BEGIN
  PERFORM pg_notify(TG_TABLE_NAME, '');
  RETURN NULL;
END$function$
;

-- Tables

CREATE TABLE account (
  id text COLLATE "C" NOT NULL,
  email text COLLATE "C" NOT NULL,
  password_hash text,
  region text NOT NULL,
  roles text[] NOT NULL,
  created_at timestamp with time zone DEFAULT assay_now() NOT NULL,
  banned_at timestamp with time zone,
  ban_reason text,
  CONSTRAINT account_pkey PRIMARY KEY (id),
  CONSTRAINT account_email_key UNIQUE (email),
  CONSTRAINT account_check CHECK (((banned_at IS NULL) = (ban_reason IS NULL))),
  CONSTRAINT account_email_check CHECK (((email = lower(email)) AND ((length(email) >= 3) AND (length(email) <= 254)))),
  CONSTRAINT account_region_check CHECK ((region = ANY (ARRAY['ru'::text, 'eu'::text, 'us'::text, 'cn'::text]))),
  CONSTRAINT account_roles_check CHECK (((roles <@ ARRAY['customer'::text, 'provider'::text, 'operator'::text, 'arbiter'::text, 'auditor'::text]) AND (roles <> '{}'::text[])))
);

CREATE TABLE api_key (
  id text COLLATE "C" NOT NULL,
  account_id text COLLATE "C" NOT NULL,
  name text NOT NULL,
  key_hash text COLLATE "C" NOT NULL,
  scopes text[] NOT NULL,
  created_at timestamp with time zone DEFAULT assay_now() NOT NULL,
  last_used_at timestamp with time zone,
  CONSTRAINT api_key_pkey PRIMARY KEY (id),
  CONSTRAINT api_key_key_hash_key UNIQUE (key_hash),
  CONSTRAINT api_key_key_hash_check CHECK ((key_hash ~ '^[0-9a-f]{64}$'::text)),
  CONSTRAINT api_key_name_check CHECK (((length(name) >= 1) AND (length(name) <= 100))),
  CONSTRAINT api_key_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(id)
);

CREATE TABLE audit_log (
  id bigint NOT NULL,
  at timestamp with time zone NOT NULL,
  actor text COLLATE "C" NOT NULL,
  action text COLLATE "C" NOT NULL,
  ref text COLLATE "C" NOT NULL,
  data jsonb NOT NULL,
  previous_hash bytea NOT NULL,
  hash bytea NOT NULL,
  CONSTRAINT audit_log_pkey PRIMARY KEY (id),
  CONSTRAINT audit_log_action_check CHECK (((length(action) >= 1) AND (length(action) <= 100))),
  CONSTRAINT audit_log_actor_check CHECK (((length(actor) >= 1) AND (length(actor) <= 200))),
  CONSTRAINT audit_log_ref_check CHECK ((length(ref) <= 200))
);

CREATE TABLE breach (
  replica_id text COLLATE "C" NOT NULL,
  job_id text COLLATE "C" NOT NULL,
  what text NOT NULL,
  reported_at timestamp with time zone DEFAULT assay_now() NOT NULL,
  weighed boolean DEFAULT false NOT NULL,
  CONSTRAINT breach_pkey PRIMARY KEY (replica_id),
  CONSTRAINT breach_what_check CHECK (((length(what) >= 1) AND (length(what) <= 200))),
  CONSTRAINT breach_job_id_fkey FOREIGN KEY (job_id) REFERENCES job(id),
  CONSTRAINT breach_replica_id_fkey FOREIGN KEY (replica_id) REFERENCES replica(id)
);

CREATE TABLE change_feed (
  position bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
  xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
  job_id text COLLATE "C",
  account_id text COLLATE "C",
  kind text COLLATE "C" NOT NULL,
  data jsonb DEFAULT '{}'::jsonb NOT NULL,
  at timestamp with time zone DEFAULT assay_now() NOT NULL,
  CONSTRAINT change_feed_pkey PRIMARY KEY ("position"),
  CONSTRAINT change_feed_kind_check CHECK (((length(kind) >= 1) AND (length(kind) <= 100)))
);

CREATE TABLE checkpoint (
  name text COLLATE "C" NOT NULL,
  position bigint DEFAULT 0 NOT NULL,
  moved_at timestamp with time zone DEFAULT assay_now() NOT NULL,
  CONSTRAINT checkpoint_pkey PRIMARY KEY (name),
  CONSTRAINT checkpoint_name_check CHECK (((length(name) >= 1) AND (length(name) <= 100)))
);

CREATE TABLE currency (
  code character(3) NOT NULL,
  exponent smallint NOT NULL,
  CONSTRAINT currency_pkey PRIMARY KEY (code),
  CONSTRAINT currency_code_check CHECK ((code ~ '^[A-Z]{3}$'::text)),
  CONSTRAINT currency_exponent_check CHECK (((exponent >= 0) AND (exponent <= 4)))
);

CREATE TABLE desk (
  worker_id text COLLATE "C" NOT NULL,
  held text[] DEFAULT '{}'::text[] NOT NULL,
  held_units text[] DEFAULT '{}'::text[] NOT NULL,
  seen_at timestamp with time zone NOT NULL,
  CONSTRAINT desk_pkey PRIMARY KEY (worker_id),
  CONSTRAINT desk_check CHECK ((cardinality(held) = cardinality(held_units)))
);
ALTER TABLE desk SET (fillfactor=30);

CREATE TABLE dispute (
  id text COLLATE "C" NOT NULL,
  job_id text COLLATE "C" NOT NULL,
  opened_by text COLLATE "C" NOT NULL,
  reason text NOT NULL,
  state text DEFAULT 'open'::text NOT NULL,
  outcome text,
  refund_minor bigint,
  resolution text,
  resolved_by text COLLATE "C",
  opened_at timestamp with time zone DEFAULT assay_now() NOT NULL,
  resolved_at timestamp with time zone,
  CONSTRAINT dispute_pkey PRIMARY KEY (id),
  CONSTRAINT dispute_check CHECK (((state = 'resolved'::text) = (outcome IS NOT NULL))),
  CONSTRAINT dispute_outcome_check CHECK ((outcome = ANY (ARRAY['release'::text, 'refund'::text, 'split'::text]))),
  CONSTRAINT dispute_state_check CHECK ((state = ANY (ARRAY['open'::text, 'resolved'::text]))),
  CONSTRAINT dispute_job_id_fkey FOREIGN KEY (job_id) REFERENCES job(id)
);

CREATE TABLE earning (
  job_id text COLLATE "C" NOT NULL,
  provider_id text COLLATE "C" NOT NULL,
  replicas integer NOT NULL,
  gross bigint NOT NULL,
  commission bigint NOT NULL,
  net bigint GENERATED ALWAYS AS ((gross - commission)) STORED,
  currency character(3) NOT NULL,
  at timestamp with time zone DEFAULT assay_now() NOT NULL,
  CONSTRAINT earning_pkey PRIMARY KEY (job_id, provider_id),
  CONSTRAINT earning_check CHECK (((commission >= 0) AND (commission <= gross))),
  CONSTRAINT earning_gross_check CHECK ((gross > 0)),
  CONSTRAINT earning_replicas_check CHECK ((replicas > 0)),
  CONSTRAINT earning_job_id_fkey FOREIGN KEY (job_id) REFERENCES job(id)
);

CREATE TABLE escrow (
  job_id text COLLATE "C" NOT NULL,
  account_id bigint NOT NULL,
  currency character(3) NOT NULL,
  amount bigint NOT NULL,
  state escrow_state DEFAULT 'awaiting_payment'::escrow_state NOT NULL,
  release_due_at timestamp with time zone,
  funds_available_at timestamp with time zone,
  version integer DEFAULT 0 NOT NULL,
  opened_at timestamp with time zone DEFAULT assay_now() NOT NULL,
  changed_at timestamp with time zone DEFAULT assay_now() NOT NULL,
  CONSTRAINT escrow_pkey PRIMARY KEY (job_id),
  CONSTRAINT escrow_account_id_key UNIQUE (account_id),
  CONSTRAINT escrow_amount_positive CHECK ((amount > 0)),
  CONSTRAINT escrow_check CHECK (((state <> 'challenge'::escrow_state) OR ((release_due_at IS NOT NULL) AND (funds_available_at IS NOT NULL)))),
  CONSTRAINT escrow_account_id_currency_fkey FOREIGN KEY (account_id, currency) REFERENCES money_account(id, currency)
);

CREATE TABLE escrow_edge (
  from_state escrow_state NOT NULL,
  to_state escrow_state NOT NULL,
  CONSTRAINT escrow_edge_pkey PRIMARY KEY (from_state, to_state)
);

CREATE TABLE exchange (
  id text COLLATE "C" NOT NULL,
  worker_id text COLLATE "C" NOT NULL,
  sent_at_ms bigint NOT NULL,
  received_at timestamp with time zone NOT NULL,
  root text COLLATE "C" NOT NULL,
  body_sha256 text COLLATE "C" NOT NULL,
  signature text COLLATE "C" NOT NULL,
  leaves bytea NOT NULL,
  offers text[] DEFAULT '{}'::text[] NOT NULL,
  refused jsonb DEFAULT '[]'::jsonb NOT NULL,
  CONSTRAINT exchange_pkey PRIMARY KEY (id)
);

CREATE TABLE idempotency (
  scope text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL,
  request_hash text COLLATE "C" NOT NULL,
  response jsonb,
  lease_until timestamp with time zone NOT NULL,
  fence bigint DEFAULT 1 NOT NULL,
  at timestamp with time zone DEFAULT assay_now() NOT NULL,
  CONSTRAINT idempotency_pkey PRIMARY KEY (scope, key),
  CONSTRAINT idempotency_key_check CHECK (((length(key) >= 8) AND (length(key) <= 200))),
  CONSTRAINT idempotency_scope_check CHECK (((length(scope) >= 1) AND (length(scope) <= 200)))
);

CREATE TABLE inbox (
  id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
  source text COLLATE "C" NOT NULL,
  event_key text COLLATE "C" NOT NULL,
  raw bytea NOT NULL,
  headers jsonb NOT NULL,
  notice jsonb DEFAULT '{}'::jsonb NOT NULL,
  state inbox_state DEFAULT 'received'::inbox_state NOT NULL,
  attempts integer DEFAULT 0 NOT NULL,
  next_at timestamp with time zone DEFAULT assay_now() NOT NULL,
  lease_until timestamp with time zone,
  fence bigint DEFAULT 0 NOT NULL,
  received_at timestamp with time zone DEFAULT assay_now() NOT NULL,
  finished_at timestamp with time zone,
  CONSTRAINT inbox_pkey PRIMARY KEY (id),
  CONSTRAINT inbox_source_event_key_key UNIQUE (source, event_key),
  CONSTRAINT inbox_event_key_check CHECK (((length(event_key) >= 1) AND (length(event_key) <= 300))),
  CONSTRAINT inbox_source_check CHECK (((length(source) >= 1) AND (length(source) <= 100)))
);

CREATE TABLE job (
  id text COLLATE "C" NOT NULL,
  customer_id text COLLATE "C" NOT NULL,
  name text NOT NULL,
  state text DEFAULT 'created'::text NOT NULL,
  region text NOT NULL,
  manifest jsonb NOT NULL,
  manifest_hash text COLLATE "C" NOT NULL,
  bundle jsonb NOT NULL,
  bundle_digest text COLLATE "C" NOT NULL,
  bundle_files integer NOT NULL,
  bundle_bytes bigint NOT NULL,
  currency character(3) NOT NULL,
  price_per_replica bigint NOT NULL,
  cap bigint NOT NULL,
  charged bigint,
  paid_out bigint,
  refunded bigint,
  redundancy smallint NOT NULL,
  commission_terms jsonb,
  priority smallint DEFAULT 0 NOT NULL,
  idempotency_key text COLLATE "C",
  units_total integer NOT NULL,
  units_agreed integer DEFAULT 0 NOT NULL,
  units_undecided integer DEFAULT 0 NOT NULL,
  replicas_running integer DEFAULT 0 NOT NULL,
  verdicts integer DEFAULT 0 NOT NULL,
  verdicts_submitted integer DEFAULT 0 NOT NULL,
  verdicts_submitted_at timestamp with time zone,
  failure_code text,
  failure_text text,
  created_at timestamp with time zone DEFAULT assay_now() NOT NULL,
  expires_at timestamp with time zone,
  funded_at timestamp with time zone,
  verified_at timestamp with time zone,
  release_due_at timestamp with time zone,
  release_requested_at timestamp with time zone,
  settled_at timestamp with time zone,
  ledger_problem text,
  request_hash text COLLATE "C",
  CONSTRAINT job_pkey PRIMARY KEY (id),
  CONSTRAINT job_cap_check CHECK ((cap > 0)),
  CONSTRAINT job_check CHECK (((units_agreed + units_undecided) <= units_total)),
  CONSTRAINT job_check1 CHECK ((verdicts_submitted <= verdicts)),
  CONSTRAINT job_price_per_replica_check CHECK ((price_per_replica > 0)),
  CONSTRAINT job_redundancy_check CHECK ((redundancy > 0)),
  CONSTRAINT job_region_check CHECK ((region = ANY (ARRAY['ru'::text, 'eu'::text, 'us'::text, 'cn'::text]))),
  CONSTRAINT job_state_check CHECK ((state = ANY (ARRAY['created'::text, 'funded'::text, 'verified'::text, 'completed'::text, 'disputed'::text, 'refunded'::text, 'cancelled'::text]))),
  CONSTRAINT job_units_total_check CHECK ((units_total > 0))
);
ALTER TABLE job SET (fillfactor=60);

CREATE TABLE job_party (
  owner_id text COLLATE "C" NOT NULL,
  job_id text COLLATE "C" NOT NULL,
  CONSTRAINT job_party_pkey PRIMARY KEY (owner_id, job_id)
);

CREATE TABLE journal_entry (
  id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
  idem_key text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL,
  job_id text COLLATE "C",
  cause jsonb NOT NULL,
  request_hash text COLLATE "C" NOT NULL,
  at timestamp with time zone DEFAULT assay_now() NOT NULL,
  xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
  CONSTRAINT journal_entry_pkey PRIMARY KEY (id),
  CONSTRAINT journal_entry_idem_key_key UNIQUE (idem_key),
  CONSTRAINT journal_entry_cause_check CHECK ((jsonb_typeof(cause) = 'object'::text)),
  CONSTRAINT journal_entry_idem_key_check CHECK (((length(idem_key) >= 8) AND (length(idem_key) <= 200))),
  CONSTRAINT journal_entry_job_id_check CHECK (((length(job_id) >= 1) AND (length(job_id) <= 100))),
  CONSTRAINT journal_entry_kind_check CHECK ((kind ~ '^[a-z_]{1,40}$'::text)),
  CONSTRAINT journal_entry_request_hash_check CHECK ((request_hash ~ '^[0-9a-f]{64}$'::text))
);

CREATE TABLE ledger_block (
  number bigint NOT NULL,
  header text NOT NULL,
  hash text COLLATE "C" NOT NULL,
  chain_root text COLLATE "C" NOT NULL,
  signature text COLLATE "C" NOT NULL,
  CONSTRAINT ledger_block_pkey PRIMARY KEY (number),
  CONSTRAINT ledger_block_hash_key UNIQUE (hash)
);

CREATE TABLE ledger_creator (
  fingerprint text COLLATE "C" NOT NULL,
  msp_id text COLLATE "C" NOT NULL,
  certificate text NOT NULL,
  CONSTRAINT ledger_creator_pkey PRIMARY KEY (fingerprint)
);

CREATE TABLE ledger_fact (
  position bigint NOT NULL,
  block bigint NOT NULL,
  tx_index integer NOT NULL,
  tx_id text COLLATE "C" NOT NULL,
  contract text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  payload text NOT NULL,
  job text COLLATE "C",
  at_ms bigint NOT NULL,
  CONSTRAINT ledger_fact_pkey PRIMARY KEY ("position")
);

CREATE TABLE ledger_head (
  one boolean DEFAULT true NOT NULL,
  next_block bigint DEFAULT 0 NOT NULL,
  next_fact bigint DEFAULT 1 NOT NULL,
  at_ms bigint DEFAULT 0 NOT NULL,
  hash text COLLATE "C" DEFAULT repeat('0'::text, 64) NOT NULL,
  peaks text COLLATE "C" DEFAULT ''::text NOT NULL,
  CONSTRAINT ledger_head_pkey PRIMARY KEY (one),
  CONSTRAINT ledger_head_one_check CHECK (one)
);

CREATE TABLE ledger_history (
  key bytea NOT NULL,
  block bigint NOT NULL,
  tx_index integer NOT NULL,
  CONSTRAINT ledger_history_pkey PRIMARY KEY (key, block, tx_index)
);

CREATE TABLE ledger_leaves (
  block bigint NOT NULL,
  tx_index integer NOT NULL,
  leaves text NOT NULL,
  CONSTRAINT ledger_leaves_pkey PRIMARY KEY (block, tx_index)
);

CREATE TABLE ledger_node (
  level smallint NOT NULL,
  position bigint NOT NULL,
  hash text COLLATE "C" NOT NULL,
  CONSTRAINT ledger_node_pkey PRIMARY KEY (level, "position")
);

CREATE TABLE ledger_state (
  key bytea NOT NULL,
  value bytea NOT NULL,
  block bigint NOT NULL,
  tx_index integer NOT NULL,
  CONSTRAINT ledger_state_pkey PRIMARY KEY (key)
);
ALTER TABLE ledger_state SET (fillfactor=70);

CREATE TABLE ledger_tx (
  block bigint NOT NULL,
  tx_index integer NOT NULL,
  tx_id text COLLATE "C" NOT NULL,
  idempotency_key text COLLATE "C" NOT NULL,
  code smallint NOT NULL,
  transaction text NOT NULL,
  CONSTRAINT ledger_tx_pkey PRIMARY KEY (block, tx_index),
  CONSTRAINT ledger_tx_tx_id_key UNIQUE (tx_id)
);

CREATE TABLE log (
  position bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
  job_id text COLLATE "C" NOT NULL,
  unit_id text COLLATE "C" NOT NULL,
  replica_id text COLLATE "C" NOT NULL,
  stream text NOT NULL,
  text text NOT NULL,
  at timestamp with time zone DEFAULT assay_now() NOT NULL,
  CONSTRAINT log_pkey PRIMARY KEY ("position"),
  CONSTRAINT log_stream_check CHECK ((stream = ANY (ARRAY['stdout'::text, 'stderr'::text, 'system'::text])))
);

CREATE TABLE money_account (
  id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
  kind money_account_kind NOT NULL,
  ref text COLLATE "C" NOT NULL,
  currency character(3) NOT NULL,
  guarded boolean GENERATED ALWAYS AS ((kind = ANY (ARRAY['escrow'::money_account_kind, 'worker_payable'::money_account_kind, 'payout_in_flight'::money_account_kind, 'refund_in_flight'::money_account_kind, 'customer_credit'::money_account_kind, 'chargeback_receivable'::money_account_kind]))) STORED,
  debits bigint DEFAULT 0 NOT NULL,
  credits bigint DEFAULT 0 NOT NULL,
  CONSTRAINT money_account_pkey PRIMARY KEY (id),
  CONSTRAINT money_account_id_currency_key UNIQUE (id, currency),
  CONSTRAINT money_account_kind_ref_currency_key UNIQUE (kind, ref, currency),
  CONSTRAINT money_account_credits_check CHECK ((credits >= 0)),
  CONSTRAINT money_account_debits_check CHECK ((debits >= 0)),
  CONSTRAINT money_account_ref_check CHECK (((length(ref) >= 1) AND (length(ref) <= 200))),
  CONSTRAINT no_over_claim CHECK (((kind <> 'chargeback_receivable'::money_account_kind) OR (debits >= credits))),
  CONSTRAINT no_overdraft CHECK (((NOT guarded) OR (kind = 'chargeback_receivable'::money_account_kind) OR (credits >= debits))),
  CONSTRAINT money_account_currency_fkey FOREIGN KEY (currency) REFERENCES currency(code)
);

CREATE TABLE money_flow (
  debit money_account_kind NOT NULL,
  credit money_account_kind NOT NULL,
  meaning text NOT NULL,
  CONSTRAINT money_flow_pkey PRIMARY KEY (debit, credit)
);

CREATE TABLE object_upload (
  replica_id text COLLATE "C" NOT NULL,
  sha256 text COLLATE "C" NOT NULL,
  size_bytes bigint NOT NULL,
  at timestamp with time zone DEFAULT assay_now() NOT NULL,
  CONSTRAINT object_upload_pkey PRIMARY KEY (replica_id, sha256)
);

CREATE TABLE outbox (
  id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
  kind text NOT NULL,
  op text NOT NULL,
  ref text COLLATE "C" NOT NULL,
  idem_key text COLLATE "C" NOT NULL,
  request jsonb NOT NULL,
  state outbox_state DEFAULT 'ready'::outbox_state NOT NULL,
  attempts integer DEFAULT 0 NOT NULL,
  next_at timestamp with time zone DEFAULT assay_now() NOT NULL,
  lease_until timestamp with time zone,
  fence bigint DEFAULT 0 NOT NULL,
  in_doubt boolean DEFAULT false NOT NULL,
  first_sent_at timestamp with time zone,
  finished_at timestamp with time zone,
  provider_id text COLLATE "C",
  last_error text,
  added_at timestamp with time zone DEFAULT assay_now() NOT NULL,
  CONSTRAINT outbox_pkey PRIMARY KEY (id),
  CONSTRAINT outbox_idem_key_key UNIQUE (idem_key),
  CONSTRAINT outbox_idem_key_check CHECK (((length(idem_key) >= 8) AND (length(idem_key) <= 200))),
  CONSTRAINT outbox_kind_check CHECK ((kind = ANY (ARRAY['ledger'::text, 'payment'::text, 'payout'::text, 'refund'::text, 'mail'::text]))),
  CONSTRAINT outbox_op_check CHECK (((length(op) >= 1) AND (length(op) <= 100))),
  CONSTRAINT outbox_ref_check CHECK (((length(ref) >= 1) AND (length(ref) <= 200)))
);

CREATE TABLE payable (
  job_id text COLLATE "C" NOT NULL,
  payee_id text COLLATE "C" NOT NULL,
  currency character(3) NOT NULL,
  amount bigint NOT NULL,
  due_at timestamp with time zone NOT NULL,
  CONSTRAINT payable_pkey PRIMARY KEY (payee_id, job_id),
  CONSTRAINT payable_amount_check CHECK ((amount > 0)),
  CONSTRAINT payable_job_id_fkey FOREIGN KEY (job_id) REFERENCES job(id)
);

CREATE TABLE payout_account (
  id text COLLATE "C" NOT NULL,
  account_id text COLLATE "C" NOT NULL,
  region text NOT NULL,
  destination text COLLATE "C" NOT NULL,
  created_at timestamp with time zone DEFAULT assay_now() NOT NULL,
  disabled_at timestamp with time zone,
  disabled_reason text,
  CONSTRAINT payout_account_pkey PRIMARY KEY (id),
  CONSTRAINT payout_account_check CHECK (((disabled_at IS NULL) = (disabled_reason IS NULL))),
  CONSTRAINT payout_account_destination_check CHECK (((length(destination) >= 1) AND (length(destination) <= 300))),
  CONSTRAINT payout_account_region_check CHECK ((region = ANY (ARRAY['ru'::text, 'eu'::text, 'us'::text, 'cn'::text]))),
  CONSTRAINT payout_account_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(id)
);

CREATE TABLE payout_share (
  transfer_id text COLLATE "C" NOT NULL,
  job_id text COLLATE "C" NOT NULL,
  amount bigint NOT NULL,
  CONSTRAINT payout_share_pkey PRIMARY KEY (transfer_id, job_id),
  CONSTRAINT payout_share_amount_check CHECK ((amount > 0)),
  CONSTRAINT payout_share_job_id_fkey FOREIGN KEY (job_id) REFERENCES job(id),
  CONSTRAINT payout_share_transfer_id_fkey FOREIGN KEY (transfer_id) REFERENCES transfer(id)
);

CREATE TABLE posting (
  entry_id bigint NOT NULL,
  seq smallint NOT NULL,
  debit_id bigint NOT NULL,
  credit_id bigint NOT NULL,
  currency character(3) NOT NULL,
  amount bigint NOT NULL,
  CONSTRAINT posting_pkey PRIMARY KEY (entry_id, seq),
  CONSTRAINT amount_positive CHECK ((amount > 0)),
  CONSTRAINT posting_check CHECK ((debit_id <> credit_id)),
  CONSTRAINT posting_seq_check CHECK ((seq > 0)),
  CONSTRAINT posting_credit_id_currency_fkey FOREIGN KEY (credit_id, currency) REFERENCES money_account(id, currency),
  CONSTRAINT posting_debit_id_currency_fkey FOREIGN KEY (debit_id, currency) REFERENCES money_account(id, currency),
  CONSTRAINT posting_entry_id_fkey FOREIGN KEY (entry_id) REFERENCES journal_entry(id)
);

CREATE TABLE replica (
  id text COLLATE "C" NOT NULL,
  unit_id text COLLATE "C" NOT NULL,
  job_id text COLLATE "C" NOT NULL,
  worker_id text COLLATE "C" NOT NULL,
  owner_id text COLLATE "C" NOT NULL,
  payout_account_id text COLLATE "C",
  hub_id text COLLATE "C",
  network_block text,
  machine_class text NOT NULL,
  state text DEFAULT 'leased'::text NOT NULL,
  claimed_at timestamp with time zone NOT NULL,
  lease_until timestamp with time zone NOT NULL,
  run_until timestamp with time zone DEFAULT 'infinity'::timestamp with time zone NOT NULL,
  commitment text COLLATE "C",
  commit_request text COLLATE "C",
  commit_leaf smallint,
  committed_at timestamp with time zone,
  nonce text COLLATE "C",
  digest text COLLATE "C",
  exit_code integer,
  metrics_sha256 text COLLATE "C",
  metrics text,
  metric text,
  outputs jsonb,
  wall_ms bigint,
  cpu_ms bigint,
  peak_bytes bigint,
  reveal_request text COLLATE "C",
  reveal_leaf smallint,
  revealed_at timestamp with time zone,
  reason text,
  ended_at timestamp with time zone,
  attempt smallint NOT NULL,
  CONSTRAINT replica_pkey PRIMARY KEY (id),
  CONSTRAINT replica_unit_id_owner_id_attempt_key UNIQUE (unit_id, owner_id, attempt),
  CONSTRAINT replica_attempt_check CHECK ((attempt >= 0)),
  CONSTRAINT replica_state_check CHECK ((state = ANY (ARRAY['leased'::text, 'committed'::text, 'revealed'::text, 'agreed'::text, 'disagreed'::text, 'lost'::text, 'failed'::text, 'withdrawn'::text])))
);
ALTER TABLE replica SET (fillfactor=30);

CREATE TABLE session (
  id text COLLATE "C" NOT NULL,
  account_id text COLLATE "C" NOT NULL,
  token_hash text COLLATE "C" NOT NULL,
  client text NOT NULL,
  created_at timestamp with time zone DEFAULT assay_now() NOT NULL,
  last_used_at timestamp with time zone DEFAULT assay_now() NOT NULL,
  expires_at timestamp with time zone NOT NULL,
  CONSTRAINT session_pkey PRIMARY KEY (id),
  CONSTRAINT session_token_hash_key UNIQUE (token_hash),
  CONSTRAINT session_client_check CHECK (((length(client) >= 1) AND (length(client) <= 100))),
  CONSTRAINT session_token_hash_check CHECK ((token_hash ~ '^[0-9a-f]{64}$'::text)),
  CONSTRAINT session_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(id)
);

CREATE TABLE sign_in_ticket (
  token_hash text COLLATE "C" NOT NULL,
  account_id text COLLATE "C" NOT NULL,
  expires_at timestamp with time zone NOT NULL,
  CONSTRAINT sign_in_ticket_pkey PRIMARY KEY (token_hash),
  CONSTRAINT sign_in_ticket_token_hash_check CHECK ((token_hash ~ '^[0-9a-f]{64}$'::text)),
  CONSTRAINT sign_in_ticket_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(id)
);

CREATE TABLE transfer (
  id text COLLATE "C" NOT NULL,
  kind text NOT NULL,
  region text NOT NULL,
  party_id text COLLATE "C" NOT NULL,
  job_id text COLLATE "C",
  state text DEFAULT 'queued'::text NOT NULL,
  currency character(3) NOT NULL,
  amount bigint NOT NULL,
  attempt integer DEFAULT 1 NOT NULL,
  method text,
  action text,
  received bigint,
  received_currency character(3),
  booked_as text,
  fee bigint,
  payment_id text COLLATE "C",
  reason text,
  destination text,
  provider_id text COLLATE "C",
  failure text,
  created_at timestamp with time zone DEFAULT assay_now() NOT NULL,
  checked_at timestamp with time zone DEFAULT assay_now() NOT NULL,
  changed_at timestamp with time zone DEFAULT assay_now() NOT NULL,
  CONSTRAINT transfer_pkey PRIMARY KEY (id),
  CONSTRAINT transfer_amount_check CHECK ((amount > 0)),
  CONSTRAINT transfer_booked_as_check CHECK ((booked_as = ANY (ARRAY['escrow'::text, 'credit'::text, 'suspense'::text]))),
  CONSTRAINT transfer_check CHECK (((kind = 'payout'::text) OR (job_id IS NOT NULL))),
  CONSTRAINT transfer_check1 CHECK (((kind = 'refund'::text) = ((payment_id IS NOT NULL) AND (reason IS NOT NULL)))),
  CONSTRAINT transfer_check2 CHECK (((kind = 'payout'::text) = (destination IS NOT NULL))),
  CONSTRAINT transfer_kind_check CHECK ((kind = ANY (ARRAY['payment'::text, 'refund'::text, 'payout'::text]))),
  CONSTRAINT transfer_region_check CHECK ((region = ANY (ARRAY['ru'::text, 'eu'::text, 'us'::text, 'cn'::text]))),
  CONSTRAINT transfer_state_check CHECK ((state = ANY (ARRAY['queued'::text, 'pending'::text, 'requires_action'::text, 'in_transit'::text, 'succeeded'::text, 'canceled'::text, 'failed'::text]))),
  CONSTRAINT transfer_job_id_fkey FOREIGN KEY (job_id) REFERENCES job(id),
  CONSTRAINT transfer_payment_id_fkey FOREIGN KEY (payment_id) REFERENCES transfer(id)
);

CREATE TABLE turnover (
  provider_id text COLLATE "C" NOT NULL,
  month date NOT NULL,
  currency character(3) NOT NULL,
  gross bigint DEFAULT 0 NOT NULL,
  CONSTRAINT turnover_pkey PRIMARY KEY (provider_id, month, currency),
  CONSTRAINT turnover_gross_check CHECK ((gross >= 0)),
  CONSTRAINT turnover_month_check CHECK ((EXTRACT(day FROM month) = (1)::numeric))
);

CREATE TABLE unit (
  id text COLLATE "C" NOT NULL,
  job_id text COLLATE "C" NOT NULL,
  ordinal integer NOT NULL,
  kind text DEFAULT 'work'::text NOT NULL,
  state text DEFAULT 'open'::text NOT NULL,
  planned smallint NOT NULL,
  wanted smallint NOT NULL,
  wanted_since timestamp with time zone,
  patience_over boolean DEFAULT false NOT NULL,
  machine_class text,
  reveal_due_at timestamp with time zone,
  agreed_digest text COLLATE "C",
  agreed_metric text,
  agreed_exit_code integer,
  canonical_replica text COLLATE "C",
  agreeing smallint,
  decided_at timestamp with time zone,
  position bigint NOT NULL,
  CONSTRAINT unit_pkey PRIMARY KEY (id),
  CONSTRAINT unit_job_id_kind_ordinal_key UNIQUE (job_id, kind, ordinal),
  CONSTRAINT unit_kind_check CHECK ((kind = ANY (ARRAY['work'::text, 'merge'::text]))),
  CONSTRAINT unit_planned_check CHECK ((planned > 0)),
  CONSTRAINT unit_state_check CHECK ((state = ANY (ARRAY['open'::text, 'running'::text, 'revealing'::text, 'agreed'::text, 'undecided'::text]))),
  CONSTRAINT unit_wanted_check CHECK ((wanted >= 0)),
  CONSTRAINT unit_job_id_fkey FOREIGN KEY (job_id) REFERENCES job(id)
);
ALTER TABLE unit SET (fillfactor=50);

CREATE TABLE verdict (
  job_id text COLLATE "C" NOT NULL,
  number integer NOT NULL,
  unit_id text COLLATE "C" NOT NULL,
  CONSTRAINT verdict_pkey PRIMARY KEY (job_id, number),
  CONSTRAINT verdict_number_check CHECK ((number > 0))
);

CREATE TABLE verdict_batch (
  job_id text COLLATE "C" NOT NULL,
  first_number integer NOT NULL,
  last_number integer NOT NULL,
  proof_hash text COLLATE "C" NOT NULL,
  result_hash text COLLATE "C" NOT NULL,
  at timestamp with time zone DEFAULT assay_now() NOT NULL,
  CONSTRAINT verdict_batch_pkey PRIMARY KEY (job_id, first_number),
  CONSTRAINT verdict_batch_check CHECK ((first_number <= last_number)),
  CONSTRAINT verdict_batch_job_id_fkey FOREIGN KEY (job_id) REFERENCES job(id)
);

CREATE TABLE work_solo (
  one boolean DEFAULT true NOT NULL,
  server text COLLATE "C",
  CONSTRAINT work_solo_pkey PRIMARY KEY (one),
  CONSTRAINT work_solo_one_check CHECK (one)
);

CREATE TABLE worker (
  id text COLLATE "C" NOT NULL,
  owner_id text COLLATE "C" NOT NULL,
  public_key text COLLATE "C" NOT NULL,
  name text NOT NULL,
  machine jsonb NOT NULL,
  region text NOT NULL,
  hub text COLLATE "C",
  network_block text COLLATE "C",
  agreed bigint DEFAULT 0 NOT NULL,
  disagreed bigint DEFAULT 0 NOT NULL,
  lost bigint DEFAULT 0 NOT NULL,
  banned_at timestamp with time zone,
  ban_reason text,
  registered_at timestamp with time zone DEFAULT assay_now() NOT NULL,
  last_seen_at timestamp with time zone,
  removed_at timestamp with time zone,
  CONSTRAINT worker_pkey PRIMARY KEY (id),
  CONSTRAINT worker_public_key_key UNIQUE (public_key),
  CONSTRAINT worker_agreed_check CHECK ((agreed >= 0)),
  CONSTRAINT worker_check CHECK (((banned_at IS NULL) = (ban_reason IS NULL))),
  CONSTRAINT worker_disagreed_check CHECK ((disagreed >= 0)),
  CONSTRAINT worker_lost_check CHECK ((lost >= 0)),
  CONSTRAINT worker_machine_check CHECK ((jsonb_typeof(machine) = 'object'::text)),
  CONSTRAINT worker_name_check CHECK (((length(name) >= 1) AND (length(name) <= 100))),
  CONSTRAINT worker_public_key_check CHECK ((public_key ~ '^[0-9a-f]{64}$'::text)),
  CONSTRAINT worker_region_check CHECK ((region = ANY (ARRAY['ru'::text, 'eu'::text, 'us'::text, 'cn'::text]))),
  CONSTRAINT worker_owner_id_fkey FOREIGN KEY (owner_id) REFERENCES account(id)
);

-- Views

CREATE VIEW replica_pay AS
 SELECT r.id AS replica_id,
    r.unit_id,
    r.job_id,
    r.owner_id,
    ((e.gross / e.replicas) +
        CASE
            WHEN ((e.gross % (e.replicas)::bigint) = 0) THEN 0
            WHEN ((e.gross % (e.replicas)::bigint) > ( SELECT count(*) AS count
               FROM replica m
              WHERE ((m.unit_id = ANY (ARRAY( SELECT unit.id
                       FROM unit
                      WHERE (unit.job_id = r.job_id)))) AND (m.owner_id = r.owner_id) AND (m.state = 'agreed'::text) AND (m.id < r.id)))) THEN 1
            ELSE 0
        END) AS paid
   FROM (replica r
     JOIN earning e ON (((e.job_id = r.job_id) AND (e.provider_id = r.owner_id))))
  WHERE (r.state = 'agreed'::text);

-- Indexes

CREATE INDEX account_banned ON account USING btree (id) WHERE (banned_at IS NOT NULL);

CREATE INDEX api_key_account ON api_key USING btree (account_id, id);

CREATE INDEX audit_log_ref ON audit_log USING btree (ref, id);

CREATE INDEX breach_job ON breach USING btree (job_id);

CREATE INDEX breach_unweighed ON breach USING btree (job_id) WHERE (NOT weighed);

CREATE INDEX change_feed_at ON change_feed USING btree (at);

CREATE INDEX change_feed_job ON change_feed USING btree (job_id, xid, "position") WHERE (job_id IS NOT NULL);

CREATE INDEX change_feed_order ON change_feed USING btree (xid, "position");

CREATE INDEX dispute_job ON dispute USING btree (job_id);

CREATE UNIQUE INDEX dispute_open ON dispute USING btree (job_id) WHERE (state = 'open'::text);

CREATE INDEX earning_provider ON earning USING btree (provider_id, at);

CREATE INDEX escrow_due ON escrow USING btree (release_due_at) WHERE (state = 'challenge'::escrow_state);

CREATE INDEX idempotency_age ON idempotency USING btree (at);

CREATE INDEX inbox_open ON inbox USING btree (next_at, id) WHERE (state = ANY (ARRAY['received'::inbox_state, 'parked'::inbox_state]));

CREATE INDEX job_customer ON job USING btree (customer_id, id DESC);

CREATE INDEX job_due ON job USING btree (release_due_at) WHERE ((state = 'verified'::text) AND (release_requested_at IS NULL));

CREATE UNIQUE INDEX job_idempotency ON job USING btree (customer_id, idempotency_key) WHERE (idempotency_key IS NOT NULL);

CREATE INDEX job_state ON job USING btree (state, id) WHERE (state = ANY (ARRAY['created'::text, 'funded'::text, 'verified'::text, 'disputed'::text]));

CREATE INDEX job_unpaid ON job USING btree (expires_at) WHERE (state = 'created'::text);

CREATE INDEX journal_entry_job ON journal_entry USING btree (job_id, id) WHERE (job_id IS NOT NULL);

CREATE INDEX ledger_fact_job ON ledger_fact USING btree (job, "position") WHERE (job IS NOT NULL);

CREATE UNIQUE INDEX ledger_tx_key ON ledger_tx USING btree (idempotency_key, (
CASE
    WHEN (code = 0) THEN ('-1'::integer)::bigint
    ELSE block
END));

CREATE INDEX log_job ON log USING btree (job_id, "position");

CREATE INDEX log_replica ON log USING btree (replica_id);

CREATE INDEX outbox_open ON outbox USING btree (kind, next_at, id) WHERE (state = ANY (ARRAY['ready'::outbox_state, 'sending'::outbox_state, 'unknown'::outbox_state]));

CREATE INDEX outbox_order ON outbox USING btree (ref, id) WHERE ((kind = 'ledger'::text) AND (state = ANY (ARRAY['ready'::outbox_state, 'sending'::outbox_state, 'unknown'::outbox_state, 'human'::outbox_state])));

CREATE INDEX outbox_ref ON outbox USING btree (ref, id);

CREATE INDEX outbox_waiting ON outbox USING btree (state, kind, id) WHERE (state <> ALL (ARRAY['done'::outbox_state, 'failed'::outbox_state]));

CREATE INDEX payable_due ON payable USING btree (due_at);

CREATE INDEX payout_account_destination ON payout_account USING btree (destination);

CREATE UNIQUE INDEX payout_account_used ON payout_account USING btree (account_id, region) WHERE (disabled_at IS NULL);

CREATE INDEX payout_share_job ON payout_share USING btree (job_id);

CREATE INDEX posting_credit ON posting USING btree (credit_id);

CREATE INDEX posting_debit ON posting USING btree (debit_id);

CREATE INDEX session_account ON session USING btree (account_id);

CREATE INDEX session_expiry ON session USING btree (expires_at);

CREATE UNIQUE INDEX transfer_attempt ON transfer USING btree (job_id, attempt) WHERE (kind = 'payment'::text);

CREATE INDEX transfer_job ON transfer USING btree (job_id);

CREATE UNIQUE INDEX transfer_live ON transfer USING btree (job_id) WHERE ((kind = 'payment'::text) AND (state = ANY (ARRAY['queued'::text, 'pending'::text, 'requires_action'::text])));

CREATE UNIQUE INDEX transfer_provider ON transfer USING btree (region, kind, provider_id) WHERE (provider_id IS NOT NULL);

CREATE UNIQUE INDEX transfer_refund ON transfer USING btree (payment_id, reason) WHERE (kind = 'refund'::text);

CREATE INDEX transfer_under_way ON transfer USING btree (checked_at) WHERE ((state = ANY (ARRAY['pending'::text, 'requires_action'::text, 'in_transit'::text])) AND (provider_id IS NOT NULL));

CREATE INDEX unit_impatient ON unit USING btree (wanted_since) WHERE ((wanted > 0) AND (NOT patience_over));

CREATE INDEX unit_pool ON unit USING btree ("position") WHERE (wanted > 0);

CREATE INDEX worker_owner ON worker USING btree (owner_id, id);

-- Triggers

CREATE TRIGGER audit_chain BEFORE INSERT ON audit_log FOR EACH ROW EXECUTE FUNCTION audit_chain();

CREATE TRIGGER audit_is_kept BEFORE DELETE OR UPDATE ON audit_log FOR EACH ROW EXECUTE FUNCTION forbid();

CREATE TRIGGER audit_is_not_emptied BEFORE TRUNCATE ON audit_log FOR EACH STATEMENT EXECUTE FUNCTION forbid();

CREATE TRIGGER change_feed_tells AFTER INSERT ON change_feed FOR EACH STATEMENT EXECUTE FUNCTION tell();

CREATE CONSTRAINT TRIGGER escrow_agrees AFTER INSERT OR UPDATE ON escrow DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION escrow_agrees();

CREATE TRIGGER escrow_is_kept BEFORE DELETE ON escrow FOR EACH ROW EXECUTE FUNCTION forbid();

CREATE TRIGGER escrow_is_not_emptied BEFORE TRUNCATE ON escrow FOR EACH STATEMENT EXECUTE FUNCTION forbid();

CREATE TRIGGER escrow_opens BEFORE INSERT ON escrow FOR EACH ROW EXECUTE FUNCTION escrow_opens();

CREATE TRIGGER escrow_step BEFORE UPDATE ON escrow FOR EACH ROW EXECUTE FUNCTION escrow_step();

CREATE TRIGGER inbox_tells AFTER INSERT ON inbox FOR EACH STATEMENT EXECUTE FUNCTION tell();

CREATE TRIGGER entry_is_kept BEFORE DELETE OR UPDATE ON journal_entry FOR EACH ROW EXECUTE FUNCTION forbid();

CREATE TRIGGER entry_is_not_emptied BEFORE TRUNCATE ON journal_entry FOR EACH STATEMENT EXECUTE FUNCTION forbid();

CREATE CONSTRAINT TRIGGER account_agrees AFTER UPDATE ON money_account DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((new.kind = 'escrow'::money_account_kind)) EXECUTE FUNCTION escrow_agrees();

CREATE TRIGGER account_is_not_emptied BEFORE TRUNCATE ON money_account FOR EACH STATEMENT EXECUTE FUNCTION forbid();

CREATE TRIGGER outbox_tells AFTER INSERT ON outbox FOR EACH STATEMENT EXECUTE FUNCTION tell();

CREATE TRIGGER posting_counts AFTER INSERT ON posting REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION apply_postings();

CREATE TRIGGER posting_is_kept BEFORE DELETE OR UPDATE ON posting FOR EACH ROW EXECUTE FUNCTION forbid();

CREATE TRIGGER posting_is_not_emptied BEFORE TRUNCATE ON posting FOR EACH STATEMENT EXECUTE FUNCTION forbid();

CREATE TRIGGER replica_has_parties AFTER INSERT ON replica REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION note_job_parties();

-- Rights

GRANT INSERT (id, email, password_hash, region, roles), SELECT, UPDATE (password_hash, roles, banned_at, ban_reason) ON account TO assay_app;

GRANT DELETE, INSERT (id, account_id, name, key_hash, scopes), SELECT, UPDATE (last_used_at) ON api_key TO assay_app;

GRANT INSERT (actor, action, ref, data), SELECT ON audit_log TO assay_app;

GRANT INSERT, SELECT, UPDATE (weighed) ON breach TO assay_app;

GRANT DELETE, INSERT (job_id, account_id, kind, data), SELECT ON change_feed TO assay_app;

GRANT INSERT, SELECT, UPDATE ON checkpoint TO assay_app;

GRANT SELECT ON currency TO assay_app;

GRANT INSERT, SELECT, UPDATE ON desk TO assay_app;

GRANT INSERT, SELECT, UPDATE ON dispute TO assay_app;

GRANT INSERT, SELECT ON earning TO assay_app;

GRANT INSERT (job_id, account_id, currency, amount), SELECT, UPDATE (state, release_due_at, funds_available_at) ON escrow TO assay_app;

GRANT SELECT ON escrow_edge TO assay_app;

GRANT INSERT, SELECT, UPDATE (offers) ON exchange TO assay_app;

GRANT DELETE, INSERT, SELECT, UPDATE ON idempotency TO assay_app;

GRANT INSERT (source, event_key, raw, headers, notice), SELECT, UPDATE (state, attempts, next_at, lease_until, fence, finished_at) ON inbox TO assay_app;

GRANT INSERT, SELECT, UPDATE ON job TO assay_app;

GRANT SELECT ON job_party TO assay_app;

GRANT INSERT (idem_key, kind, job_id, cause, request_hash), SELECT ON journal_entry TO assay_app;

GRANT INSERT, SELECT ON ledger_block TO assay_app;

GRANT INSERT, SELECT ON ledger_creator TO assay_app;

GRANT INSERT, SELECT ON ledger_fact TO assay_app;

GRANT SELECT, UPDATE ON ledger_head TO assay_app;

GRANT INSERT, SELECT ON ledger_history TO assay_app;

GRANT INSERT, SELECT ON ledger_leaves TO assay_app;

GRANT INSERT, SELECT ON ledger_node TO assay_app;

GRANT DELETE, INSERT, SELECT, UPDATE ON ledger_state TO assay_app;

GRANT INSERT, SELECT ON ledger_tx TO assay_app;

GRANT DELETE, INSERT, SELECT ON log TO assay_app;

GRANT INSERT (kind, ref, currency), SELECT ON money_account TO assay_app;

GRANT SELECT ON money_flow TO assay_app;

GRANT DELETE, INSERT, SELECT ON object_upload TO assay_app;

GRANT INSERT (kind, op, ref, idem_key, request, next_at), SELECT, UPDATE (state, attempts, next_at, lease_until, fence, in_doubt, first_sent_at, finished_at, provider_id, last_error) ON outbox TO assay_app;

GRANT DELETE, INSERT, SELECT, UPDATE (due_at) ON payable TO assay_app;

GRANT INSERT (id, account_id, region, destination), SELECT, UPDATE (disabled_at, disabled_reason) ON payout_account TO assay_app;

GRANT INSERT, SELECT ON payout_share TO assay_app;

GRANT INSERT (entry_id, seq, debit_id, credit_id, currency, amount), SELECT ON posting TO assay_app;

GRANT INSERT, SELECT, UPDATE ON replica TO assay_app;

GRANT SELECT ON replica_pay TO assay_app;

GRANT DELETE, INSERT (id, account_id, token_hash, client, expires_at), SELECT, UPDATE (last_used_at) ON session TO assay_app;

GRANT DELETE, INSERT, SELECT ON sign_in_ticket TO assay_app;

GRANT INSERT, SELECT, UPDATE ON transfer TO assay_app;

GRANT INSERT, SELECT, UPDATE ON turnover TO assay_app;

GRANT INSERT, SELECT, UPDATE ON unit TO assay_app;

GRANT INSERT, SELECT ON verdict TO assay_app;

GRANT INSERT, SELECT ON verdict_batch TO assay_app;

GRANT SELECT, UPDATE (server) ON work_solo TO assay_app;

GRANT INSERT (id, owner_id, public_key, name, machine, region, hub, network_block), SELECT, UPDATE (name, machine, hub, network_block, agreed, disagreed, lost, banned_at, ban_reason, last_seen_at, removed_at) ON worker TO assay_app;
