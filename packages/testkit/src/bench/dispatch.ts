/** `bench dispatch`: no-op units from claim to payment over real HTTP, with everything that they cost. */

import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { databaseName, migrate, openDatabase, roles, startEmbeddedPostgres } from '@assay/store';
import type { DispatchOptions } from './dispatch-options.ts';
import { medianOf, reportLines, type Summary } from './dispatch-report.ts';
import { measure } from './dispatch-run.ts';
import { machineOf } from './process-figures.ts';
import { statementSettings } from './statement-costs.ts';

/** Runs the benchmark as often as asked and prints what it found; throws when a gate does not hold. */
export async function runDispatch(options: DispatchOptions, print: (line: string) => void): Promise<void> {
  const runs: Summary[] = [];
  let postgresVersion = '';
  for (let run = 0; run < options.runs; run += 1) {
    const { summary, version } = await runOnce(options, options.json ? () => undefined : print);
    runs.push(summary);
    postgresVersion = version;
    if (!options.json && options.runs > 1) print(`run ${run + 1}: ${summary.settledPerSecond} settled units/s`);
  }
  const machine = machineOf(postgresVersion);
  const median = medianOf(runs);
  if (options.json) print(JSON.stringify({ machine, options, median, runs }, undefined, 2));
  else for (const line of reportLines(options, machine, median)) print(line);
}

async function runOnce(
  options: DispatchOptions,
  print: (line: string) => void,
): Promise<{ readonly summary: Summary; readonly version: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'assay-bench-'));
  const children: ChildProcess[] = [];
  const settings = options.statements ? statementSettings : {};
  const postgres = await startEmbeddedPostgres({ dataDir: join(folder, 'postgres'), settings, log: () => undefined });
  try {
    await migrate(postgres.connectionString(roles.owner, databaseName));
    const db = openDatabase({
      connectionString: postgres.connectionString(roles.owner, databaseName),
      maxConnections: 2,
    });
    try {
      const app = postgres.connectionString(roles.app, databaseName);
      const admin = postgres.connectionString('postgres', databaseName);
      const [row] = await db.query<{ version: string }>(`SELECT current_setting('server_version') AS version`);
      const summary = await measure({ options, db, app, admin, folder, databasePid: postgres.pid, children, print });
      return { summary, version: row?.version ?? 'unknown' };
    } finally {
      await db.close();
    }
  } finally {
    for (const one of children) one.kill();
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  }
}
