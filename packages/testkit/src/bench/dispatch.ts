/** `bench dispatch`: no-op units from claim to payment over real HTTP, with everything that they cost. */

import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemIds } from '@assay/server';
import { databaseName, migrate, openDatabase, roles, startEmbeddedPostgres, type Database } from '@assay/store';
import { failedGates, jobSizes } from './dispatch-gates.ts';
import type { DispatchOptions } from './dispatch-options.ts';
import { reportLines, type Figures } from './dispatch-report.ts';
import { seedAccount, seedWorkers } from './dispatch-seed.ts';
import type { FromServer, ToServer } from './dispatch-server.ts';
import type { FromWorkers, ToWorkers } from './dispatch-workers.ts';
import { busyMs, cpuMsOf, cpuMsOfTree } from './process-figures.ts';
import { resetStatements, statementLines, statementSettings } from './statement-costs.ts';

/** Runs the benchmark once and prints what it found; throws when a gate does not hold. */
export async function runDispatch(options: DispatchOptions, print: (line: string) => void): Promise<void> {
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
      await measure({ options, db, app, admin, folder, databasePid: postgres.pid, children, print });
    } finally {
      await db.close();
    }
  } finally {
    for (const one of children) one.kill();
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

interface Bench {
  readonly options: DispatchOptions;
  readonly db: Database;
  readonly app: string;
  readonly admin: string;
  readonly folder: string;
  readonly databasePid: number;
  readonly children: ChildProcess[];
  readonly print: (line: string) => void;
}

async function measure(bench: Bench): Promise<void> {
  const { options, db, app, folder, children, print } = bench;
  const jobs = jobSizes(options);
  const devices = await seedWorkers(db, systemIds, options.workers);
  const customer = await seedAccount(db, systemIds);
  const server = child(children, 'dispatch-server.ts');
  const { redundancy } = options;
  server.send({ kind: 'start', connectionString: app, folder, customer, jobs, redundancy } satisfies ToServer);
  const ready = await answerOf<FromServer>(server);
  if (ready.kind !== 'ready') throw new Error(`the server answered ${ready.kind}`);
  await untilAll(db, 'funded', jobs.length);
  await db.query('VACUUM ANALYZE');
  const workers = child(children, 'dispatch-workers.ts');
  const admin = options.statements ? openDatabase({ connectionString: bench.admin, maxConnections: 1 }) : undefined;
  if (admin) await resetStatements(admin);
  const before = await figures(bench, server, workers);
  const told = answerOf<FromWorkers>(workers);
  const startMs = performance.now();
  workers.send({ kind: 'start', port: ready.port, batch: options.batch, devices } satisfies ToWorkers);
  const failing = told.then(() => undefined);
  await Promise.race([untilAll(db, 'verified', jobs.length), failing]);
  const verifiedMs = performance.now() - startMs;
  await Promise.race([untilAll(db, 'completed', jobs.length), failing]);
  const settledMs = performance.now() - startMs;
  const after = await figures(bench, server, workers);
  if (admin) for (const line of await statementLines(admin)) print(line);
  await admin?.close();
  workers.send({ kind: 'stop' } satisfies ToWorkers);
  const done = await told;
  if (done.kind !== 'done') throw new Error(`the workers answered ${done.kind}`);
  server.send({ kind: 'check' } satisfies ToServer);
  const checked = await answerOf<FromServer>(server);
  if (checked.kind !== 'checked') throw new Error(`the server answered ${checked.kind}`);
  server.send({ kind: 'stop' } satisfies ToServer);
  await once(server, 'exit');
  const { requests, revealed: executions, latencies } = done;
  const { ledgerTransactions } = checked;
  const findings = {
    options,
    before,
    after,
    verifiedMs,
    settledMs,
    requests,
    executions,
    latencies,
    ledgerTransactions,
  };
  for (const line of reportLines(findings)) print(line);
  const failed = [...checked.faults, ...(await failedGates(db, options))];
  if (failed.length > 0) throw new Error(`the run does not count:\n${failed.join('\n')}`);
  print('every gate holds: all units verified, each replica paid once, the books agree, the ledger verifies');
}

function child(children: ChildProcess[], file: string): ChildProcess {
  const one = fork(new URL(file, import.meta.url), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  children.push(one);
  return one;
}

/** The next message of a child; throws when it failed or ended. */
async function answerOf<T extends { readonly kind: string }>(one: ChildProcess): Promise<T> {
  const ended = once(one, 'exit').then(() => {
    throw new Error('a process of the benchmark ended early');
  });
  const [answer] = (await Promise.race([once(one, 'message'), ended])) as [T | { kind: 'failed'; text: string }];
  if (answer.kind === 'failed') throw new Error((answer as { text: string }).text);
  return answer as T;
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
