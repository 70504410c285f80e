/** A whole market in one database for tests of the money: a bank in memory, the embedded ledger, devices that work. */

import { platformMsp } from '@assay/contracts';
import {
  Refusal,
  standardCommission,
  standardRateCard,
  utf8,
  type AccountId,
  type JobId,
  type Ledger,
  type PaymentProvider,
  type Region,
  type Sha256Hex,
  type TradeStore,
  type Tree,
} from '@assay/core';
import { memoryPaymentProvider, type MemoryPaymentProvider } from '@assay/core/conformance';
import { agreeOnWindow, ledgerKeyFromSeed, openEmbeddedLedger } from '@assay/ledger';
import { createTradeStore, createWorkStore, tradeEndings, type Database } from '@assay/store';
import { testDatabase, type TestDatabase } from '@assay/store/testing';
import { opensslVerifier } from '../work/device-signature.ts';
import { openExchange, type Exchange } from '../work/exchange.ts';
import {
  addAccount,
  addDevice,
  ids,
  resultOf,
  runner,
  say,
  sha256,
  type Device,
  type Result,
} from '../work/work-scene.setup.ts';
import { createJob } from './create-job.ts';
import { workFailed, workVerified } from './end-of-work.ts';
import { payJob } from './pay-job.ts';
import { runToQuiet } from './processes.ts';
import { receiveWebhook } from './receive-webhook.ts';
import type { TradeDeps } from './trade-deps.ts';

export { ids, runner, sha256 };

/** Things that a test may put around the adapters. */
export interface Wrappers {
  readonly provider?: (provider: PaymentProvider) => PaymentProvider;
  readonly ledger?: (ledger: Ledger) => Ledger;
  readonly store?: (store: TradeStore) => TradeStore;
}

/** The clocks of the database, the bank and the programs are one and moved by hand. */
export interface TradeScene {
  readonly database: TestDatabase;
  readonly db: Database;
  readonly bank: MemoryPaymentProvider;
  readonly ledger: Ledger;
  readonly exchange: Exchange;
  readonly deps: TradeDeps;
  readonly problems: unknown[];
  /** A fresh composition over the same database, bank and ledger, as after a crash. */
  compose(wrappers?: Wrappers): TradeDeps;
  /** Hands every webhook that the bank has sent, and was not handed over, to the market. */
  deliverWebhooks(): Promise<void>;
  /** Moves time on. */
  pass(ms: number): Promise<void>;
  nowMs(): number;
  /** Moves every part on until nothing is left to do: webhooks, processes and what the bank has under way. */
  quiet(): Promise<void>;
  close(): Promise<void>;
}

export const challengeWindowMs = 60_000;

const identities: TradeDeps['identities'] = {
  orchestrator: { mspId: platformMsp, name: 'orchestrator', roles: ['orchestrator'] },
  arbiter: { mspId: platformMsp, name: 'arbiter', roles: ['arbiter'] },
};

const terms: TradeDeps['terms'] = {
  runners: [runner],
  gpuRunners: [],
  rateCard: standardRateCard,
  commission: standardCommission,
  payWithinMs: 3_600_000,
  payoutDelayMs: 0,
  askAgainMs: 30_000,
  storage: { ru: 'disk:ru', eu: 'disk:eu', us: 'disk:us', cn: 'disk:cn' },
};

export async function openTradeScene(): Promise<TradeScene> {
  const database = await testDatabase();
  const { db } = database;
  let offsetMs = 0;
  const nowMs = (): number => Date.now() + offsetMs;
  const bank = memoryPaymentProvider({ sha256, nowMs });
  const ledger = await openEmbeddedLedger({ db, key: ledgerKeyFromSeed(new Uint8Array(32).fill(7)) });
  // Scenes move the market's time on; a rogue orchestrator must get as far as the market itself lets it.
  await agreeOnWindow(ledger, 0);
  const problems: unknown[] = [];
  const compose = (wrappers: Wrappers = {}): TradeDeps => {
    const provider = wrappers.provider?.(bank) ?? bank;
    const store = createTradeStore(db);
    return {
      store: wrappers.store?.(store) ?? store,
      ids,
      sha256,
      clock: { nowMs },
      providers: { forRegion: () => provider },
      ledger: wrappers.ledger?.(ledger) ?? ledger,
      identities,
      terms,
      onProblem: (_, error) => problems.push(error),
    };
  };
  const deps = compose();
  const exchange = await openWork(db, deps);
  let handedOver = 0;
  const scene: TradeScene = {
    database,
    db,
    bank,
    ledger,
    exchange,
    deps,
    problems,
    compose,
    nowMs,
    async deliverWebhooks() {
      for (const delivery of bank.deliveries.slice(handedOver)) {
        handedOver += 1;
        try {
          await receiveWebhook(deps, { region: 'eu', ...delivery });
        } catch (error) {
          // Too old to be believed, since a test has moved time on: as good as lost.
          if (!(error instanceof Refusal) || error.code !== 'webhook.unverified') throw error;
        }
      }
    },
    async pass(ms) {
      offsetMs += ms;
      await database.owner.query(
        `CREATE OR REPLACE FUNCTION assay_now() RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE
         AS 'SELECT clock_timestamp() + ${offsetMs} * interval ''1 millisecond'''`,
      );
    },
    quiet: () => settleDown(scene),
    async close() {
      await exchange.close();
      await database.drop();
    },
  };
  return scene;
}

async function openWork(db: Database, deps: TradeDeps): Promise<Exchange> {
  const endings = tradeEndings({ verified: workVerified, failed: (tx, job) => workFailed(deps, tx, job) });
  return await openExchange({
    store: createWorkStore({ db, server: 'server-0', challengeWindowMs, endings }),
    clock: { nowMs: () => Date.now() },
    ids,
    sha256,
    verifySignature: opensslVerifier(),
    ignoreNetwork: true,
  });
}

async function settleDown(scene: TradeScene): Promise<void> {
  for (let round = 0; round < 20; round += 1) {
    await scene.deliverWebhooks();
    await runToQuiet(scene.deps);
    const before = scene.bank.deliveries.length;
    scene.bank.settle();
    if (before === scene.bank.deliveries.length && (await isIdle(scene))) return;
    await scene.deliverWebhooks();
    // Whatever waits for a lease, a pause or a lost webhook comes round again.
    await scene.pass(1_900_000);
  }
  const left = await scene.db.query(
    `SELECT 'outbox' AS what, kind || ' ' || op || ' ' || state || ' ' || coalesce(last_error, '') AS row FROM outbox
       WHERE state NOT IN ('done', 'failed')
     UNION ALL SELECT 'inbox', event_key || ' ' || state FROM inbox WHERE state NOT IN ('done', 'ignored')
     UNION ALL SELECT 'transfer', id || ' ' || state FROM transfer WHERE state NOT IN ('succeeded', 'failed', 'canceled')
     UNION ALL SELECT 'job', id || ' ' || state FROM job WHERE state NOT IN ('completed', 'refunded', 'cancelled')`,
  );
  throw new Error(`the market does not come to rest: ${JSON.stringify(left, null, 1)}`);
}

/** Whether no message waits and no movement is under way. */
async function isIdle({ db }: TradeScene): Promise<boolean> {
  const [row] = await db.query<{ idle: boolean }>(
    `SELECT NOT EXISTS (SELECT FROM outbox WHERE state IN ('ready', 'sending', 'unknown'))
       AND NOT EXISTS (SELECT FROM inbox WHERE state IN ('received', 'parked'))
       AND NOT EXISTS (SELECT FROM transfer WHERE state IN ('pending', 'in_transit'))
       AND NOT EXISTS (SELECT FROM job WHERE state = 'verified') AS idle`,
  );
  return row?.idle === true;
}

/** A provider of work with a device and, usually, an account at the bank. */
export async function addProvider(scene: TradeScene, options: { account?: boolean } = {}): Promise<Device> {
  const device = await addDevice(scene.db);
  if (options.account !== false) await addDestination(scene, device.owner);
  return device;
}

export async function addDestination(scene: TradeScene, owner: AccountId, region: Region = 'eu'): Promise<string> {
  const made = await scene.bank.createRecipient(owner, `recipient-${owner}-${Math.random()}`);
  if (made.kind !== 'ok') throw new Error('the bank opens accounts');
  await scene.db.query('INSERT INTO payout_account (id, account_id, region, destination) VALUES ($1, $2, $3, $4)', [
    `poa_${ids.next()}`,
    owner,
    region,
    made.value,
  ]);
  return made.value;
}

export interface Order {
  readonly chunks?: number;
  readonly redundancy?: number;
  readonly budgetUsd?: number;
}

const file = (path: string): Tree[number] => ({
  path,
  sizeBytes: 0,
  sha256: Buffer.from(sha256(utf8(path))).toString('hex') as Sha256Hex,
});

export const bundle: Tree = [file('main.py'), file('requirements.txt')];

export function manifestOf(wanted: Order = {}): Record<string, unknown> {
  return {
    name: 'a test',
    runner,
    entry_point: 'main.py',
    parallelism: { chunks: wanted.chunks ?? 1 },
    resources: { cpu_cores: 1, memory_gb: 1, expected_minutes: 600 },
    timeout_hours: 10,
    verification: { type: 'exact', redundancy: wanted.redundancy ?? 3 },
    budget_usd: wanted.budgetUsd ?? 100,
  };
}

/** A customer with a job that waits for its payment. */
export async function order(
  scene: TradeScene,
  options: Order = {},
): Promise<{ readonly customer: AccountId; readonly job: JobId }> {
  const customer = await addAccount(scene.db);
  const { job } = await createJob(scene.deps, {
    customer,
    manifest: manifestOf(options),
    bundle,
    idempotencyKey: `order-${ids.next()}`,
  });
  return { customer, job: job.id };
}

/** A funded job. */
export async function fund(
  scene: TradeScene,
  options: Order = {},
): Promise<{ readonly customer: AccountId; readonly job: JobId }> {
  const made = await order(scene, options);
  await payJob(scene.deps, { ...made, method: 'instant' });
  await scene.deliverWebhooks();
  await runToQuiet(scene.deps);
  return made;
}

/**
 * Lets devices work until no unit is open: each claims, commits and reveals; `lies` picks results that differ. Rounds
 * repeat, so that replacements are run as well.
 */
export async function work(
  scene: TradeScene,
  devices: readonly Device[],
  lies: (device: Device, ordinal: number) => boolean = () => false,
): Promise<void> {
  for (let round = 0; round < 20; round += 1) {
    const held = new Map<Device, Result[]>();
    for (const device of devices) {
      const { offers } = await say(scene.exchange, device, { claim: 16 });
      if (offers.length === 0) continue;
      const results = offers.map((offer) =>
        resultOf(offer, lies(device, offer.ordinal) ? `lie ${device.id}` : `honest ${offer.ordinal}`),
      );
      held.set(device, results);
    }
    if (held.size === 0) return;
    for (const [device, commits] of held) await say(scene.exchange, device, { commits });
    for (const [device, results] of held) {
      const { reveal } = await say(scene.exchange, device, {});
      const reveals = results.filter((result) => reveal.includes(result.offer.replica));
      await say(scene.exchange, device, { reveals });
    }
  }
}

/** Everything that the bank holds for the platform, in minor units. */
export async function bankBalance(scene: TradeScene): Promise<bigint> {
  const balance = await scene.bank.balance('USD');
  if (balance.kind !== 'ok') throw new Error('the bank answers');
  return balance.value.minor;
}

/** The code that `run` is refused with, or `nothing`. */
export async function refusal(run: () => Promise<unknown>): Promise<string> {
  try {
    await run();
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
  return 'nothing';
}
