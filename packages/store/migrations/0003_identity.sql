-- Who people, programs and devices are. Secrets are kept as hashes only.

CREATE TABLE account (
  id text COLLATE "C" PRIMARY KEY,
  -- Lower case; the same address signs in however it is typed.
  email text COLLATE "C" NOT NULL UNIQUE CHECK (email = lower(email) AND length(email) BETWEEN 3 AND 254),
  password_hash text,
  region text NOT NULL CHECK (region IN ('ru', 'eu', 'us', 'cn')),
  roles text[] NOT NULL CHECK (roles <@ ARRAY['customer', 'provider', 'operator', 'arbiter', 'auditor'] AND roles <> '{}'),
  created_at timestamptz NOT NULL DEFAULT assay_now(),
  -- Since when and why the account may not order or pay any more.
  banned_at timestamptz,
  ban_reason text,
  CHECK ((banned_at IS NULL) = (ban_reason IS NULL))
);
CREATE INDEX account_banned ON account (id) WHERE banned_at IS NOT NULL;
GRANT SELECT, INSERT (id, email, password_hash, region, roles),
  UPDATE (password_hash, roles, banned_at, ban_reason) ON account TO assay_app;

CREATE TABLE session (
  id text COLLATE "C" PRIMARY KEY,
  account_id text COLLATE "C" NOT NULL REFERENCES account,
  token_hash text COLLATE "C" NOT NULL UNIQUE CHECK (token_hash ~ '^[0-9a-f]{64}$'),
  -- What signed in, as `Firefox on Linux`.
  client text NOT NULL CHECK (length(client) BETWEEN 1 AND 100),
  created_at timestamptz NOT NULL DEFAULT assay_now(),
  last_used_at timestamptz NOT NULL DEFAULT assay_now(),
  expires_at timestamptz NOT NULL
);
CREATE INDEX session_account ON session (account_id);
CREATE INDEX session_expiry ON session (expires_at);
GRANT SELECT, DELETE, INSERT (id, account_id, token_hash, client, expires_at), UPDATE (last_used_at) ON session TO assay_app;

-- A sign-in link, good once.
CREATE TABLE sign_in_ticket (
  token_hash text COLLATE "C" PRIMARY KEY CHECK (token_hash ~ '^[0-9a-f]{64}$'),
  account_id text COLLATE "C" NOT NULL REFERENCES account,
  expires_at timestamptz NOT NULL
);
GRANT SELECT, INSERT, DELETE ON sign_in_ticket TO assay_app;

CREATE TABLE api_key (
  id text COLLATE "C" PRIMARY KEY,
  account_id text COLLATE "C" NOT NULL REFERENCES account,
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
  key_hash text COLLATE "C" NOT NULL UNIQUE CHECK (key_hash ~ '^[0-9a-f]{64}$'),
  scopes text[] NOT NULL,
  created_at timestamptz NOT NULL DEFAULT assay_now(),
  last_used_at timestamptz
);
CREATE INDEX api_key_account ON api_key (account_id, id);
GRANT SELECT, DELETE, INSERT (id, account_id, name, key_hash, scopes), UPDATE (last_used_at) ON api_key TO assay_app;

CREATE TABLE worker (
  id text COLLATE "C" PRIMARY KEY,
  owner_id text COLLATE "C" NOT NULL REFERENCES account,
  -- ed25519, as hex.
  public_key text COLLATE "C" NOT NULL UNIQUE CHECK (public_key ~ '^[0-9a-f]{64}$'),
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
  -- What the device said about itself when it registered.
  machine jsonb NOT NULL CHECK (jsonb_typeof(machine) = 'object'),
  region text NOT NULL CHECK (region IN ('ru', 'eu', 'us', 'cn')),
  hub text COLLATE "C",
  -- The block (/24 or /48) from which it was last heard; null for loopback and private addresses.
  network_block text COLLATE "C",
  agreed bigint NOT NULL DEFAULT 0 CHECK (agreed >= 0),
  disagreed bigint NOT NULL DEFAULT 0 CHECK (disagreed >= 0),
  lost bigint NOT NULL DEFAULT 0 CHECK (lost >= 0),
  banned_at timestamptz,
  ban_reason text,
  registered_at timestamptz NOT NULL DEFAULT assay_now(),
  last_seen_at timestamptz,
  -- Since when its owner has it no more; the row stays for what it did, and its key is spent.
  removed_at timestamptz,
  CHECK ((banned_at IS NULL) = (ban_reason IS NULL))
);
CREATE INDEX worker_owner ON worker (owner_id, id);
GRANT SELECT, INSERT (id, owner_id, public_key, name, machine, region, hub, network_block),
  UPDATE (name, machine, hub, network_block, agreed, disagreed, lost, banned_at, ban_reason, last_seen_at, removed_at)
  ON worker TO assay_app;

-- Where a provider is paid: an account at the region's payment provider, one in use per account and region. Another
-- destination is another row, so that a payout that comes back late still finds where it went.
CREATE TABLE payout_account (
  id text COLLATE "C" PRIMARY KEY,
  account_id text COLLATE "C" NOT NULL REFERENCES account,
  region text NOT NULL CHECK (region IN ('ru', 'eu', 'us', 'cn')),
  destination text COLLATE "C" NOT NULL CHECK (length(destination) BETWEEN 1 AND 300),
  created_at timestamptz NOT NULL DEFAULT assay_now(),
  disabled_at timestamptz,
  disabled_reason text,
  CHECK ((disabled_at IS NULL) = (disabled_reason IS NULL))
);
CREATE UNIQUE INDEX payout_account_used ON payout_account (account_id, region) WHERE disabled_at IS NULL;
CREATE INDEX payout_account_destination ON payout_account (destination);
GRANT SELECT, INSERT (id, account_id, region, destination), UPDATE (disabled_at, disabled_reason)
  ON payout_account TO assay_app;
