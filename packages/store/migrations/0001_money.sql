-- The journal: who owns which cent. One row of posting is one debit/credit pair in one currency, so an unbalanced entry
-- cannot be written; history cannot be changed; money that we owe never falls below zero; at commit an escrow holds
-- exactly what its state says. The program's role (assay_app) may add entries and move escrows along the edges of the
-- table below, nothing else. Every function pins its search path, so that a temporary table cannot stand in for ours.

DO $$BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'assay_app') THEN
    RAISE EXCEPTION 'make the role assay_app, which the programs log in as, before migrating';
  END IF;
END$$;

-- The time of the market. Stable, so that comparisons with it can use an index; simulations replace it.
CREATE FUNCTION assay_now() RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE AS 'SELECT clock_timestamp()';

CREATE TABLE currency (
  code char(3) PRIMARY KEY CHECK (code ~ '^[A-Z]{3}$'),
  exponent smallint NOT NULL CHECK (exponent BETWEEN 0 AND 4)
);
INSERT INTO currency (code, exponent) VALUES ('USD', 2), ('EUR', 2), ('RUB', 2), ('CNY', 2), ('JPY', 0);

-- Money that we owe (guarded, credit-normal), money owed to us (guarded, debit-normal), and free accounts, whose
-- balance is the sum of their postings because a running total would make every entry wait for one row.
CREATE TYPE money_account_kind AS ENUM (
  'psp_asset', 'escrow', 'worker_payable', 'payout_in_flight', 'refund_in_flight', 'customer_credit', 'commission',
  'psp_fee', 'chargeback_receivable', 'loss', 'fx_clearing', 'suspense'
);

CREATE TABLE money_account (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind money_account_kind NOT NULL,
  ref text COLLATE "C" NOT NULL CHECK (length(ref) BETWEEN 1 AND 200),
  currency char(3) NOT NULL REFERENCES currency,
  guarded boolean GENERATED ALWAYS AS (
    kind IN ('escrow', 'worker_payable', 'payout_in_flight', 'refund_in_flight', 'customer_credit', 'chargeback_receivable')
  ) STORED,
  debits bigint NOT NULL DEFAULT 0 CHECK (debits >= 0),
  credits bigint NOT NULL DEFAULT 0 CHECK (credits >= 0),
  UNIQUE (kind, ref, currency),
  UNIQUE (id, currency),
  CONSTRAINT no_overdraft CHECK (NOT guarded OR kind = 'chargeback_receivable' OR credits >= debits),
  CONSTRAINT no_over_claim CHECK (kind <> 'chargeback_receivable' OR debits >= credits)
);

CREATE TABLE journal_entry (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  idem_key text COLLATE "C" NOT NULL UNIQUE CHECK (length(idem_key) BETWEEN 8 AND 200),
  kind text COLLATE "C" NOT NULL CHECK (kind ~ '^[a-z_]{1,40}$'),
  job_id text COLLATE "C" CHECK (length(job_id) BETWEEN 1 AND 100),
  cause jsonb NOT NULL CHECK (jsonb_typeof(cause) = 'object'),
  request_hash text COLLATE "C" NOT NULL CHECK (request_hash ~ '^[0-9a-f]{64}$'),
  at timestamptz NOT NULL DEFAULT assay_now(),
  -- The transaction that wrote the entry; only the same one may add postings to it.
  xid xid8 NOT NULL DEFAULT pg_current_xact_id()
);
CREATE INDEX journal_entry_job ON journal_entry (job_id, id) WHERE job_id IS NOT NULL;

CREATE TABLE posting (
  entry_id bigint NOT NULL REFERENCES journal_entry,
  seq smallint NOT NULL CHECK (seq > 0),
  debit_id bigint NOT NULL,
  credit_id bigint NOT NULL,
  currency char(3) NOT NULL,
  amount bigint NOT NULL CONSTRAINT amount_positive CHECK (amount > 0),
  PRIMARY KEY (entry_id, seq),
  CHECK (debit_id <> credit_id),
  FOREIGN KEY (debit_id, currency) REFERENCES money_account (id, currency),
  FOREIGN KEY (credit_id, currency) REFERENCES money_account (id, currency)
);
CREATE INDEX posting_debit ON posting (debit_id);
CREATE INDEX posting_credit ON posting (credit_id);

-- Which account may pay into which. An entry of kind 'reversal' may also take a flow backwards.
CREATE TABLE money_flow (
  debit money_account_kind NOT NULL,
  credit money_account_kind NOT NULL,
  meaning text NOT NULL,
  PRIMARY KEY (debit, credit)
);
INSERT INTO money_flow (debit, credit, meaning) VALUES
  ('psp_asset', 'escrow', 'a payment arrived'),
  ('psp_asset', 'customer_credit', 'a payment arrived too late or twice, or a refund came back'),
  ('psp_asset', 'worker_payable', 'a payout came back after it was paid'),
  ('psp_asset', 'suspense', 'a payment arrived that does not fit'),
  ('psp_fee', 'psp_asset', 'the provider took its fee'),
  ('psp_asset', 'psp_fee', 'the provider gave a fee back'),
  ('escrow', 'worker_payable', 'agreed results are earned'),
  ('escrow', 'commission', 'the platform takes its share'),
  ('escrow', 'refund_in_flight', 'a refund is on its way'),
  ('escrow', 'customer_credit', 'a refund is kept as credit'),
  ('escrow', 'psp_asset', 'a chargeback before release'),
  ('customer_credit', 'escrow', 'credit pays for a job'),
  ('customer_credit', 'refund_in_flight', 'credit is paid back'),
  ('refund_in_flight', 'psp_asset', 'the refund was paid'),
  ('refund_in_flight', 'customer_credit', 'the refund failed'),
  ('worker_payable', 'payout_in_flight', 'a payout is on its way'),
  ('payout_in_flight', 'psp_asset', 'the payout was paid'),
  ('payout_in_flight', 'worker_payable', 'the payout failed'),
  ('worker_payable', 'fx_clearing', 'earnings are changed into another currency'),
  ('fx_clearing', 'worker_payable', 'earnings arrive in another currency'),
  ('fx_clearing', 'psp_asset', 'the provider changed money'),
  ('psp_asset', 'fx_clearing', 'the provider changed money'),
  ('chargeback_receivable', 'psp_asset', 'a chargeback after release'),
  ('worker_payable', 'chargeback_receivable', 'a chargeback is taken from earnings'),
  ('loss', 'chargeback_receivable', 'a chargeback is given up'),
  ('loss', 'psp_asset', 'the platform bears a loss'),
  ('loss', 'worker_payable', 'the platform pays a worker out of its own pocket'),
  ('loss', 'customer_credit', 'the platform pays a customer out of its own pocket'),
  ('suspense', 'psp_asset', 'a payment that did not fit was sent back'),
  ('suspense', 'customer_credit', 'a payment that did not fit was understood'),
  ('suspense', 'escrow', 'a payment that did not fit was understood'),
  ('suspense', 'refund_in_flight', 'a payment that did not fit is being sent back'),
  ('commission', 'customer_credit', 'commission is given back'),
  ('commission', 'refund_in_flight', 'commission is given back'),
  ('commission', 'worker_payable', 'commission is given back'),
  ('commission', 'psp_asset', 'the platform takes out what it earned');

CREATE FUNCTION forbid() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$BEGIN
  RAISE EXCEPTION 'append-only: % %', TG_OP, TG_TABLE_NAME USING ERRCODE = 'LE001';
END$$;

CREATE TRIGGER posting_is_kept BEFORE UPDATE OR DELETE ON posting FOR EACH ROW EXECUTE FUNCTION forbid();
CREATE TRIGGER posting_is_not_emptied BEFORE TRUNCATE ON posting EXECUTE FUNCTION forbid();
CREATE TRIGGER entry_is_kept BEFORE UPDATE OR DELETE ON journal_entry FOR EACH ROW EXECUTE FUNCTION forbid();
CREATE TRIGGER entry_is_not_emptied BEFORE TRUNCATE ON journal_entry EXECUTE FUNCTION forbid();
CREATE TRIGGER account_is_not_emptied BEFORE TRUNCATE ON money_account EXECUTE FUNCTION forbid();

-- Adds the postings of one statement to the totals of the guarded accounts. FOR NO KEY UPDATE in id order: FOR UPDATE
-- would deadlock with the key-share locks of the foreign keys.
CREATE FUNCTION apply_postings() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = pg_catalog, public, pg_temp AS $$
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
END$$;
CREATE TRIGGER posting_counts AFTER INSERT ON posting REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION apply_postings();

CREATE TYPE escrow_state AS ENUM (
  'awaiting_payment', 'funded', 'challenge', 'frozen', 'released', 'refunded', 'split', 'charged_back', 'expired'
);

CREATE TABLE escrow_edge (
  from_state escrow_state NOT NULL,
  to_state escrow_state NOT NULL,
  PRIMARY KEY (from_state, to_state)
);
INSERT INTO escrow_edge (from_state, to_state) VALUES
  ('awaiting_payment', 'funded'), ('awaiting_payment', 'expired'),
  ('funded', 'challenge'), ('funded', 'frozen'), ('funded', 'refunded'), ('funded', 'charged_back'),
  ('challenge', 'released'), ('challenge', 'frozen'), ('challenge', 'charged_back'),
  ('frozen', 'challenge'), ('frozen', 'released'), ('frozen', 'refunded'), ('frozen', 'split'), ('frozen', 'charged_back');

CREATE TABLE escrow (
  job_id text COLLATE "C" PRIMARY KEY,
  account_id bigint NOT NULL UNIQUE,
  currency char(3) NOT NULL,
  amount bigint NOT NULL CONSTRAINT escrow_amount_positive CHECK (amount > 0),
  state escrow_state NOT NULL DEFAULT 'awaiting_payment',
  -- The end of the challenge window, and when the paid money can be paid on; release waits for both.
  release_due_at timestamptz,
  funds_available_at timestamptz,
  version int NOT NULL DEFAULT 0,
  opened_at timestamptz NOT NULL DEFAULT assay_now(),
  changed_at timestamptz NOT NULL DEFAULT assay_now(),
  FOREIGN KEY (account_id, currency) REFERENCES money_account (id, currency),
  CHECK (state <> 'challenge' OR (release_due_at IS NOT NULL AND funds_available_at IS NOT NULL))
);
CREATE INDEX escrow_due ON escrow (release_due_at) WHERE state = 'challenge';

CREATE FUNCTION escrow_opens() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$BEGIN
  IF NOT EXISTS (SELECT FROM money_account a WHERE a.id = NEW.account_id AND a.kind = 'escrow' AND a.ref = NEW.job_id) THEN
    RAISE EXCEPTION 'escrow % needs its own account', NEW.job_id USING ERRCODE = 'LE011', HINT = 'escrow.unbalanced';
  END IF;
  RETURN NEW;
END$$;
CREATE TRIGGER escrow_opens BEFORE INSERT ON escrow FOR EACH ROW EXECUTE FUNCTION escrow_opens();

-- Only along an edge; no release before both times have passed; a time, once set, is never brought forward. The second
-- is what passes between a statement's reading of the clock and this one.
CREATE FUNCTION escrow_step() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
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
END$$;
CREATE TRIGGER escrow_step BEFORE UPDATE ON escrow FOR EACH ROW EXECUTE FUNCTION escrow_step();
CREATE TRIGGER escrow_is_kept BEFORE DELETE ON escrow FOR EACH ROW EXECUTE FUNCTION forbid();
CREATE TRIGGER escrow_is_not_emptied BEFORE TRUNCATE ON escrow EXECUTE FUNCTION forbid();

-- Runs at commit, whichever side changed: the money in an escrow's account is what its state says.
CREATE FUNCTION escrow_agrees() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
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
END$$;
CREATE CONSTRAINT TRIGGER escrow_agrees AFTER INSERT OR UPDATE ON escrow
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION escrow_agrees();
CREATE CONSTRAINT TRIGGER account_agrees AFTER UPDATE ON money_account
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.kind = 'escrow') EXECUTE FUNCTION escrow_agrees();

GRANT SELECT ON currency, money_account, journal_entry, posting, money_flow, escrow_edge, escrow TO assay_app;
GRANT INSERT (kind, ref, currency) ON money_account TO assay_app;
GRANT INSERT (idem_key, kind, job_id, cause, request_hash) ON journal_entry TO assay_app;
GRANT INSERT (entry_id, seq, debit_id, credit_id, currency, amount) ON posting TO assay_app;
GRANT INSERT (job_id, account_id, currency, amount), UPDATE (state, release_due_at, funds_available_at)
  ON escrow TO assay_app;
