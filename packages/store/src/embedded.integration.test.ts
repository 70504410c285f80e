import { type ChildProcessByStdio, execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, chown, cp, lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openDatabase } from './database.ts';
import { findBinaries, serverUser } from './embedded-binaries.ts';
import { readPostmaster } from './embedded-process.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './embedded.ts';

let root: string;
let dataDir: string;
let lines: string[];
const running = new Set<EmbeddedPostgres>();
const programs = new Set<Program>();

beforeEach(async () => {
  // A folder that only this user, be it root, may enter, with a name that shells would trip over.
  root = await mkdtemp(join(tmpdir(), "assay it's $HOME-"));
  dataDir = join(root, 'data of a market');
  lines = [];
});
afterEach(async () => {
  for (const program of programs) program.kill('SIGKILL');
  programs.clear();
  for (const server of running) await server.stop();
  running.clear();
  // A last start clears what a killed program left behind.
  if (existsSync(join(dataDir, 'pgdata', 'postmaster.pid'))) await (await start().catch(() => undefined))?.stop();
  await rm(root, { recursive: true, force: true });
});

async function start(settings: Record<string, string> = {}): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ dataDir, log: (line) => lines.push(line), settings });
  running.add(server);
  return server;
}

async function ask<Row>(server: EmbeddedPostgres, sql: string, user = 'assay_owner'): Promise<Row[]> {
  const db = openDatabase({ connectionString: server.connectionString(user, 'assay'), maxConnections: 1 });
  try {
    return await db.query<Row>(sql);
  } finally {
    await db.close();
  }
}

interface Program {
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  readonly acknowledged: number[];
  /** The server's process, once it answers. */
  readonly server: Promise<number>;
  kill(signal: NodeJS.Signals): void;
}

/** Another program that serves the folder and writes to it without pause. */
function startProgram(): Program {
  const script = fileURLToPath(new URL('./crash-load.setup.ts', import.meta.url));
  const child = spawn(process.execPath, [script, dataDir], { stdio: ['ignore', 'pipe', 'pipe'] });
  const acknowledged: number[] = [];
  const server = new Promise<number>((resolve, reject) => {
    createInterface(child.stdout).on('line', (line) => {
      const [word, number] = line.split(' ');
      if (word === 'row') acknowledged.push(Number(number));
      else if (word === 'ready') resolve(Number(number));
      else lines.push(line);
    });
    let problem = '';
    child.stderr.on('data', (chunk: Buffer) => (problem += chunk.toString()));
    child.once('close', () => reject(new Error(problem)));
  });
  const program: Program = { child, acknowledged, server, kill: (signal) => void child.kill(signal) };
  programs.add(program);
  return program;
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0) && !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
};

async function missing(server: EmbeddedPostgres, acknowledged: readonly number[]): Promise<number[]> {
  const rows = await ask<{ n: number }>(server, 'SELECT n FROM acknowledged');
  const stored = new Set(rows.map((row) => row.n));
  return acknowledged.filter((n) => !stored.has(n));
}

describe('a server', () => {
  test('starts on a new folder, keeps its data over a stop, syncs, and keeps its secrets to this user', async () => {
    const first = await start();
    await ask(first, 'CREATE TABLE kept (n int); INSERT INTO kept VALUES (7)');
    const settings = `SELECT current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS commit,
      current_setting('full_page_writes') AS pages, current_setting('listen_addresses') AS addresses,
      current_setting('data_checksums') AS checksums, current_setting('server_version') AS version`;
    expect(await ask(first, settings)).toMatchObject([
      { fsync: 'on', commit: 'on', pages: 'on', addresses: '', checksums: 'on', version: '18.4' },
    ]);
    for (const name of ['secret', 'postgres.log']) {
      expect((await stat(join(dataDir, name))).mode & 0o077, name).toBe(0);
    }
    expect((await stat(join(dataDir, 'pgdata'))).mode & 0o077).toBe(0);
    await first.stop();
    expect(isAlive(first.pid)).toBe(false);
    const second = await start();
    expect(await ask(second, 'SELECT n FROM kept')).toEqual([{ n: 7 }]);
  });

  test('lets in only who knows the password of the role', async () => {
    const server = await start();
    const wrong = server.connectionString('assay_app', 'assay').replace(/:[^:@]+@/, ':wrong@');
    const db = openDatabase({ connectionString: wrong });
    await expect(db.query('SELECT 1')).rejects.toMatchObject({ code: '28P01' });
    await db.close();
    const [app, owner] = ['assay_app', 'assay_owner'].map((user) => server.connectionString(user, 'assay'));
    expect(app?.replace('assay_app', 'assay_owner')).not.toBe(owner);
    const privileges =
      'SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls AS any FROM pg_roles WHERE rolname = current_user';
    for (const user of ['assay_app', 'assay_owner'])
      expect(await ask(server, privileges, user)).toEqual([{ any: false }]);
  });

  test('refuses a second server on its data, in this process and in another', async () => {
    const first = await start();
    await expect(start()).rejects.toMatchObject({ name: 'Refusal', code: 'store.locked' });
    await expect(startProgram().server).rejects.toThrow('store.locked');
    expect(await ask(first, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  test('of two first starts at once, one serves and the other is refused', async () => {
    const outcomes = await Promise.allSettled([start(), start()]);
    expect(outcomes.map((outcome) => outcome.status).toSorted()).toEqual(['fulfilled', 'rejected']);
    const refused = outcomes.find((outcome) => outcome.status === 'rejected');
    expect(refused?.reason).toMatchObject({ code: 'store.locked' });
    const [server] = running;
    expect(await ask(server!, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  test('refuses data of another version, and a folder that holds something else', async () => {
    await (await start()).stop();
    await writeFile(join(dataDir, 'pgdata', 'PG_VERSION'), '17\n');
    await expect(start()).rejects.toMatchObject({ code: 'store.version_mismatch' });
    await rm(join(dataDir, 'pgdata', 'PG_VERSION'));
    await expect(start()).rejects.toMatchObject({ code: 'store.version_mismatch' });
    expect(await readdir(dataDir)).toEqual(['pgdata', 'postgres.log', 'secret']);
  });

  test('says what is wrong when it does not start', async () => {
    await expect(start({ shared_buffers: 'many' })).rejects.toMatchObject({
      code: 'store.unavailable',
      message: expect.stringContaining('shared_buffers') as string,
    });
    expect(await ask(await start(), 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });
});

describe('a crash', () => {
  test('of the server loses no acknowledged row, and it comes back by itself', async () => {
    const program = startProgram();
    const first = await program.server;
    await expect.poll(() => program.acknowledged.length).toBeGreaterThan(100);
    process.kill(first, 'SIGKILL');
    const before = program.acknowledged.length;
    await expect.poll(() => program.acknowledged.length).toBeGreaterThan(before + 100);
    program.kill('SIGKILL');
    await new Promise((resolve) => program.child.once('close', resolve));
    const server = await start();
    expect(await missing(server, program.acknowledged)).toEqual([]);
    expect(lines.some((line) => line.includes('the database ended (SIGKILL)'))).toBe(true);
  });

  test('of the program stops its server at once; the next start finds every acknowledged row', async () => {
    const program = startProgram();
    const pid = await program.server;
    await expect.poll(() => program.acknowledged.length).toBeGreaterThan(100);
    program.kill('SIGKILL');
    await expect.poll(() => isAlive(pid)).toBe(false);
    const server = await start();
    expect(await missing(server, program.acknowledged)).toEqual([]);
    expect(lines.join('\n')).not.toContain('whose starter');
  });

  test('of the program and of the guard leaves a server that the next start stops', async () => {
    const program = startProgram();
    const pid = await program.server;
    await expect.poll(() => program.acknowledged.length).toBeGreaterThan(100);
    execFileSync('/bin/sh', ['-c', `kill -9 ${guardOf(pid)}`]);
    program.kill('SIGKILL');
    await new Promise((resolve) => program.child.once('close', resolve));
    expect(isAlive(pid)).toBe(true);
    const server = await start();
    expect(isAlive(pid)).toBe(false);
    expect(lines.join('\n')).toContain(`stopping server ${pid}, whose starter ${program.child.pid} is gone`);
    expect(await missing(server, program.acknowledged)).toEqual([]);
  });

  test('of everything at once leaves a lock that the next start sees through, though its number is in use again', async () => {
    const program = startProgram();
    const pid = await program.server;
    await expect.poll(() => program.acknowledged.length).toBeGreaterThan(50);
    const guard = guardOf(pid);
    for (const victim of [guard, program.child.pid ?? 0, pid]) process.kill(victim, 'SIGKILL');
    await new Promise((resolve) => program.child.once('close', resolve));
    const lock = join(dataDir, 'pgdata', 'postmaster.pid');
    expect((await readPostmaster(join(dataDir, 'pgdata')))?.pid).toBe(pid);
    const other = spawn('sleep', ['60']);
    await writeFile(lock, (await readFile(lock, 'utf8')).replace(String(pid), String(other.pid)));
    try {
      const server = await start();
      expect(await missing(server, program.acknowledged)).toEqual([]);
    } finally {
      other.kill();
    }
  });

  test('in the middle of making the folder leaves nothing that harms or stays', async () => {
    const program = startProgram();
    program.server.catch(() => undefined);
    await expect
      .poll(async () => (await readdir(dataDir).catch(() => [])).some((name) => name.startsWith('pgdata.')), {
        interval: 5,
        timeout: 10_000,
      })
      .toBe(true);
    program.kill('SIGKILL');
    await new Promise((resolve) => program.child.once('close', resolve));
    expect((await readdir(dataDir)).some((name) => name.startsWith('pgdata.'))).toBe(true);
    await start();
    expect((await readdir(dataDir)).toSorted()).toEqual(['pgdata', 'postgres.log', 'secret']);
  });
});

describe('the programs', () => {
  test.skipIf(serverUser() === undefined)('are copied for an unprivileged user where only root may enter', async () => {
    const { binDir } = await findBinaries();
    const native = join(root, 'package', 'native');
    const cacheRoot = join(root, 'cache');
    await mkdir(cacheRoot, { mode: 0o755 });
    await cp(join(binDir, '..'), native, { recursive: true, verbatimSymlinks: true });
    await cp(join(binDir, '..', '..', 'package.json'), join(root, 'package', 'package.json'));
    for (const name of await readdir(join(native, 'lib')))
      if (/\.so(?:\.\d+)?$/.test(name)) await unlinkLink(join(native, 'lib', name));
    await chmod(join(native, 'lib'), 0o700);
    const found = await findBinaries({ native, cacheRoot });
    expect(found.binDir.startsWith(cacheRoot)).toBe(true);
    await chmod(root, 0o755);
    const version = execFileSync(join(found.binDir, 'postgres'), ['--version'], {
      uid: 65534,
      gid: 65534,
      encoding: 'utf8',
    });
    expect(version).toContain(`PostgreSQL) ${found.major}.`);
    const again = await stat(join(found.binDir, '..'));
    expect(await findBinaries({ native, cacheRoot })).toEqual(found);
    expect((await stat(join(found.binDir, '..'))).ino).toBe(again.ino);
    await chown(join(found.binDir, '..'), 65534, 65534);
    await expect(findBinaries({ native, cacheRoot })).rejects.toMatchObject({ code: 'store.unavailable' });
    await chown(join(found.binDir, '..'), 0, 0);
    await chmod(join(found.binDir, '..'), 0o777);
    await expect(findBinaries({ native, cacheRoot })).rejects.toMatchObject({ code: 'store.unavailable' });
  });
});

async function unlinkLink(path: string): Promise<void> {
  if ((await lstat(path)).isSymbolicLink()) await rm(path);
}

/** The process that watches over a server. */
function guardOf(server: number): number {
  for (const name of execFileSync('ls', ['/proc'], { encoding: 'utf8' }).split('\n')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0');
      if (command[3] === 'assay-guard' && command[4] === String(server)) return Number(name);
    } catch {
      // It ended meanwhile.
    }
  }
  throw new Error(`no guard of ${server}`);
}
