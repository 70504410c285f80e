/** Applies the SQL files of `migrations/` in order, each once; what was applied may not change afterwards. */

import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { limits, refuse } from '@assay/core';
import { Client } from 'pg';
import { translateSqlError } from './sql-errors.ts';

/** One migration: the file's name orders it. */
export interface Migration {
  readonly name: string;
  readonly sql: string;
  readonly sha256: string;
}

const folder = new URL('../migrations/', import.meta.url);

/** All sessions that migrate one database queue on this advisory lock. */
const migrationLock = 0x6173_7361;

/** The migrations of a folder in order. */
export async function readMigrations(from: URL = folder): Promise<Migration[]> {
  const names = (await readdir(from)).filter((name) => /^\d{4}_[a-z0-9_]+\.sql$/.test(name)).toSorted();
  return Promise.all(
    names.map(async (name) => {
      const sql = await readFile(new URL(name, from), 'utf8');
      return { name, sql, sha256: createHash('sha256').update(sql).digest('hex') };
    }),
  );
}

/**
 * Brings the database up to date as the role of `connectionString`, which becomes the owner, each file in a transaction
 * of its own. Refuses `store.version_mismatch` when an applied file was changed or is missing here, that is, when the
 * database was made by other code.
 */
export async function migrate(connectionString: string, migrations?: readonly Migration[]): Promise<void> {
  const wanted = migrations ?? (await readMigrations());
  const client = new Client({
    connectionString,
    application_name: 'assay migrate',
    connectionTimeoutMillis: limits.databaseConnectMs,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('SELECT pg_advisory_lock($1)', [migrationLock]);
    await client.query(
      `CREATE TABLE IF NOT EXISTS migration (name text COLLATE "C" PRIMARY KEY, sha256 text NOT NULL,
         applied_at timestamptz NOT NULL DEFAULT clock_timestamp())`,
    );
    const applied = await client.query<{ name: string; sha256: string }>('SELECT name, sha256 FROM migration');
    checkApplied(wanted, new Map(applied.rows.map((row) => [row.name, row.sha256])));
    const done = new Set(applied.rows.map((row) => row.name));
    for (const migration of wanted) if (!done.has(migration.name)) await apply(client, migration);
  } catch (error) {
    throw translateSqlError(error);
  } finally {
    await client.end().catch(() => undefined);
  }
}

function checkApplied(wanted: readonly Migration[], applied: ReadonlyMap<string, string>): void {
  const known = new Map(wanted.map((migration) => [migration.name, migration.sha256]));
  for (const [name, sha256] of applied) {
    if (known.get(name) === sha256) continue;
    const what = known.has(name) ? 'was changed after it was applied' : 'was applied but is not known here';
    throw refuse(
      'store.version_mismatch',
      `migration ${name} ${what}: run the version that made this data, or start with other data (a demo: --fresh)`,
      { migration: name },
    );
  }
}

async function apply(client: Client, migration: Migration): Promise<void> {
  await client.query('BEGIN');
  try {
    await client.query(migration.sql);
    await client.query('INSERT INTO migration (name, sha256) VALUES ($1, $2)', [migration.name, migration.sha256]);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw new Error(`migration ${migration.name}: ${(error as Error).message}`, { cause: error });
  }
}
