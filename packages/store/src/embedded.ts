/**
 * A real PostgreSQL as a child process, for machines without one. Its data survives the kill of either process:
 * - the starter is killed: a guard stops the server at once; if the guard is killed too, the next start does;
 * - the server is killed: it is started again here, and recovers what it had acknowledged from its log;
 * - a second start on the same data is refused (`store.locked`) while the first starter lives.
 */

import { createHash } from 'node:crypto';
import { mkdir, realpath, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Refusal } from '@assay/core';
import { findBinaries } from './embedded-binaries.ts';
import { openCluster, socketFolder } from './embedded-cluster.ts';
import { evictOrphan } from './embedded-process.ts';
import { ensureRoles } from './embedded-roles.ts';
import { readPasswords } from './embedded-secret.ts';
import { launch, type LaunchOptions } from './embedded-server.ts';

/** Where the data lies and who hears of starts, stops and crashes. */
export interface EmbeddedPostgresOptions {
  /** Made when missing; holds `pgdata`, `secret` and `postgres.log`. */
  readonly dataDir: string;
  readonly log: (line: string) => void;
  /** Server settings over the defaults, for tests; `fsync` stays on unless they say otherwise. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** A running server. */
export interface EmbeddedPostgres {
  /** For the roles `assay_owner`, `assay_app` and `postgres`, and any database (`assay` exists). */
  connectionString(user: string, database: string): string;
  /** The server's present process: another one after a crash and restart. */
  readonly pid: number;
  /** Fast shutdown: running transactions are rolled back, committed data is flushed. */
  stop(): Promise<void>;
}

const defaultSettings: Readonly<Record<string, string>> = {
  listen_addresses: '',
  port: '5432',
  max_connections: '100',
  shared_buffers: '128MB',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_destination: 'stderr',
  logging_collector: 'off',
  // Refused statements are the caller's to log; their text would carry data into the file.
  log_min_messages: 'log',
  log_checkpoints: 'off',
  log_line_prefix: '%m ',
  jit: 'off',
  max_parallel_workers_per_gather: '0',
  max_wal_size: '1GB',
};

/**
 * Starts the server on `dataDir`, made first when it is new. Refuses `store.locked` and `store.version_mismatch`;
 * faults with `store.unavailable` when this machine cannot run it.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  await mkdir(options.dataDir, { recursive: true, mode: 0o700 });
  const dataDir = await realpath(options.dataDir);
  const binaries = await findBinaries();
  const passwordOf = await readPasswords(dataDir);
  const pgdata = join(dataDir, 'pgdata');
  await evictOrphan(pgdata, options.log);
  const cluster = await openCluster(pgdata, binaries, passwordOf('postgres'));
  const folderName = createHash('sha256').update(dataDir).digest('hex').slice(0, 16);
  const socketDir = await socketFolder(`assay-pg-${folderName}`, cluster.user);
  const connectionString = (user: string, database: string): string =>
    `postgresql://${user}:${passwordOf(user)}@${encodeURIComponent(socketDir)}:5432/${database}`;
  const server = await keepRunning({
    binaries,
    cluster,
    socketDir,
    settings: { ...defaultSettings, ...options.settings },
    logFile: join(dataDir, 'postgres.log'),
    log: options.log,
  }).catch(async (error: Error) => {
    // Another server's folder is left alone, and so is one with anything in it.
    if (!(error instanceof Refusal)) await rmdir(socketDir).catch(() => undefined);
    throw error;
  });
  const stop = async (): Promise<void> => {
    await server.stop();
    await rm(socketDir, { recursive: true, force: true });
  };
  try {
    await ensureRoles(connectionString('postgres', 'postgres'), passwordOf);
  } catch (error) {
    await stop();
    throw error;
  }
  options.log(`PostgreSQL ${binaries.version} runs on ${pgdata} as process ${server.pid}`);
  return {
    connectionString,
    get pid() {
      return server.pid;
    },
    stop,
  };
}

/** A server that is started again whenever its process ends by itself. */
async function keepRunning(options: LaunchOptions): Promise<{ readonly pid: number; stop(): Promise<void> }> {
  const stopping = new AbortController();
  let server = await launch(options);
  const watch = async (): Promise<void> => {
    for (let pauseMs = 100; !stopping.signal.aborted;) {
      const how = await server.ended;
      if (stopping.signal.aborted) return;
      options.log(`the database ended (${how}); starting it again`);
      try {
        server = await launch(options);
        pauseMs = 100;
      } catch (error) {
        options.log(`the database does not start: ${(error as Error).message}`);
        pauseMs = Math.min(2 * pauseMs, 10_000);
        await sleep(pauseMs, undefined, { signal: stopping.signal }).catch(() => undefined);
      }
    }
  };
  const watching = watch();
  return {
    get pid() {
      return server.pid;
    },
    async stop() {
      stopping.abort();
      await server.stop();
      await watching;
      // A restart that was under way when the stop came.
      await server.stop();
    },
  };
}
