/** Vitest's global setup: one embedded server per run, started when the first test asks for a database. */

import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import type { TestProject } from 'vitest/node';
import { roles } from './embedded-roles.ts';
import { startEmbeddedPostgres, type EmbeddedPostgres } from './embedded.ts';
import { migrate } from './migrate.ts';
import { templateName, type TestServer } from './testing.ts';

const prefix = 'assay-test-';

/** Tests end with their server, so nothing of theirs needs to survive a power cut. */
const settings = {
  fsync: 'off',
  full_page_writes: 'off',
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_connections: '200',
  shared_buffers: '64MB',
};

/** Offers the server to the tests; the returned function ends it. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  await removeOldFolders();
  const folder = await mkdtemp(join(tmpdir(), `${prefix}${process.pid}-`));
  let started: Promise<{ postgres: EmbeddedPostgres; server: TestServer }> | undefined;
  const broker = createServer((socket) => {
    started ??= startServer(join(folder, 'postgres'));
    started.then(
      ({ server }) => socket.end(JSON.stringify(server)),
      (error: Error) => socket.end(JSON.stringify({ problem: error.stack ?? error.message })),
    );
    socket.on('error', () => undefined);
  });
  const socketPath = join(folder, 'broker.sock');
  await new Promise<void>((resolve) => {
    broker.listen(socketPath, resolve);
  });
  project.provide('assayTestServer', socketPath);
  return async () => {
    broker.close();
    const running = await started?.catch(() => undefined);
    await running?.postgres.stop();
    await rm(folder, { recursive: true, force: true });
  };
}

async function startServer(dataDir: string): Promise<{ postgres: EmbeddedPostgres; server: TestServer }> {
  const postgres = await startEmbeddedPostgres({ dataDir, log: () => undefined, settings });
  try {
    await makeTemplate(postgres);
  } catch (error) {
    await postgres.stop();
    throw error;
  }
  const server: TestServer = {
    app: postgres.connectionString(roles.app, '{database}'),
    owner: postgres.connectionString(roles.owner, '{database}'),
    superuser: postgres.connectionString('postgres', '{database}'),
  };
  return { postgres, server };
}

async function makeTemplate(postgres: EmbeddedPostgres): Promise<void> {
  const client = new Client({ connectionString: postgres.connectionString('postgres', 'postgres') });
  await client.connect();
  await client.query(`CREATE DATABASE ${templateName} OWNER ${roles.owner}`);
  await client.end();
  await migrate(postgres.connectionString(roles.owner, templateName));
}

/** Runs that were killed could not remove their folders; their servers ended with them. */
async function removeOldFolders(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = new RegExp(`^${prefix}(\\d+)-`).exec(name)?.[1];
    if (pid === undefined || isAlive(Number(pid))) continue;
    await rm(join(tmpdir(), name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
