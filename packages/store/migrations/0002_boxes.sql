-- What leaves (outbox) and what arrives (inbox), answers kept for repeated calls, the audit log, positions of followers,
-- and the feed of changes that browsers and programs watch. Each row is written in the transaction of its cause.

CREATE TYPE outbox_state AS ENUM ('ready', 'sending', 'unknown', 'done', 'failed', 'human');

-- A message to the ledger, a payment provider or a person. The key and the request never change after the first
-- sending; only a definite no may be followed by a new message with a new key.
CREATE TABLE outbox (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('ledger', 'payment', 'payout', 'refund', 'mail')),
  op text NOT NULL CHECK (length(op) BETWEEN 1 AND 100),
  ref text COLLATE "C" NOT NULL CHECK (length(ref) BETWEEN 1 AND 200),
  idem_key text COLLATE "C" NOT NULL UNIQUE CHECK (length(idem_key) BETWEEN 8 AND 200),
  request jsonb NOT NULL,
  state outbox_state NOT NULL DEFAULT 'ready',
  attempts int NOT NULL DEFAULT 0,
  next_at timestamptz NOT NULL DEFAULT assay_now(),
  lease_until timestamptz,
  -- Grows with each lease: who holds an older one may no longer store an outcome.
  fence bigint NOT NULL DEFAULT 0,
  -- A sending whose outcome was never learned: only the same key may be sent, or the provider asked.
  in_doubt boolean NOT NULL DEFAULT false,
  first_sent_at timestamptz,
  finished_at timestamptz,
  provider_id text COLLATE "C",
  last_error text,
  added_at timestamptz NOT NULL DEFAULT assay_now()
);
CREATE INDEX outbox_open ON outbox (kind, next_at, id) WHERE state IN ('ready', 'sending', 'unknown');
CREATE INDEX outbox_order ON outbox (ref, id) WHERE kind = 'ledger' AND state IN ('ready', 'sending', 'unknown', 'human');
-- What operators look for and metrics count.
CREATE INDEX outbox_waiting ON outbox (state, kind, id) WHERE state NOT IN ('done', 'failed');
CREATE INDEX outbox_ref ON outbox (ref, id);

-- A sent message is what was sent: the program may move its state, never its content.
GRANT SELECT ON outbox TO assay_app;
GRANT INSERT (kind, op, ref, idem_key, request, next_at) ON outbox TO assay_app;
GRANT UPDATE (state, attempts, next_at, lease_until, fence, in_doubt, first_sent_at, finished_at, provider_id, last_error)
  ON outbox TO assay_app;

CREATE TYPE inbox_state AS ENUM ('received', 'parked', 'done', 'ignored');

-- A message that arrived, exactly as it arrived, once per source and event.
CREATE TABLE inbox (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  source text COLLATE "C" NOT NULL CHECK (length(source) BETWEEN 1 AND 100),
  event_key text COLLATE "C" NOT NULL CHECK (length(event_key) BETWEEN 1 AND 300),
  raw bytea NOT NULL,
  headers jsonb NOT NULL,
  notice jsonb NOT NULL DEFAULT '{}',
  state inbox_state NOT NULL DEFAULT 'received',
  attempts int NOT NULL DEFAULT 0,
  next_at timestamptz NOT NULL DEFAULT assay_now(),
  lease_until timestamptz,
  fence bigint NOT NULL DEFAULT 0,
  received_at timestamptz NOT NULL DEFAULT assay_now(),
  finished_at timestamptz,
  UNIQUE (source, event_key)
);
CREATE INDEX inbox_open ON inbox (next_at, id) WHERE state IN ('received', 'parked');
GRANT SELECT ON inbox TO assay_app;
GRANT INSERT (source, event_key, raw, headers, notice) ON inbox TO assay_app;
GRANT UPDATE (state, attempts, next_at, lease_until, fence, finished_at) ON inbox TO assay_app;

-- The answer to an unsafe call, given again to whoever repeats the call under the same key.
CREATE TABLE idempotency (
  scope text COLLATE "C" NOT NULL CHECK (length(scope) BETWEEN 1 AND 200),
  key text COLLATE "C" NOT NULL CHECK (length(key) BETWEEN 8 AND 200),
  request_hash text COLLATE "C" NOT NULL,
  -- Null while the first call runs; its lease ends with the process that ran it.
  response jsonb,
  lease_until timestamptz NOT NULL,
  fence bigint NOT NULL DEFAULT 1,
  at timestamptz NOT NULL DEFAULT assay_now(),
  PRIMARY KEY (scope, key)
);
CREATE INDEX idempotency_age ON idempotency (at);
GRANT SELECT, INSERT, UPDATE, DELETE ON idempotency TO assay_app;

-- Who did what. Each row carries the hash of the one before, so that a changed or missing row shows.
CREATE TABLE audit_log (
  id bigint PRIMARY KEY,
  at timestamptz NOT NULL,
  actor text COLLATE "C" NOT NULL CHECK (length(actor) BETWEEN 1 AND 200),
  action text COLLATE "C" NOT NULL CHECK (length(action) BETWEEN 1 AND 100),
  ref text COLLATE "C" NOT NULL CHECK (length(ref) <= 200),
  data jsonb NOT NULL,
  previous_hash bytea NOT NULL,
  hash bytea NOT NULL
);
CREATE INDEX audit_log_ref ON audit_log (ref, id);

CREATE FUNCTION audit_hash(line audit_log) RETURNS bytea LANGUAGE sql IMMUTABLE
  SET search_path = pg_catalog, public, pg_temp
  RETURN sha256(line.previous_hash || convert_to(jsonb_build_array(line.id, (extract(epoch FROM line.at) * 1000000)::bigint,
    line.actor, line.action, line.ref, line.data)::text, 'UTF8'));

-- Writers queue here until commit, so that the chain has no gap and no fork: append to it last in a transaction.
CREATE FUNCTION audit_chain() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE last record;
BEGIN
  PERFORM pg_advisory_xact_lock(1635083369, 1);
  SELECT id, hash INTO last FROM audit_log ORDER BY id DESC LIMIT 1;
  NEW.id := coalesce(last.id, 0) + 1;
  NEW.at := assay_now();
  NEW.previous_hash := coalesce(last.hash, sha256(''));
  NEW.hash := audit_hash(NEW);
  RETURN NEW;
END$$;
CREATE TRIGGER audit_chain BEFORE INSERT ON audit_log FOR EACH ROW EXECUTE FUNCTION audit_chain();
CREATE TRIGGER audit_is_kept BEFORE UPDATE OR DELETE ON audit_log FOR EACH ROW EXECUTE FUNCTION forbid();
CREATE TRIGGER audit_is_not_emptied BEFORE TRUNCATE ON audit_log EXECUTE FUNCTION forbid();
GRANT SELECT, INSERT (actor, action, ref, data) ON audit_log TO assay_app;

-- How far a follower has read; locked while it works.
CREATE TABLE checkpoint (
  name text COLLATE "C" PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 100),
  position bigint NOT NULL DEFAULT 0,
  moved_at timestamptz NOT NULL DEFAULT assay_now()
);
GRANT SELECT, INSERT, UPDATE ON checkpoint TO assay_app;

-- What changed, for live views. Positions are handed out before commit, so a lower one may become visible after a
-- higher one; readers go by (xid, position) and stop below the oldest transaction still running (see change-feed.ts).
CREATE TABLE change_feed (
  position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  job_id text COLLATE "C",
  account_id text COLLATE "C",
  kind text COLLATE "C" NOT NULL CHECK (length(kind) BETWEEN 1 AND 100),
  data jsonb NOT NULL DEFAULT '{}',
  at timestamptz NOT NULL DEFAULT assay_now()
);
CREATE INDEX change_feed_order ON change_feed (xid, position);
CREATE INDEX change_feed_job ON change_feed (job_id, xid, position) WHERE job_id IS NOT NULL;
CREATE INDEX change_feed_at ON change_feed (at);
GRANT SELECT, DELETE ON change_feed TO assay_app;
GRANT INSERT (job_id, account_id, kind, data) ON change_feed TO assay_app;

-- Wakes whoever waits; sent at commit, once per transaction and payload.
CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$BEGIN
  PERFORM pg_notify(TG_TABLE_NAME, '');
  RETURN NULL;
END$$;
CREATE TRIGGER outbox_tells AFTER INSERT ON outbox FOR EACH STATEMENT EXECUTE FUNCTION tell();
CREATE TRIGGER inbox_tells AFTER INSERT ON inbox FOR EACH STATEMENT EXECUTE FUNCTION tell();
CREATE TRIGGER change_feed_tells AFTER INSERT ON change_feed FOR EACH STATEMENT EXECUTE FUNCTION tell();
