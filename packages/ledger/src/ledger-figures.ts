/** How high the chain is and how far a follower lags behind it: figures for those who run servers. */

import type { Tx } from '@assay/store';

export interface LedgerFigures {
  /** The number of the newest block, -1 before the first. */
  readonly block: number;
  /** Facts so far. */
  readonly facts: number;
  /** How long ago the newest block was made. */
  readonly headAgeMs: number;
  /** Facts that the follower has not handled yet, and for how long the oldest of them has waited. */
  readonly waiting: number;
  readonly waitingMs: number;
}

interface Columns {
  readonly block: string;
  readonly facts: string;
  readonly head_age: number;
  readonly waiting: string;
  readonly waiting_ms: number;
}

/** The figures as the tables stand, for the follower whose checkpoint has this name. */
export async function ledgerFigures(tx: Tx, follower: string): Promise<LedgerFigures> {
  const text = `
    WITH at AS (SELECT extract(epoch FROM assay_now()) * 1000 AS ms),
      head AS (SELECT next_block - 1 AS block, next_fact - 1 AS facts, at_ms FROM ledger_head),
      read AS (SELECT coalesce((SELECT position FROM checkpoint WHERE name = $1), 0) AS position)
    SELECT head.block::text, head.facts::text, greatest(0, at.ms - head.at_ms)::float8 AS head_age,
      greatest(0, head.facts - read.position)::text AS waiting,
      coalesce((SELECT greatest(0, at.ms - f.at_ms) FROM ledger_fact f WHERE f.position = read.position + 1), 0)::float8
        AS waiting_ms
    FROM at, head, read`;
  const [row] = await tx.query<Columns>({ name: 'ledger_figures', text }, [follower]);
  return {
    block: Number(row?.block ?? -1),
    facts: Number(row?.facts ?? 0),
    headAgeMs: row?.head_age ?? 0,
    waiting: Number(row?.waiting ?? 0),
    waitingMs: row?.waiting_ms ?? 0,
  };
}
