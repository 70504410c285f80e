import { setTimeout as sleep } from 'node:timers/promises';
import { Fault, type JobId, type Ledger } from '@assay/core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { payJob } from './pay-job.ts';
import { runToQuiet, startProcesses } from './processes.ts';
import {
  addProvider,
  bankBalance,
  challengeWindowMs,
  fund,
  openTradeScene,
  order,
  work,
  type TradeScene,
} from './trade-scene.setup.ts';

let scene: TradeScene;
beforeAll(async () => {
  scene = await openTradeScene();
});
afterAll(() => scene.close());

const jobOf = (id: JobId) => scene.deps.store.transaction((tx) => tx.jobs.find(id));

async function until(what: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    if (await what()) return;
    await sleep(25);
  }
  throw new Error('it does not happen');
}

describe('the background processes', () => {
  test('take a job to its payout by themselves, on two servers at once', async () => {
    const providers = await Promise.all(Array.from({ length: 3 }, () => addProvider(scene)));
    const servers = await Promise.all([startProcesses(scene.deps), startProcesses(scene.compose())]);
    const made = await order(scene, { chunks: 2 });
    await payJob(scene.deps, { ...made, method: 'instant' });
    await until(async () => (await jobOf(made.job))?.state === 'funded');
    await work(scene, providers);
    await scene.pass(challengeWindowMs + 1000);
    await until(async () => (await jobOf(made.job))?.state === 'completed');
    await until(async () => {
      scene.bank.settle();
      await scene.deliverWebhooks();
      const [row] = await scene.db.query<{ paid: number }>(
        `SELECT count(*)::int AS paid FROM transfer WHERE kind = 'payout' AND state = 'succeeded'`,
      );
      return row?.paid === 3;
    });
    await Promise.all(servers.map((server) => server.stop()));
    // 270 cents, of which each of three earned 90 and left 7.
    expect(await bankBalance(scene)).toBe(21n);
    expect(scene.problems).toEqual([]);
  });

  test('outlive an outage of the ledger and tell of it', async () => {
    let down = true;
    const flaky = (ledger: Ledger): Ledger => ({
      ...ledger,
      submit: async (submissions, as) => {
        if (down) throw new Fault('ledger.unavailable', 'nobody answers', { retry: true });
        return await ledger.submit(submissions, as);
      },
      facts: (position, limit) => ledger.facts(position, limit),
    });
    const { job } = await fund(scene);
    const made = await order(scene);
    const deps = scene.compose({ ledger: flaky });
    await expect(runToQuiet(deps)).rejects.toThrow('nobody answers');
    down = false;
    await scene.pass(10_000);
    await runToQuiet(deps);
    for (const id of [job, made.job]) {
      const text = await scene.ledger.evaluate('Contract', 'getContract', [id], deps.identities.orchestrator);
      expect(JSON.parse(text)).toMatchObject({ id });
    }
  });

  test('set aside a fact that contradicts the books, and go on', async () => {
    const providers = await Promise.all(Array.from({ length: 3 }, () => addProvider(scene)));
    const strange = await fund(scene);
    await work(scene, providers);
    // Somebody with the orchestrator's certificate ends a job on the ledger whose escrow is not in the window's state.
    await scene.db.query(`UPDATE job SET state = 'funded' WHERE id = $1`, [strange.job]);
    const honest = await fund(scene);
    await work(scene, providers);
    await runToQuiet(scene.deps);
    await scene.pass(challengeWindowMs + 1000);
    const calls = ['EscrowTrigger.triggerPayout', 'Contract.completeContract'].map((call) => {
      const [contract, fn] = call.split('.') as ['Contract' | 'EscrowTrigger', string];
      return { contract, fn, args: [strange.job], idempotencyKey: `by-hand/${call}` };
    });
    await scene.ledger.submit(calls, scene.deps.identities.orchestrator);
    await runToQuiet(scene.deps);
    expect(await jobOf(strange.job)).toMatchObject({
      state: 'funded',
      ledgerProblem: expect.stringContaining('funded'),
    });
    expect(await jobOf(honest.job)).toMatchObject({ state: 'completed', ledgerProblem: null });
  });
});
