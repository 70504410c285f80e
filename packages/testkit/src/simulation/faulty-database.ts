/** A server's connections: every transaction waits its turn, and may be lost or end the server on either side of its commit. */

import type { Database } from '@assay/store';
import { connectionLost } from './crash.ts';
import type { Faults } from './faults.ts';
import type { Turnstile } from './turnstile.ts';

/** What the decorators know of the server around them. */
export interface Host {
  readonly name: string;
  /** Throws `Crash` when the server is dead. */
  checkAlive(): void;
  /** Ends the server and throws `Crash`. */
  die(): never;
}

export interface FaultyDeps {
  readonly host: Host;
  readonly turnstile: Turnstile;
  readonly faults: Faults;
}

/** `db` as one server reaches it; `part` names the use in the log, and the ledger's may be down. */
export function faultyDatabase(deps: FaultyDeps, db: Database, part: 'books' | 'ledger'): Database {
  const { host, turnstile, faults } = deps;
  const pass = <T>(label: string, call: (beforeCommit: () => void) => Promise<T>): Promise<T> => {
    host.checkAlive();
    return turnstile.pass(host.name, `${part} ${label}`, async () => {
      host.checkAlive();
      if (part === 'ledger' && faults.ledgerIsDown) throw connectionLost();
      const fate = faults.ofTransaction();
      const result = await call(() => {
        if (fate === 'crash_before') host.die();
        if (fate === 'lost_before') throw connectionLost();
      });
      if (fate === 'crash_after') host.die();
      if (fate === 'lost_after') throw connectionLost();
      return result;
    });
  };
  return {
    query: (sql, values) =>
      pass('query', (before) => {
        before();
        return db.query(sql, values);
      }),
    transaction: (run) =>
      pass('transaction', (before) =>
        db.transaction(async (tx) => {
          const result = await run(tx);
          before();
          return result;
        }),
      ),
    // Steps are taken by the simulation alone; news between servers would come at times of its own.
    listen: async () => ({ close: async () => undefined }),
    close: async () => undefined,
  };
}
