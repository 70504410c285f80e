/** Followers: read facts in order, each batch in one transaction with what they do about it. */

import { limits, type Fact } from '@assay/core';
import type { Database, Tx } from '@assay/store';
import { selectFacts } from './ledger-rows.ts';

export interface FactFollower {
  /** Works off whatever is there; resolves with the number of facts handled. */
  catchUp(): Promise<number>;
  /** Waits for the batch at work and stops. */
  close(): Promise<void>;
}

export interface FollowOptions {
  readonly db: Database;
  /** The checkpoint's name: one per purpose, shared by all servers. */
  readonly name: string;
  /** Runs in the transaction that moves the checkpoint, so its effects happen once. */
  readonly handle: (tx: Tx, facts: readonly Fact[]) => Promise<void>;
  /** Told when a batch failed; it is tried again after `limits.ledgerFollowMs`. */
  readonly onError: (error: unknown) => void;
}

/** Follows until closed: woken by notifications, and by a timer should one be lost. */
export async function followFacts(options: FollowOptions): Promise<FactFollower> {
  const { db } = options;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<number> = Promise.resolve(0);
  const catchUp = (): Promise<number> => {
    running = running.catch(() => 0).then(() => drain(options, () => closed));
    return running;
  };
  const wake = (): void => {
    clearTimeout(timer);
    if (closed) return;
    catchUp().catch(options.onError);
    timer = setTimeout(wake, limits.ledgerFollowMs);
  };
  const subscription = await db.listen('ledger_fact', wake);
  wake();
  return {
    catchUp,
    async close() {
      closed = true;
      clearTimeout(timer);
      await subscription.close();
      await running.catch(() => 0);
    },
  };
}

async function drain(options: FollowOptions, isClosed: () => boolean): Promise<number> {
  for (let handled = 0; ;) {
    const count = isClosed() ? 0 : await followOnce(options);
    if (count === 0) return handled;
    handled += count;
  }
}

/** One batch: the checkpoint's lock makes one server at a time work on a name. */
export function followOnce({ db, name, handle }: Omit<FollowOptions, 'onError'>): Promise<number> {
  return db.transaction(async (tx) => {
    await tx.query('INSERT INTO checkpoint (name) VALUES ($1) ON CONFLICT (name) DO NOTHING', [name]);
    const [row] = await tx.query<{ position: bigint }>('SELECT position FROM checkpoint WHERE name = $1 FOR UPDATE', [
      name,
    ]);
    const position = row?.position ?? 0n;
    const facts = await selectFacts(tx, 'position > $1 ORDER BY position LIMIT $2', [position, limits.ledgerFactBatch]);
    const last = facts.at(-1);
    if (last === undefined) return 0;
    await handle(tx, facts);
    await tx.query('UPDATE checkpoint SET position = $2, moved_at = assay_now() WHERE name = $1', [
      name,
      last.position,
    ]);
    return facts.length;
  });
}
