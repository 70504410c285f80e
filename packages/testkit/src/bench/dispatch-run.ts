/** One run of `bench dispatch`: processes started, warmed up, measured and checked. */

import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemIds } from '@assay/server';
import { openDatabase, type Database } from '@assay/store';
import { answerOf, child } from './child-process.ts';
import { failedGates, jobSizes } from './dispatch-gates.ts';
import type { DispatchOptions } from './dispatch-options.ts';
import { summarise, type Figures, type Summary } from './dispatch-report.ts';
import { seedAccount, seedWorkers } from './dispatch-seed.ts';
import type { FromServer, ToServer } from './dispatch-server.ts';
import type { FromWorkers, ToWorkers } from './dispatch-workers.ts';
import { busyMs, cpuMsOf, cpuMsOfTree } from './process-figures.ts';
import { resetStatements, statementLines } from './statement-costs.ts';

export interface Bench {
  readonly options: DispatchOptions;
  readonly db: Database;
  readonly app: string;
  readonly admin: string;
  readonly folder: string;
  readonly databasePid: number;
  readonly children: ChildProcess[];
  readonly print: (line: string) => void;
}

/** Runs everything once; throws when a gate does not hold. */
export async function measure(bench: Bench): Promise<Summary> {
  const { options, db, children } = bench;
  const server = child(children, 'dispatch-server.ts');
  const workers = child(children, 'dispatch-workers.ts');
  await warmUp(bench, server, workers);
  const admin = options.statements ? openDatabase({ connectionString: bench.admin, maxConnections: 1 }) : undefined;
  if (admin) await resetStatements(admin);
  const before = await figures(bench, server, workers);
  const told = answerOf<FromWorkers>(workers);
  const failing = told.then(() => undefined);
  const jobs = jobSizes(options).length + Math.sign(options.warmUp);
  const startMs = performance.now();
  workers.send({ kind: 'resume' } satisfies ToWorkers);
  await Promise.race([untilAll(db, 'verified', jobs), failing]);
  const verifiedMs = performance.now() - startMs;
  await Promise.race([untilAll(db, 'completed', jobs), failing]);
  const settledMs = performance.now() - startMs;
  const after = await figures(bench, server, workers);
  if (admin) for (const line of await statementLines(admin)) bench.print(line);
  await admin?.close();
  workers.send({ kind: 'stop' } satisfies ToWorkers);
  const done = await told;
  if (done.kind !== 'done') throw new Error(`the workers answered ${done.kind}`);
  const checked = await ask<FromServer, 'checked'>(server, { kind: 'check' }, 'checked');
  server.send({ kind: 'stop' } satisfies ToServer);
  await once(server, 'exit');
  const failed = [...checked.faults, ...(await failedGates(db, options))];
  if (failed.length > 0) throw new Error(`the run does not count:\n${failed.join('\n')}`);
  const { ledgerTransactions } = checked;
  return summarise({ options, before, after, verifiedMs, settledMs, ...done, ledgerTransactions });
}

/** Has one job run to its end, so that code is compiled and plans are made, and buys those that are measured. */
async function warmUp(bench: Bench, server: ChildProcess, workers: ChildProcess): Promise<void> {
  const { options, db, app, folder } = bench;
  const devices = await seedWorkers(db, systemIds, options.workers);
  const customer = await seedAccount(db, systemIds);
  const order = (name: string, jobs: readonly number[]): Promise<unknown> =>
    ask<FromServer, 'ordered'>(
      server,
      { kind: 'order', name, customer, jobs, redundancy: options.redundancy } satisfies ToServer,
      'ordered',
    );
  const start: ToServer = { kind: 'start', connectionString: app, folder };
  const { port } = await ask<FromServer, 'ready'>(server, start, 'ready');
  workers.send({ kind: 'start', port, batch: options.batch, devices } satisfies ToWorkers);
  if (options.warmUp > 0) {
    await order('warm-up', [options.warmUp]);
    await untilAll(db, 'completed', 1);
  }
  await ask<FromWorkers, 'paused'>(workers, { kind: 'pause' } satisfies ToWorkers, 'paused');
  const jobs = jobSizes(options);
  await order('job', jobs);
  await untilAll(db, 'funded', jobs.length + Math.sign(options.warmUp));
  await db.query('VACUUM ANALYZE');
}

async function ask<From extends { readonly kind: string }, Kind extends From['kind']>(
  one: ChildProcess,
  message: ToServer | ToWorkers,
  kind: Kind,
): Promise<Extract<From, { kind: Kind }>> {
  one.send(message);
  const answer = await answerOf<From>(one);
  if (answer.kind !== kind) throw new Error(`a process of the benchmark answered ${answer.kind}`);
  return answer as Extract<From, { kind: Kind }>;
}

async function figures(bench: Bench, server: ChildProcess, workers: ChildProcess): Promise<Figures> {
  const [row] = await bench.db.query<{ wal: bigint; transactions: bigint }>(
    `SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint AS wal,
       (SELECT sum(xact_commit)::bigint FROM pg_stat_database WHERE datname = current_database()) AS transactions`,
  );
  return {
    serverMs: cpuMsOf(server.pid ?? 0),
    databaseMs: cpuMsOfTree(bench.databasePid),
    workersMs: cpuMsOf(workers.pid ?? 0),
    busyMs: busyMs(),
    walBytes: row?.wal ?? 0n,
    transactions: row?.transactions ?? 0n,
  };
}

/** Waits until every job has reached a state, or gone on from it. */
async function untilAll(db: Database, state: 'funded' | 'verified' | 'completed', jobs: number): Promise<void> {
  const column = { funded: 'funded_at', verified: 'verified_at', completed: 'settled_at' }[state];
  for (;;) {
    const [row] = await db.query<{ count: bigint; refunded: bigint }>(
      `SELECT count(*) FILTER (WHERE ${column} IS NOT NULL) AS count,
         count(*) FILTER (WHERE state = 'refunded') AS refunded FROM job`,
    );
    if (row?.count === BigInt(jobs)) return;
    if (row && row.refunded > 0n) throw new Error('a job of the benchmark failed');
    await sleep(20);
  }
}
