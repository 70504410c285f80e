/** Looking at a market's data without being its server: for `assay ledger verify` and `assay doctor`. */

import { join } from 'node:path';
import { refuse, Refusal } from '@assay/core';
import { loadLedgerKey, verifyFabricLedger, verifyLedger, type LedgerReport } from '@assay/ledger';
import { databaseName, openDatabase, roles, runningPostgres, startEmbeddedPostgres, type Database } from '@assay/store';
import { access } from 'node:fs/promises';
import type { Config } from './config.ts';
import { systemClock } from './system-clock.ts';

export interface LedgerInspection extends LedgerReport {
  /** The key that the chain was held against. */
  readonly publicKey: string;
}

/**
 * Replays the ledger from its first block, for Fabric from a peer's. Runs beside a server or without one; refuses `store.unavailable` where the
 * configured place holds no market.
 */
export async function inspectLedger(
  config: Pick<Config, 'databaseUrl' | 'stateFolder' | 'ledgerKey' | 'fabricProfile' | 'fabricChannel'>,
  execute: boolean,
): Promise<LedgerInspection> {
  return withDatabase(config, async (db) => {
    const key = await loadLedgerKey(config.ledgerKey ?? join(config.stateFolder, 'keys', 'ledger'));
    const report = (await mirrorsFabric(db))
      ? await verifyFabricLedger({
          db,
          key,
          profile: config.fabricProfile ?? join(config.stateFolder, 'fabric', 'connection.json'),
          channel: config.fabricChannel,
          clock: systemClock,
        })
      : await verifyLedger(db, { publicKey: key.publicKey, execute });
    return { ...report, publicKey: key.publicKey };
  });
}

/** The chain itself says which engine made it. */
async function mirrorsFabric(db: Database): Promise<boolean> {
  const [row] = await db.query<{ header: string }>('SELECT header FROM ledger_block WHERE number = 0');
  return row !== undefined && 'ordered' in (JSON.parse(row.header) as object);
}

async function withDatabase<T>(
  config: Pick<Config, 'databaseUrl' | 'stateFolder'>,
  look: (db: Database) => Promise<T>,
): Promise<T> {
  if (config.databaseUrl !== undefined) return lookAt(config.databaseUrl, look);
  const dataDir = join(config.stateFolder, 'postgres');
  await access(join(dataDir, 'pgdata')).catch(() => {
    throw refuse(
      'store.unavailable',
      `there is no market in ${config.stateFolder}; name one with --state or DATABASE_URL`,
    );
  });
  try {
    const postgres = await startEmbeddedPostgres({ dataDir, log: () => undefined });
    try {
      return await lookAt(postgres.connectionString(roles.app, databaseName), look);
    } finally {
      await postgres.stop();
    }
  } catch (error) {
    // A server is using it: look through its own door.
    const connect = await runningPostgres(dataDir);
    if (!(error instanceof Refusal) || error.code !== 'store.locked' || !connect) throw error;
    return lookAt(connect(roles.app, databaseName), look);
  }
}

async function lookAt<T>(connectionString: string, look: (db: Database) => Promise<T>): Promise<T> {
  const db = openDatabase({ connectionString, maxConnections: 2 });
  try {
    return await look(db);
  } finally {
    await db.close();
  }
}
