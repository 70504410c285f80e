/** The one way to PostgreSQL: queries, transactions that retry lost races, and notifications that survive reconnects. */

import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { assert, limits } from '@assay/core';
import { Pool, type PoolClient, type QueryResultRow, TypeOverrides, types } from 'pg';
import { openListener } from './listener.ts';
import { isAbortedTransaction, isConnectionLoss, isSerializationConflict, translateSqlError } from './sql-errors.ts';

/** A statement: plain text is parsed each time, a named one is prepared once per connection. */
export type Sql = string | { readonly name: string; readonly text: string };

declare module 'pg' {
  interface ClientConfig {
    /** Not in the types of the driver yet. */
    pipeline?: boolean;
  }
}

/** Where statements run. `bigint` columns arrive as bigint, `timestamptz` as Date, `numeric` as string. */
export interface Tx {
  /**
   * The rows of one statement; throws the refusals and faults of `translateSqlError`. Statements of one transaction that
   * are not awaited one by one travel together and run in the order in which they were sent. The last ones may travel
   * with the commit, which fails where one of them does.
   */
  query<Row>(sql: Sql, values?: readonly unknown[]): Promise<Row[]>;
}

/** A pool of connections; a query outside a transaction commits by itself. */
export interface Database extends Tx {
  /**
   * Runs `run` in one transaction and commits it; rolls back when it throws. A lost race (40001, 40P01) runs again, so
   * `run` must have no effects of its own. A Fault `store.unavailable` while committing leaves the outcome open: repeat
   * under the same key.
   */
  transaction<T>(run: (tx: Tx) => Promise<T>): Promise<T>;
  /**
   * Calls `onNotify` with each payload on `channel`, and with an empty payload after a reconnect, when notifications
   * may have been missed and the listener must read what it waits for.
   */
  listen(channel: string, onNotify: (payload: string) => void): Promise<{ close(): Promise<void> }>;
  /** Waits for running statements and closes every connection. */
  close(): Promise<void>;
}

/** Where the server is and how many connections the pool may hold. */
export interface DatabaseOptions {
  readonly connectionString: string;
  readonly maxConnections?: number;
}

const parsers = new TypeOverrides();
parsers.setTypeParser(types.builtins.INT8, BigInt);
// The type of bigint[], which the driver's table of names lacks.
parsers.setTypeParser(1016, parseBigintArray);

/** Opens a pool; connections are made when they are first needed. */
export function openDatabase(options: DatabaseOptions): Database {
  const pool = new Pool({
    connectionString: options.connectionString,
    max: options.maxConnections ?? limits.databaseConnections,
    connectionTimeoutMillis: limits.databaseConnectMs,
    idleTimeoutMillis: limits.databaseIdleMs,
    statement_timeout: limits.databaseStatementMs,
    idle_in_transaction_session_timeout: limits.databaseStatementMs,
    application_name: 'assay',
    types: parsers,
    pipeline: true,
  });
  // An idle connection that breaks is replaced at the next query, which reports the failure if it lasts.
  pool.on('error', ignore);
  const listener = openListener(options.connectionString);
  return {
    query: (sql, values) => runStatement(pool, sql, values),
    transaction: (run) => runTransaction(pool, run),
    listen: (channel, onNotify) => listener.listen(channel, onNotify),
    async close() {
      await listener.close();
      await pool.end();
    },
  };
}

async function runStatement<Row>(on: Pool | PoolClient, sql: Sql, values: readonly unknown[] = []): Promise<Row[]> {
  try {
    const text = typeof sql === 'string' ? { text: sql } : sql;
    const result = await on.query<QueryResultRow>({ ...text, values: values as unknown[] });
    return result.rows as Row[];
  } catch (error) {
    throw translateSqlError(error);
  }
}

async function runTransaction<T>(pool: Pool, run: (tx: Tx) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await tryTransaction(pool, run);
    } catch (error) {
      if (!isSerializationConflict(error) || attempt > limits.transactionRetries) throw error;
      await sleep(randomInt(2 ** attempt * limits.transactionRetryMs));
    }
  }
}

async function tryTransaction<T>(pool: Pool, run: (tx: Tx) => Promise<T>): Promise<T> {
  const client = await connect(pool);
  // Without a listener a connection that breaks between two statements would end the process.
  client.on('error', ignore);
  let broken = false;
  let open = true;
  // Statements travel together: those behind a failed one only say that the transaction is aborted, and one of them may
  // be looked at first. What counts is the first failure.
  let first: unknown;
  let late: unknown;
  const sent: Promise<unknown>[] = [];
  const tx: Tx = {
    async query<Row>(sql: Sql, values?: readonly unknown[]) {
      assert(open, 'a statement after the end of its transaction');
      gather(client);
      const answer = runStatement<Row>(client, sql, values).catch((error: unknown) => {
        first ??= error;
        if (!open) late ??= error;
        throw error;
      });
      sent.push(answer);
      return answer;
    },
  };
  try {
    // Not awaited: the first statement travels with it. Its failure is that of the connection, which shows next.
    gather(client);
    client.query('BEGIN').catch(ignore);
    const result = await run(tx);
    open = false;
    gather(client);
    const { command } = await client.query('COMMIT');
    // Answers that came in one read are heard of in no sure order.
    if (command !== 'COMMIT') await Promise.allSettled(sent);
    if (command !== 'COMMIT' && late !== undefined) throw late;
    assert(command === 'COMMIT', 'a transaction whose statement failed must not go on');
    return result;
  } catch (error) {
    open = false;
    broken = await rollBack(client);
    throw translateSqlError(isAbortedTransaction(error) ? (first ?? error) : error);
  } finally {
    client.off('error', ignore);
    client.release(broken);
  }
}

/** Has all statements of this turn of the event loop leave in one write, instead of waking the server for each. */
function gather({ connection: { stream } }: PoolClient): void {
  if (stream.writableCorked > 0) return;
  stream.cork();
  process.nextTick(() => stream.uncork());
}

async function connect(pool: Pool): Promise<PoolClient> {
  try {
    return await pool.connect();
  } catch (error) {
    if (isConnectionLoss(error)) throw translateSqlError(error);
    throw error;
  }
}

/** Ends the transaction; true when the connection is beyond use. */
async function rollBack(client: PoolClient): Promise<boolean> {
  try {
    await client.query('ROLLBACK');
    return false;
  } catch {
    return true;
  }
}

function parseBigintArray(text: string): bigint[] {
  return text === '{}' ? [] : text.slice(1, -1).split(',').map(BigInt);
}

function ignore(): void {
  // What broke shows at the next statement.
}
