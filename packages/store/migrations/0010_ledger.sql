-- The embedded ledger. What is hashed, and by what rule, says ports/ledger.ts of the core; every other column is
-- derived from a block's header and its transactions, and checked against them by `assay ledger verify`.
-- Keys and values are the UTF-8 of text: bytea, because composite keys hold zero bytes and Fabric orders keys by bytes.

CREATE TABLE ledger_block (
  number bigint PRIMARY KEY,
  -- Canonical JSON.
  header text NOT NULL,
  hash text COLLATE "C" NOT NULL UNIQUE,
  -- Root of the tree over all block hashes up to this one, and the signature of the head that it makes.
  chain_root text COLLATE "C" NOT NULL,
  signature text COLLATE "C" NOT NULL
);

CREATE TABLE ledger_tx (
  block bigint NOT NULL,
  tx_index integer NOT NULL,
  tx_id text COLLATE "C" NOT NULL UNIQUE,
  idempotency_key text COLLATE "C" NOT NULL,
  -- Fabric's validation code: 0 valid, 11 and 12 conflicts, which stay in the block without effect.
  code smallint NOT NULL,
  -- Canonical JSON, the leaf of the block's tree.
  transaction text NOT NULL,
  PRIMARY KEY (block, tx_index)
);
-- A key is valid once; conflicts under the same key differ by their block.
CREATE UNIQUE INDEX ledger_tx_key ON ledger_tx (idempotency_key, (CASE WHEN code = 0 THEN -1 ELSE block END));

CREATE TABLE ledger_state (
  key bytea PRIMARY KEY,
  value bytea NOT NULL,
  -- The version: which transaction wrote it.
  block bigint NOT NULL,
  tx_index integer NOT NULL
) WITH (fillfactor = 70);

-- Which valid transactions wrote a key; what they wrote stands in the transaction.
CREATE TABLE ledger_history (
  key bytea NOT NULL,
  block bigint NOT NULL,
  tx_index integer NOT NULL,
  PRIMARY KEY (key, block, tx_index)
);

CREATE TABLE ledger_fact (
  -- Ascends from 1 without gaps.
  position bigint PRIMARY KEY,
  block bigint NOT NULL,
  tx_index integer NOT NULL,
  tx_id text COLLATE "C" NOT NULL,
  contract text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  -- Canonical JSON, and the job that it names.
  payload text NOT NULL,
  job text COLLATE "C",
  at_ms bigint NOT NULL
);
CREATE INDEX ledger_fact_job ON ledger_fact (job, position) WHERE job IS NOT NULL;

-- The batched facts that came with a transaction, which holds the Merkle root over them.
CREATE TABLE ledger_leaves (
  block bigint NOT NULL,
  tx_index integer NOT NULL,
  -- JSON: a list of texts.
  leaves text NOT NULL,
  PRIMARY KEY (block, tx_index)
);

-- Complete subtrees of the tree over block hashes.
CREATE TABLE ledger_node (
  level smallint NOT NULL,
  position bigint NOT NULL,
  hash text COLLATE "C" NOT NULL,
  PRIMARY KEY (level, position)
);

-- The certificates that transactions name by the SHA-256 of their PEM.
CREATE TABLE ledger_creator (
  fingerprint text COLLATE "C" PRIMARY KEY,
  msp_id text COLLATE "C" NOT NULL,
  certificate text NOT NULL
);

-- Where the chain ends. Whoever makes a block holds this row's lock.
CREATE TABLE ledger_head (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  next_block bigint NOT NULL DEFAULT 0,
  next_fact bigint NOT NULL DEFAULT 1,
  at_ms bigint NOT NULL DEFAULT 0,
  hash text COLLATE "C" NOT NULL DEFAULT repeat('0', 64),
  -- The roots of the complete subtrees, left to right, joined by commas.
  peaks text COLLATE "C" NOT NULL DEFAULT ''
);
INSERT INTO ledger_head DEFAULT VALUES;

GRANT SELECT, INSERT ON
  ledger_block, ledger_tx, ledger_history, ledger_fact, ledger_leaves, ledger_node, ledger_creator TO assay_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ledger_state TO assay_app;
GRANT SELECT, UPDATE ON ledger_head TO assay_app;
