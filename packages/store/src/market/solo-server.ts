/**
 * Whether this server is the only one that changes units. Every transaction of the exchange holds a shared lock and reads
 * the one row of work_solo; while it names this server, no other has changed a unit since it was written. A server that
 * finds another's name takes it away, which waits for that one's transactions; from then on both read everything anew.
 * After a while without company a server writes its own name.
 */

import { randomUUID } from 'node:crypto';
import { limits } from '@assay/core';
import type { Database, Tx } from '../database.ts';

export interface SoloServer {
  /**
   * Called at the start of a transaction: whether rows that this server remembers are as good as read ones; undefined
   * when another server counts on being alone, and then `takeAway` comes first.
   */
  enter(tx: Tx): Promise<boolean | undefined>;
  takeAway(): Promise<void>;
  /** Names this server when it seems to be alone and does not count on it yet. */
  claim(): Promise<void>;
}

const lockKey = 1_635_083_370;

// The plans of the exchange are made once, while tables are small, and kept when they have grown; every statement has its
// index.
const share = {
  name: 'work.solo_share',
  text: `SELECT pg_advisory_xact_lock_shared(${lockKey}), set_config('enable_seqscan', 'off', true),
    set_config('plan_cache_mode', 'force_generic_plan', true)`,
};
// A statement of its own: what it sees was committed before the lock was granted.
const read = { name: 'work.solo_read', text: 'SELECT server FROM work_solo' };

/** The standing of a server. */
export function soloServer(db: Database): SoloServer {
  // A name that no other process and no earlier life of this one has used.
  const me = randomUUID();
  let isNamed = false;
  // Counted in transactions: a server that has few of them gains nothing by being alone.
  let pause = 0;
  const setName = async (name: string | null): Promise<void> => {
    isNamed = false;
    await db.transaction(async (tx) => {
      await tx.query(`SELECT pg_advisory_xact_lock(${lockKey})`);
      await tx.query('UPDATE work_solo SET server = $1', [name]);
    });
  };
  return {
    async enter(tx) {
      const [, rows] = await Promise.all([tx.query(share), tx.query<{ server: string | null }>(read)]);
      const server = rows[0]?.server ?? null;
      isNamed = server === me;
      if (server !== null && !isNamed) return undefined;
      return isNamed;
    },
    async takeAway() {
      pause = limits.soloPause;
      await setName(null);
    },
    async claim() {
      if (isNamed || pause > 0) {
        pause -= 1;
        return;
      }
      pause = limits.soloPause;
      await setName(me);
    },
  };
}
