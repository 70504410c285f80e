/**
 * A program for crash tests: serves the data folder named by its argument, writes rows over several connections until
 * it is killed, and prints each row's number once the database has acknowledged it.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { Fault } from '@assay/core';
import { openDatabase } from './database.ts';
import { startEmbeddedPostgres } from './embedded.ts';
import { databaseName, roles } from './embedded-roles.ts';

const say = (line: string): boolean => process.stdout.write(`${line}\n`);
const server = await startEmbeddedPostgres({ dataDir: process.argv[2] ?? '', log: (line) => say(`log ${line}`) });
const db = openDatabase({ connectionString: server.connectionString(roles.owner, databaseName), maxConnections: 4 });
await db.query('CREATE TABLE IF NOT EXISTS acknowledged (n int PRIMARY KEY, filler text)');
const [row] = await db.query<{ last: number }>('SELECT coalesce(max(n), 0) AS last FROM acknowledged');
let next = (row?.last ?? 0) + 1;
say(`ready ${server.pid}`);

async function write(): Promise<void> {
  for (;;) {
    const n = next;
    next += 1;
    try {
      await db.transaction((tx) => tx.query(`INSERT INTO acknowledged VALUES ($1, repeat('x', 500))`, [n]));
      say(`row ${n}`);
    } catch (error) {
      if (!(error instanceof Fault && error.retry)) throw error;
      await sleep(20);
    }
  }
}
await Promise.all([write(), write(), write(), write()]);
