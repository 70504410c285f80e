/** `main.ts --seed n --seeds k`: simulations beyond those of the tests, or one of them again. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { databaseName, migrate, openDatabase, roles, startEmbeddedPostgres } from '@assay/store';
import { runSimulation, SimulationFailure } from './run-simulation.ts';
import { prepareDatabase } from './simulation-database.ts';
import { readSimulationOptions } from './simulation-options.ts';

const { seed: first, seeds } = readSimulationOptions(process.argv.slice(2));
const folder = await mkdtemp(join(tmpdir(), 'assay-simulation-'));
const settings = { fsync: 'off', full_page_writes: 'off', shared_buffers: '64MB' };
const postgres = await startEmbeddedPostgres({ dataDir: folder, log: () => undefined, settings });
try {
  await migrate(postgres.connectionString(roles.owner, databaseName));
  const db = openDatabase({ connectionString: postgres.connectionString(roles.app, databaseName), maxConnections: 2 });
  const database = await prepareDatabase(db, postgres.connectionString('postgres', databaseName));
  for (let seed = first; seed < first + seeds; seed += 1) {
    await database.reset();
    const report = await runSimulation(database, { seed }).catch((error: unknown) => {
      if (!(error instanceof SimulationFailure)) throw error;
      process.exitCode = 1;
      return error;
    });
    const line = report instanceof Error ? report.message : `seed ${seed}: ${JSON.stringify(report)}`;
    process.stdout.write(`${line}\n`);
  }
  await Promise.all([database.close(), db.close()]);
} finally {
  await postgres.stop();
  await rm(folder, { recursive: true, force: true });
}
