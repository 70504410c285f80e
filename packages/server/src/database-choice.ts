/** The database: the one that is named, or an embedded server of our own. */

import { join } from 'node:path';
import { migrate, openDatabase, databaseName, roles, startEmbeddedPostgres, type Database } from '@assay/store';
import type { FastifyBaseLogger } from 'fastify';
import type { Config } from './config.ts';

/** Opens the configured database, migrated; what must be closed again is added to `undo`. */
export async function openConfiguredDatabase(
  config: Pick<Config, 'databaseUrl' | 'databaseOwnerUrl' | 'databaseConnections' | 'stateFolder'>,
  log: Pick<FastifyBaseLogger, 'info'>,
  undo: (() => Promise<unknown>)[],
): Promise<Database> {
  const connectionString = config.databaseUrl ?? (await startEmbedded(config.stateFolder, log, undo));
  if (config.databaseOwnerUrl !== undefined) await migrate(config.databaseOwnerUrl);
  const db = openDatabase({ connectionString, maxConnections: config.databaseConnections });
  undo.push(() => db.close());
  return db;
}

async function startEmbedded(
  stateFolder: string,
  log: Pick<FastifyBaseLogger, 'info'>,
  undo: (() => Promise<unknown>)[],
): Promise<string> {
  const dataDir = join(stateFolder, 'postgres');
  const postgres = await startEmbeddedPostgres({ dataDir, log: (line) => log.info({ postgres: line }, 'database') });
  undo.push(() => postgres.stop());
  await migrate(postgres.connectionString(roles.owner, databaseName));
  return postgres.connectionString(roles.app, databaseName);
}
