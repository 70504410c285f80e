/** The roles and the database that the embedded server offers; elsewhere an operator makes them. */

import { Client } from 'pg';
import type { PasswordOf } from './embedded-secret.ts';
import { translateSqlError } from './sql-errors.ts';

/** The role that owns the tables and runs migrations, and the one that programs log in as. */
export const roles = { owner: 'assay_owner', app: 'assay_app' } as const;

/** The database of a market. */
export const databaseName = 'assay';

/** Makes what is missing; safe to repeat after a start that was killed half-way. */
export async function ensureRoles(connectionString: string, passwordOf: PasswordOf): Promise<void> {
  const client = new Client({ connectionString });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ name: string }>('SELECT rolname AS name FROM pg_roles');
    const found = new Set(rows.map((row) => row.name));
    for (const role of Object.values(roles)) {
      if (!found.has(role)) await client.query(`CREATE ROLE ${role} LOGIN PASSWORD '${passwordOf(role)}'`);
    }
    const databases = await client.query('SELECT FROM pg_database WHERE datname = $1', [databaseName]);
    if (databases.rowCount === 0) await client.query(`CREATE DATABASE ${databaseName} OWNER ${roles.owner}`);
  } catch (error) {
    throw translateSqlError(error);
  } finally {
    await client.end().catch(() => undefined);
  }
}
