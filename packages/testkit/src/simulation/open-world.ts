/** The beginning of a simulation: people, devices, a bank and servers, all from the seed. */

import { newId, uuidV7Source, type AccountId, type IdSource } from '@assay/core';
import { memoryPaymentProvider, type MemoryPaymentProvider } from '@assay/core/conformance';
import { ledgerKeyFromSeed } from '@assay/ledger';
import type { TradeDeps } from '@assay/market';
import { addPayoutAccount, registerWorker, type Database } from '@assay/store';
import { faultsOf } from './faults.ts';
import { postOffice } from './post-office.ts';
import { prngOf } from './prng.ts';
import { drawScenario, type WorkerPlan } from './scenario.ts';
import { simulatedClock } from './simulated-clock.ts';
import { deviceOf } from './simulated-device.ts';
import { runner, sha256, startServer, type Site } from './simulated-server.ts';
import { simulatedWorker, type SimulatedWorker } from './simulated-worker.ts';
import { watchedDatabase, type SimulationDatabase } from './simulation-database.ts';
import { stepLog } from './step-log.ts';
import { turnstile } from './turnstile.ts';
import type { World } from './world.ts';

/** The same in every simulation: making its certificates takes time. */
const ledgerKey = ledgerKeyFromSeed(new Uint8Array(32).fill(7));

export interface WorldOptions {
  readonly seed: number;
  /** Puts something of a test in place of the configured parts of each server. */
  readonly override?: (trade: TradeDeps) => TradeDeps;
}

/** The database must be empty. */
export async function openWorld(plain: SimulationDatabase, { seed, override }: WorldOptions): Promise<World> {
  const random = prngOf(seed);
  const scenario = drawScenario(random);
  const gate = turnstile();
  const database = watchedDatabase(plain, gate);
  const clock = await simulatedClock(database.admin, scenario.startMs);
  const ids = uuidV7Source(
    () => clock.nowMs(),
    (count) => random.bytes(count),
  );
  const bank = memoryPaymentProvider({ sha256, nowMs: () => clock.nowMs() });
  const { db } = database;
  const faults = faultsOf(random, scenario.rates);
  const site: Site = {
    db,
    clock,
    ids,
    bank,
    ledgerKey,
    turnstile: gate,
    faults,
    scenario,
    ...(override ? { override } : {}),
  };
  const world: World = {
    random,
    site,
    database,
    ids,
    bank,
    servers: [],
    workers: [],
    post: postOffice(),
    isEnding: false,
    outlook: { processes: [], work: false },
    witnessed: { runs: new Map(), commits: new Map(), reveals: new Set() },
    log: stepLog(() => clock.nowMs(), scenario.startMs),
    arbiter: await addPerson(db, ids),
    customers: await Promise.all(
      scenario.jobs.map(async (plan, index) => ({
        plan,
        orderKey: `order-number-${index}`,
        account: await addPerson(db, ids),
        job: undefined,
        failedOnce: false,
        disputed: false,
        lateDisputeTried: false,
      })),
    ),
  };
  for (const plan of scenario.workers) await addWorker(world, plan);
  for (const [index, skewMs] of scenario.serverSkewsMs.entries()) {
    world.servers.push(await startServer(site, `server-${index}`, skewMs));
  }
  return world;
}

/** A worker joins, its owner with an account at the bank. */
export async function addWorker(world: World, plan: WorkerPlan): Promise<SimulatedWorker> {
  const { ids, random, workers } = world;
  const { db } = world.database;
  const sibling = workers.find((one) => one.plan.owner === plan.owner);
  const owner = sibling?.owner ?? (await addPerson(db, ids));
  const device = deviceOf(newId('worker', ids), random.bytes(32));
  const machine = {
    arch: 'x64',
    os: 'linux',
    cpuCores: 4,
    memoryGb: 8,
    slots: plan.slots,
    runners: [{ runner, driver: 'wasm', digest: 'd1' }],
  };
  await registerWorker(db, {
    id: device.id,
    owner,
    publicKey: device.publicKey,
    name: plan.temperament,
    machine,
    region: 'eu',
  });
  if (!sibling) await openBankAccount(world, owner);
  const worker = simulatedWorker(`worker-${workers.length} (${plan.temperament})`, device, owner, plan);
  workers.push(worker);
  return worker;
}

/** An account at the bank that payouts of `owner` go to from now on. */
export async function openBankAccount(
  world: Pick<World, 'ids' | 'database'> & { readonly bank: MemoryPaymentProvider },
  owner: AccountId,
): Promise<void> {
  const id = newId('payoutAccount', world.ids);
  const made = await world.bank.createRecipient(owner, id);
  if (made.kind !== 'ok') throw new Error('the bank opens accounts');
  await addPayoutAccount(world.database.db, { id, account: owner, region: 'eu', destination: made.value });
}

async function addPerson(db: Database, ids: IdSource): Promise<AccountId> {
  const id = newId('account', ids);
  await db.query(`INSERT INTO account (id, email, region, roles) VALUES ($1, $2, 'eu', '{customer,provider}')`, [
    id,
    `${id}@simulation.invalid`,
  ]);
  return id;
}
