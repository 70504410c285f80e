/** A database of its own for each test file, cloned from a migrated template in the one server of a test run. */

import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { Client } from 'pg';
import { inject } from 'vitest';
import { openDatabase, type Database } from './database.ts';
import { roles } from './embedded-roles.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The socket where `test-server.setup.ts` tells, and first starts, the server of this run. */
    readonly assayTestServer: string;
  }
}

/** How the roles reach a database of the shared server; `{database}` stands for its name. */
export interface TestServer {
  readonly app: string;
  readonly owner: string;
  readonly superuser: string;
}

/** The template that clones are made of. */
export const templateName = 'assay_template';

/** A fresh, migrated database. */
export interface TestDatabase {
  /** As the program's role, `assay_app`. */
  readonly db: Database;
  /** As the owner of the tables, for what the program may not do. */
  readonly owner: Database;
  readonly connectionString: string;
  readonly ownerConnectionString: string;
  /** As PostgreSQL's superuser. */
  readonly superuserConnectionString: string;
  /** Closes both and removes the database, whoever else is connected. */
  drop(): Promise<void>;
}

/** Clones the template; the first call of a test run starts the server, which takes a second or two. */
export async function testDatabase(options: { maxConnections?: number } = {}): Promise<TestDatabase> {
  const server = JSON.parse(await text(connect(inject('assayTestServer')))) as TestServer & { problem?: string };
  if (server.problem !== undefined) throw new Error(`the test server does not start: ${server.problem}`);
  const name = `test_${randomBytes(8).toString('hex')}`;
  const to = (template: string, database = name): string => template.replace('{database}', database);
  const asSuperuser = to(server.superuser, 'postgres');
  await runOnce(asSuperuser, `CREATE DATABASE ${name} TEMPLATE ${templateName} OWNER ${roles.owner}`);
  const maxConnections = options.maxConnections ?? 8;
  const db = openDatabase({ connectionString: to(server.app), maxConnections });
  const owner = openDatabase({ connectionString: to(server.owner), maxConnections: 2 });
  return {
    db,
    owner,
    connectionString: to(server.app),
    ownerConnectionString: to(server.owner),
    superuserConnectionString: to(server.superuser),
    async drop() {
      await Promise.all([db.close(), owner.close()]);
      await runOnce(asSuperuser, `DROP DATABASE ${name} WITH (FORCE)`);
    },
  };
}

async function runOnce(connectionString: string, sql: string): Promise<void> {
  const client = new Client({ connectionString });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
