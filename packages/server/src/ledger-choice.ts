/** The ledger: the embedded engine in our own database, or a Fabric network. */

import { join } from 'node:path';
import type { Clock, Ledger } from '@assay/core';
import { loadLedgerKey, openEmbeddedLedger, openFabricLedger } from '@assay/ledger';
import type { Database } from '@assay/store';
import type { FastifyBaseLogger } from 'fastify';
import type { Config } from './config.ts';

export interface LedgerParts {
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Pick<FastifyBaseLogger, 'warn'>;
}

/** Opens the configured ledger; what must be closed again is added to `undo`. */
export async function openConfiguredLedger(
  config: Pick<Config, 'ledger' | 'ledgerKey' | 'stateFolder' | 'fabricProfile' | 'fabricChannel'>,
  { db, clock, log }: LedgerParts,
  undo: (() => Promise<unknown>)[],
): Promise<Ledger> {
  const key = await loadLedgerKey(config.ledgerKey ?? join(config.stateFolder, 'keys', 'ledger'));
  if (config.ledger === 'embedded') return openEmbeddedLedger({ db, key });
  const ledger = await openFabricLedger({
    db,
    key,
    profile: config.fabricProfile ?? join(config.stateFolder, 'fabric', 'connection.json'),
    channel: config.fabricChannel,
    clock,
    onProblem: (err) => log.warn({ err }, 'the blocks of the Fabric network do not come; trying again'),
  });
  undo.push(() => ledger.close());
  return ledger;
}
