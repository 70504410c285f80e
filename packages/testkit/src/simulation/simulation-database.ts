/** A migrated database that many simulations use one after the other, each finding it as if it were new. */

import { openDatabase, type Database } from '@assay/store';
import type { Turnstile } from './turnstile.ts';

export interface SimulationDatabase {
  /** As the program's role. */
  readonly db: Database;
  /** As the superuser. */
  readonly admin: Database;
  /** Empties every table and starts every sequence again. */
  reset(): Promise<void>;
  close(): Promise<void>;
}

/** The same database, whose calls the turnstile knows of. */
export function watchedDatabase(database: SimulationDatabase, turnstile: Turnstile): SimulationDatabase {
  const watched = (db: Database): Database => ({
    ...db,
    query: (sql, values) => turnstile.watch(() => db.query(sql, values)),
    transaction: (run) => turnstile.watch(() => db.transaction(run)),
  });
  return { ...database, db: watched(database.db), admin: watched(database.admin) };
}

/** Puts the simulated clock in place of the database's. */
export async function prepareDatabase(db: Database, superuserConnectionString: string): Promise<SimulationDatabase> {
  const admin = openDatabase({ connectionString: superuserConnectionString, maxConnections: 1 });
  await admin.query(`CREATE TABLE public.simulated_time (at timestamptz NOT NULL)`);
  await admin.query(`INSERT INTO public.simulated_time VALUES ('epoch')`);
  await admin.query(`GRANT SELECT ON public.simulated_time TO PUBLIC`);
  await admin.query(
    `CREATE OR REPLACE FUNCTION assay_now() RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE
     AS 'SELECT at FROM public.simulated_time'`,
  );
  const reset = await resetOf(admin);
  return { db, admin, reset, close: () => admin.close() };
}

/**
 * Deleting from small tables is ten times as fast as making them anew. A table that the program may write and that
 * migrations fill gets its first rows back; one that only migrations write is left alone.
 */
async function resetOf(admin: Database): Promise<() => Promise<void>> {
  const tables = await admin.query<{ name: string; writable: boolean }>(
    `SELECT quote_ident(tablename) AS name, has_any_column_privilege('assay_app', tablename, 'INSERT, UPDATE') AS writable
     FROM pg_tables WHERE schemaname = 'public'`,
  );
  const sequences = await admin.query<{ name: string }>(
    `SELECT quote_ident(sequencename) AS name FROM pg_sequences WHERE schemaname = 'public'`,
  );
  await admin.query('CREATE SCHEMA simulation_start');
  const statements = [`SET LOCAL session_replication_role = replica`];
  for (const { name, writable } of tables) {
    const isEmpty = (await admin.query(`SELECT FROM public.${name} LIMIT 1`)).length === 0;
    if (isEmpty || writable) statements.push(`DELETE FROM public.${name}`);
    if (isEmpty || !writable) continue;
    await admin.query(`CREATE TABLE simulation_start.${name} AS TABLE public.${name}`);
    statements.push(`INSERT INTO public.${name} SELECT * FROM simulation_start.${name}`);
  }
  statements.push(...sequences.map(({ name }) => `SELECT setval('public.${name}', 1, false)`));
  return () =>
    admin.transaction(async (tx) => {
      await Promise.all(statements.map((statement) => tx.query(statement)));
    });
}
