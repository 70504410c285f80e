import { chmod, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { randomInt } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from '@assay/client';
import { verifyLedger } from '@assay/ledger';
import { openDatabase, startEmbeddedPostgres, type Database } from '@assay/store';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { prngOf } from '../simulation/prng.ts';
import { commandProcess, soon, type CommandProcess, type Started } from './command-process.setup.ts';
import { processesIn, type Process } from './process-tree.setup.ts';

const onLinux = process.platform === 'linux';
const seed = Number(process.env['ASSAY_SEED'] ?? randomInt(1_000_000));
const random = prngOf(seed);

/** Whom a round kills; all but the demo itself are expected to be replaced while the demo goes on. */
const victims = ['demo', 'sandbox', 'postmaster', 'backend', 'demo'] as const;
type Victim = (typeof victims)[number];

const ways = ['demo', '--exit', '--port', '0', '--window', '1'];

let folder: string;
let demo: CommandProcess;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-killed-'));
  // A root's database and sandboxes run as others, who must be able to reach their folders.
  await chmod(folder, 0o711);
  await mkdir(join(folder, 'tmp'));
  await chmod(join(folder, 'tmp'), 0o1777);
  demo = commandProcess(join(folder, 'state'), join(folder, 'tmp'));
});
afterAll(async () => {
  demo.stop();
  await rm(folder, { recursive: true, force: true });
});

test.skipIf(!onLinux)(
  `the demo ends with the same jobs and the same money whoever is killed (seed ${seed}; needs /proc of Linux)`,
  { timeout: 240_000 },
  async () => {
    const jobs = new Set<string>();
    let kills = 0;
    let start = demo.start(ways);
    for (const victim of shuffled(victims)) {
      await sleep(await momentOf(start, victim));
      if (start.hasEnded()) break;
      const pid = await pidOf(start, victim);
      if (pid === undefined) continue;
      for (const id of await jobsSoFar(start)) jobs.add(id);
      // A sandbox may have ended by itself meanwhile.
      if (!isKilled(pid)) continue;
      kills += 1;
      if (victim !== 'demo') continue;
      await start.ended;
      start = demo.start(ways);
    }
    expect(await start.ended, start.text()).toBe(0);
    expect(kills).toBeGreaterThanOrEqual(3);

    expect(demo.left()).toEqual([]);
    expect(processesIn(folder)).toEqual([]);
    expect((await readdir(join(folder, 'tmp'))).filter((name) => name.startsWith('assay-pg-'))).toEqual([]);
    await checkBooks(jobs);
  },
);

function isKilled(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, rank: random.below(1_000_000) }))
    .toSorted((a, b) => a.rank - b.rank)
    .map(({ item }) => item);
}

/** How long to wait before the kill: from the spawn on for the demo itself, else once the jobs are under way. */
async function momentOf(start: Started, victim: Victim): Promise<number> {
  // A build of the console takes long and is not what is tried here.
  await soon(2000, () => (start.text().includes('Opening') ? true : undefined));
  await sleep(200);
  const building = start.text().includes('Building the console');
  if (building || victim !== 'demo')
    await soon(120_000, () => start.text().includes('Open after') || start.hasEnded() || undefined);
  return random.below(3000);
}

function pidOf(start: Started, victim: Victim): Promise<number | undefined> {
  if (victim === 'demo') return Promise.resolve(start.process.pid);
  const is: Record<typeof victim, (one: Process) => boolean> = {
    sandbox: ({ command }) => /guest\/\w+\/main\.mjs/.test(command),
    postmaster: ({ command }) => command.includes('assay.data='),
    backend: ({ command }) => command.startsWith('postgres: assay_app'),
  };
  return soon(5000, () => start.family().find(is[victim])?.pid);
}

/** The customer's jobs as the running demo knows them; none while it cannot answer. */
async function jobsSoFar(start: Started): Promise<string[]> {
  if (!start.text().includes('Open after')) return [];
  try {
    const access = JSON.parse(await readFile(join(folder, 'state', 'access.json'), 'utf8')) as Access;
    const client = createClient({ baseUrl: access.url, auth: { kind: 'apiKey', key: access.apiKey } });
    return (await client.listJobs({}, { timeoutMs: 3000 })).items.map((job) => job.id);
  } catch {
    return [];
  }
}

interface Access {
  readonly url: string;
  readonly apiKey: string;
}

/** What lies in the demo's own bank. */
interface Bank {
  readonly intents: Record<string, { readonly amount_received: unknown; readonly status: string }>;
  readonly refunds: Record<string, { readonly amount: unknown; readonly status: string }>;
  readonly transfers: Record<string, { readonly amount: unknown }>;
}

/** Two jobs, those that were seen before the kills, and of each cent one story in the journal and at the bank. */
async function checkBooks(seen: ReadonlySet<string>): Promise<void> {
  const stateDir = join(folder, 'state', 'demo');
  const postgres = await startEmbeddedPostgres({ dataDir: join(stateDir, 'postgres'), log: () => {} });
  const db = openDatabase({ connectionString: postgres.connectionString('assay_app', 'assay'), maxConnections: 2 });
  try {
    const jobs = await db.query<{ id: string; state: string }>('SELECT id, state FROM job ORDER BY id');
    expect(jobs.map((job) => job.state)).toEqual(['completed', 'completed']);
    const ids = new Set(jobs.map((job) => job.id));
    expect([...seen].filter((id) => !ids.has(id))).toEqual([]);
    expect((await verifyLedger(db)).problems).toEqual([]);
    await checkMoney(db, JSON.parse(await readFile(join(stateDir, 'bank.json'), 'utf8')) as Bank);
  } finally {
    await db.close();
    await postgres.stop();
  }
}

async function checkMoney(db: Database, bank: Bank): Promise<void> {
  const [paid] = await db.query<Record<'payments' | 'charged' | 'refunded' | 'out' | 'commission', bigint>>(
    `SELECT count(*) FILTER (WHERE kind = 'payment') AS payments,
       coalesce(sum(amount) FILTER (WHERE kind = 'payment'), 0)::bigint AS charged,
       coalesce(sum(amount) FILTER (WHERE kind = 'refund'), 0)::bigint AS refunded,
       coalesce(sum(amount) FILTER (WHERE kind = 'payout'), 0)::bigint AS out,
       (SELECT sum(commission)::bigint FROM earning) AS commission
     FROM transfer WHERE state = 'succeeded'`,
  );
  if (!paid) throw new Error('a row of sums');
  const { payments, charged, refunded, out, commission } = paid;
  expect(payments).toBe(2n);
  expect(out + commission + refunded).toBe(charged);
  const unpaid = await db.query(`SELECT id, kind, state FROM transfer WHERE state NOT IN ('succeeded', 'failed')`);
  expect(unpaid).toEqual([]);

  const intents = Object.values(bank.intents).filter((one) => one.status === 'succeeded');
  expect(intents).toHaveLength(2);
  expect(sum(intents.map((one) => one.amount_received))).toBe(charged);
  expect(sum(Object.values(bank.refunds).map((one) => one.amount))).toBe(refunded);
  expect(sum(Object.values(bank.transfers).map((one) => one.amount))).toBe(out);
}

function sum(amounts: readonly unknown[]): bigint {
  return amounts.reduce<bigint>((total, amount) => total + BigInt(String(amount)), 0n);
}
