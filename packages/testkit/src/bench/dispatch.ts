/** `bench dispatch`: no-op units from claim to payment over real HTTP, with everything that they cost. */

import { fork, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { uuidV7Source } from '@assay/core';
import { databaseName, migrate, openDatabase, roles, startEmbeddedPostgres, type Database } from '@assay/store';
import type { DispatchOptions } from './dispatch-options.ts';
import { seedJobs, seedWorkers } from './dispatch-seed.ts';
import type { FromWorkers, ToWorkers } from './dispatch-workers.ts';
import { busyMs, cpuMsOf, cpuMsOfTree, machineLine } from './process-figures.ts';

/** Runs the benchmark once and prints what it found; throws when a gate does not hold. */
export async function runDispatch(options: DispatchOptions, print: (line: string) => void): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'assay-bench-'));
  const postgres = await startEmbeddedPostgres({ dataDir: folder, log: () => undefined });
  try {
    await migrate(postgres.connectionString(roles.owner, databaseName));
    const db = openDatabase({ connectionString: postgres.connectionString(roles.owner, databaseName), maxConnections: 2 });
    try {
      await measure(options, db, postgres.connectionString(roles.app, databaseName), postgres.pid, print);
    } finally {
      await db.close();
    }
  } finally {
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(
  options: DispatchOptions,
  db: Database,
  connectionString: string,
  databasePid: number,
  print: (line: string) => void,
): Promise<void> {
  const ids = uuidV7Source(
    () => Math.floor(performance.timeOrigin + performance.now()),
    (count) => randomBytes(count),
  );
  const devices = await seedWorkers(db, ids, options.workers);
  await seedJobs(db, ids, options);
  await db.query('ANALYZE');
  const server = child('dispatch-server.ts');
  server.send({ connectionString });
  const [{ port }] = (await once(server, 'message')) as [{ port: number }];
  const workers = child('dispatch-workers.ts');
  const before = await figures(db, server, workers, databasePid);
  const start: ToWorkers = { kind: 'start', port, batch: options.batch, devices };
  const told = once(workers, 'message') as Promise<[FromWorkers]>;
  const startMs = performance.now();
  workers.send(start);
  await untilVerified(db, options.jobs, told);
  const tookMs = performance.now() - startMs;
  const after = await figures(db, server, workers, databasePid);
  workers.send({ kind: 'stop' } satisfies ToWorkers);
  const [answer] = await told;
  if (answer.kind === 'failed') throw new Error(answer.text);
  server.send('stop');
  await once(server, 'exit');
  report(options, print, tookMs, before, after, answer);
}

function child(file: string): ChildProcess {
  return fork(new URL(file, import.meta.url), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
}

interface Figures {
  readonly serverMs: number;
  readonly databaseMs: number;
  readonly workersMs: number;
  readonly busyMs: number;
  readonly walBytes: bigint;
  readonly transactions: bigint;
}

async function figures(
  db: Database,
  server: ChildProcess,
  workers: ChildProcess,
  databasePid: number,
): Promise<Figures> {
  const [row] = await db.query<{ wal: bigint; transactions: bigint }>(
    `SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint AS wal,
       (SELECT sum(xact_commit)::bigint FROM pg_stat_database WHERE datname = current_database()) AS transactions`,
  );
  return {
    serverMs: cpuMsOf(server.pid ?? 0),
    databaseMs: cpuMsOfTree(databasePid),
    workersMs: cpuMsOf(workers.pid ?? 0),
    busyMs: busyMs(),
    walBytes: row?.wal ?? 0n,
    transactions: row?.transactions ?? 0n,
  };
}

async function untilVerified(db: Database, jobs: number, told: Promise<[FromWorkers]>): Promise<void> {
  let failed: string | undefined;
  void told.then(([answer]) => {
    if (answer.kind === 'failed') failed = answer.text;
  });
  for (;;) {
    const [row] = await db.query<{ count: bigint }>(`SELECT count(*) FROM job WHERE state = 'verified'`);
    if (row?.count === BigInt(jobs)) return;
    if (failed !== undefined) throw new Error(failed);
    await sleep(20);
  }
}

function report(
  options: DispatchOptions,
  print: (line: string) => void,
  tookMs: number,
  before: Figures,
  after: Figures,
  answer: Extract<FromWorkers, { kind: 'done' }>,
): void {
  const perUnit = (key: 'serverMs' | 'databaseMs' | 'workersMs'): string =>
    `${(((after[key] - before[key]) * 1000) / options.units).toFixed(0)} µs`;
  const ours = (['serverMs', 'databaseMs', 'workersMs'] as const).reduce((sum, key) => sum + after[key] - before[key], 0);
  const foreign = 1 - ours / (after.busyMs - before.busyMs);
  const latencies = answer.latencies.toSorted((a, b) => a - b);
  const at = (share: number): string => `${(latencies[Math.floor(latencies.length * share)] ?? 0).toFixed(0)} ms`;
  print(machineLine());
  print(`${options.units} units × ${options.redundancy} replicas, ${options.workers} workers, ${options.batch} a request`);
  print(`${((options.units * 1000) / tookMs).toFixed(0)} units/s, ${((answer.revealed * 1000) / tookMs).toFixed(0)} executions/s`);
  print(
    `CPU a unit: server ${perUnit('serverMs')}, database ${perUnit('databaseMs')}, workers ${perUnit('workersMs')}, ` +
      `together ${((ours * 1000) / options.units).toFixed(0)} µs; others took ${(foreign * 100).toFixed(0)} % of the machine’s busy time`,
  );
  print(`${answer.requests} requests, p50 ${at(0.5)}, p99 ${at(0.99)}`);
  print(`WAL ${(Number(after.walBytes - before.walBytes) / options.units).toFixed(0)} bytes a unit`);
  print(`${after.transactions - before.transactions} transactions`);
}
