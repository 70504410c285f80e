import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fact } from '@assay/core';
import {
  agreeOnWindow,
  ledgerKeyFromSeed,
  networkStatus,
  openFabricLedger,
  startNetwork,
  stopNetwork,
  toolsFolder,
  verifyFabricLedger,
  type FabricLedger,
} from '@assay/ledger';
import { systemClock } from '@assay/server';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openWholeMarket, submit, untilEnded, type WholeMarket } from './whole-market.setup.ts';

const { env } = process;
const tools = env['ASSAY_TOOLS_DIR'] ?? join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'assay', 'tools');
const peer = join(toolsFolder(tools, 'raft'), 'peer');
const isMissing = !existsSync(peer);
const isRequired = (env['ASSAY_REQUIRE'] ?? '').split(/[\s,]+/).includes('fabric');

const key = ledgerKeyFromSeed(new Uint8Array(32).fill(7));
const channel = 'public-marketplace';
const files = { 'main.py': 'import os\nos.makedirs("results", exist_ok=True)\nopen("results/a", "w").write("a")\n' };
const manifest = {
  resources: { memory_gb: 0.25, expected_minutes: 0.1 },
  timeout_hours: 0.05,
  verification: { type: 'exact', redundancy: 2 },
  environment: { random_seed: 1 },
};
const factsOfJob = [
  'ContractListed',
  'ContractFunded',
  'WorkSubmitted',
  'ContractVerified',
  'ChallengeTimerStarted',
  'PayoutTriggered',
  'ContractCompleted',
  'ResultsRecorded',
];

let folder: string;
let ledger: FabricLedger | undefined;
let market: WholeMarket | undefined;

const start = () => startNetwork({ folder, tools, clock: systemClock });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-away-'));
  if (isMissing) return;
  const { profile } = await start();
  market = await openWholeMarket({
    workers: 2,
    capacity: 1,
    ledger: {
      async open(db) {
        ledger = await openFabricLedger({ db, key, profile, clock: systemClock, onProblem: () => undefined });
        await agreeOnWindow(ledger, 1000);
        return ledger;
      },
      verify: (db) => verifyFabricLedger({ db, key, profile, channel, clock: systemClock }),
    },
  });
}, 120_000);
afterAll(async () => {
  await market?.close();
  await ledger?.close();
  await stopNetwork(folder, { erase: true });
  await rm(folder, { recursive: true, force: true });
});

async function allFacts(): Promise<readonly Fact[]> {
  return (await ledger?.facts(1n, 1000)) ?? [];
}

const namesOf = (facts: readonly Fact[], job: string): string[] =>
  facts.filter((fact) => fact.payload.includes(`"job":"${job}"`)).map(({ name }) => name);

test.skipIf(isMissing && !isRequired)(
  `the market works while the ledger is away, and catches up (needs ${peer}: run deploy/tools/build fabric)`,
  { timeout: 300_000 },
  async () => {
    expect(isMissing, `${peer} is required`).toBe(false);
    if (!market) throw new Error('there is no market');
    const { customer, running, faults } = market;
    const before = await submit(customer, manifest, files);
    await untilEnded(customer, [before.id], 100_000);

    // Only the contract servers stay: neither order nor state can be had.
    const { programs } = await networkStatus(folder);
    for (const { name, pid } of programs)
      if (!name.startsWith('contracts') && pid !== null) process.kill(pid, 'SIGKILL');
    const job = await submit(customer, manifest, files);
    await expect.poll(async () => (await customer.getJob(job.id)).state, { timeout: 100_000 }).toBe('verified');
    // Its window passes and still no money moves: only a fact lets it go.
    await sleep(3000);
    expect((await customer.getJob(job.id)).state).toBe('verified');
    expect(namesOf(await allFacts(), job.id)).toEqual([]);
    expect((await fetch(`${running.url}/health`)).status).toBe(200);

    expect((await start()).how).toBe('started');
    const [done] = await untilEnded(customer, [job.id], 150_000);
    expect(done?.state).toBe('completed');
    await expect
      .poll(async () => namesOf(await allFacts(), job.id).toSorted(), { timeout: 60_000 })
      .toEqual(factsOfJob.toSorted());
    expect(namesOf(await allFacts(), before.id).toSorted()).toEqual(factsOfJob.toSorted());
    expect(await faults([before.id, job.id])).toEqual([]);
  },
);
