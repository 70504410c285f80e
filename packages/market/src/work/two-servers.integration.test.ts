import { array, assert, asyncProperty, boolean, constantFrom, integer, record } from 'fast-check';
import { newId } from '@assay/core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ExchangeReply, Offer } from './exchange-reply.ts';
import { createJobFacts } from './job-facts.ts';
import { sweepWork } from './sweep-work.ts';
import {
  addAccount,
  addDevice,
  addJob,
  ids,
  openScene,
  resultOf,
  say,
  sha256,
  type Device,
  type Result,
  type Scene,
} from './work-scene.setup.ts';

let scene: Scene;
beforeAll(async () => {
  scene = await openScene(2);
});
afterAll(() => scene.close());

/** How a simulated worker behaves: the share of its runs in which it does so, in percent. */
interface Manners {
  readonly lies: number;
  readonly vanishes: number;
  readonly fails: number;
  /** Sends each request twice, the second time to the other server. */
  readonly repeats: boolean;
}

const honest: Manners = { lies: 0, vanishes: 0, fails: 0, repeats: false };

/** One worker's state over its requests. */
interface Runner {
  readonly device: Device;
  readonly manners: Manners;
  readonly runs: Map<string, Result>;
  toCommit: Result[];
  toReveal: readonly string[];
  toFail: string[];
  gone: boolean;
}

function runnerOf(device: Device, manners: Manners): Runner {
  return { device, manners, runs: new Map(), toCommit: [], toReveal: [], toFail: [], gone: false };
}

/** One request of a worker to a server drawn by `next`; `next(n)` is a whole number below n. */
async function step(runner: Runner, next: (n: number) => number): Promise<ExchangeReply> {
  const reveals = runner.toReveal.flatMap((replica) => runner.runs.get(replica) ?? []);
  const saying = {
    request: newId('request', ids),
    commits: runner.toCommit,
    reveals,
    failures: runner.toFail.map((replica) => ({ replica: replica as Offer['replica'], reason: 'no disk' })),
    claim: 1 + next(4),
  };
  const servers = [next(2), next(2)];
  const answers = await Promise.all(
    servers
      .slice(0, runner.manners.repeats ? 2 : 1)
      .map((server) => say(scene.exchanges[server], runner.device, saying)),
  );
  const [reply] = answers;
  if (!reply) throw new Error('somebody answers');
  runner.toCommit = [];
  runner.toFail = [];
  for (const offer of reply.offers) {
    const dice = next(100);
    if (dice < runner.manners.vanishes) continue;
    if (dice < runner.manners.vanishes + runner.manners.fails) {
      runner.toFail.push(offer.replica);
      continue;
    }
    const lie = next(100) < runner.manners.lies;
    const result = resultOf(offer, lie ? `lie ${runner.device.id}` : `unit ${offer.ordinal}`);
    runner.runs.set(offer.replica, result);
    runner.toCommit.push(result);
  }
  runner.toReveal = reply.reveal;
  return reply;
}

/** Makes everything that waits for time overdue, and sweeps. */
async function passTime(): Promise<void> {
  const { db } = scene.database;
  await db.query(`UPDATE desk SET seen_at = seen_at - interval '1 h'`);
  await db.query(`UPDATE replica SET lease_until = lease_until - interval '1 h' WHERE state = 'leased'`);
  await db.query(
    `UPDATE unit SET reveal_due_at = reveal_due_at - interval '1 h', wanted_since = wanted_since - interval '1 h'`,
  );
  for (let round = 0; round < 3; round += 1) {
    await sweepWork({ store: scene.store, facts: createJobFacts(scene.store), ids, sha256 });
  }
}

async function openUnitsOf(jobs: readonly string[]): Promise<number> {
  const [row] = await scene.database.db.query<{ count: bigint }>(
    `SELECT count(*) FROM unit JOIN job ON job.id = job_id
     WHERE job.id = ANY($1) AND job.state = 'funded' AND unit.state NOT IN ('agreed', 'undecided')`,
    [jobs],
  );
  return Number(row?.count ?? 0n);
}

/** What the tables contradict themselves in; nothing, or the rule is broken. */
async function contradictions(jobs: readonly string[]): Promise<Record<string, unknown>> {
  const [row] = await scene.database.db.query<Record<string, bigint>>(
    `SELECT
       (SELECT count(*) FROM unit u WHERE job_id = ANY($1) AND state = 'agreed' AND
          (SELECT count(*) FROM replica r WHERE r.unit_id = u.id AND r.state IN ('agreed', 'failed'))
            <= (SELECT redundancy / 2 FROM job WHERE id = u.job_id)) AS "agreed without quorum",
       (SELECT count(*) FROM replica r JOIN unit u ON u.id = r.unit_id WHERE u.job_id = ANY($1)
          AND r.state = 'agreed' AND r.digest <> u.agreed_digest) AS "paid for another result",
       (SELECT count(*) FROM (SELECT FROM replica WHERE job_id = ANY($1) AND state <> 'lost' GROUP BY unit_id, owner_id HAVING count(*) > 1) x)
         AS "one owner twice",
       (SELECT count(*) FROM unit u WHERE job_id = ANY($1) AND planned - wanted <>
          (SELECT count(*) FROM replica r WHERE r.unit_id = u.id)) AS "plan and replicas differ",
       (SELECT count(*) FROM job j WHERE id = ANY($1) AND (units_agreed <>
          (SELECT count(*) FROM unit u WHERE u.job_id = j.id AND u.state = 'agreed') OR verdicts <> units_agreed OR
          verdicts <> (SELECT count(*) FROM verdict v WHERE v.job_id = j.id))) AS "counters and units differ",
       (SELECT count(*) FROM job j WHERE id = ANY($1) AND replicas_running <> (SELECT count(*) FROM replica r
          WHERE r.job_id = j.id AND r.state IN ('leased', 'committed'))) AS "running and replicas differ",
       (SELECT count(*) FROM job WHERE id = ANY($1) AND state = 'verified' AND verdicts_submitted <> verdicts)
         AS "verified before the ledger was told",
       (SELECT count(*) FROM replica r WHERE job_id = ANY($1) AND state IN ('leased', 'committed') AND NOT EXISTS
          (SELECT FROM desk WHERE worker_id = r.worker_id AND r.id = ANY(held))) AS "held but not on a desk",
       (SELECT count(*) FROM unit WHERE job_id = ANY($1) AND (wanted > 0 AND state IN ('agreed', 'undecided')))
         AS "ended but wanted"`,
    [jobs],
  );
  return Object.fromEntries(Object.entries(row ?? {}).filter(([, count]) => count !== 0n));
}

describe('two servers on one database', () => {
  test('hand each unit to different owners and finish 200 units × 3 replicas of six workers at once', async () => {
    const job = await addJob(scene.database.db, { chunks: 200 });
    const runners = await Promise.all(
      Array.from({ length: 6 }, async () => runnerOf(await addDevice(scene.database.db), honest)),
    );
    let seed = 1;
    const next = (n: number): number => {
      seed = (seed * 16_807) % 2_147_483_647;
      return seed % n;
    };
    for (let round = 0; round < 400 && (await openUnitsOf([job])) > 0; round += 1) {
      await Promise.all(runners.map((runner) => step(runner, next)));
    }
    expect(await contradictions([job])).toEqual({});
    const [row] = await scene.database.db.query('SELECT state, units_agreed FROM job WHERE id = $1', [job]);
    expect(row).toEqual({ state: 'verified', units_agreed: 200 });
  });

  test('wake requests that wait at the other one', async () => {
    const job = await addJob(scene.database.db, { redundancy: 2 });
    const [one, two] = await Promise.all([addDevice(scene.database.db), addDevice(scene.database.db)]);
    const first = await say(scene.exchanges[0], one, { claim: 1 });
    const second = await say(scene.exchanges[1], two, { claim: 1 });
    const results = [...first.offers, ...second.offers].map((offer) => resultOf(offer));
    expect(results.map((result) => result.offer.job)).toEqual([job, job]);
    await say(scene.exchanges[0], one, { commits: results.slice(0, 1) });
    const waiting = say(scene.exchanges[0], one, { waitMs: 15_000 });
    await new Promise((resolve) => {
      setTimeout(resolve, 100);
    });
    await say(scene.exchanges[1], two, { commits: results.slice(1) });
    expect((await waiting).reveal).toEqual([results[0]?.offer.replica]);
    const other = await addDevice(scene.database.db);
    const hungry = say(scene.exchanges[1], other, { claim: 1, waitMs: 15_000 });
    const next = await addJob(scene.database.db, { redundancy: 1 });
    expect((await hungry).offers.map((offer) => offer.job)).toEqual([next]);
  });

  test(
    'keep every rule whatever workers do and however often they repeat themselves',
    { timeout: 120_000 },
    async () => {
      const manners = record({
        lies: constantFrom(0, 0, 0, 30, 100),
        vanishes: constantFrom(0, 0, 20),
        fails: constantFrom(0, 0, 20),
        repeats: boolean(),
      });
      const plan = record({
        workers: array(manners, { minLength: 3, maxLength: 7 }),
        sharedOwner: boolean(),
        chunks: integer({ min: 1, max: 6 }),
        redundancy: integer({ min: 1, max: 4 }),
        merge: boolean(),
        seed: integer({ min: 1, max: 2_147_483_646 }),
      });
      await assert(
        asyncProperty(plan, async ({ workers, sharedOwner, chunks, redundancy, merge, seed: start }) => {
          let seed = start;
          const next = (n: number): number => {
            seed = (seed * 16_807) % 2_147_483_647;
            return seed % n;
          };
          await scene.database.db.query('UPDATE unit SET wanted = 0 WHERE wanted > 0');
          const owner = sharedOwner ? await addAccount(scene.database.db) : undefined;
          const runners = await Promise.all(
            workers.map(async (one, index) =>
              runnerOf(await addDevice(scene.database.db, index < 2 ? owner : undefined), one),
            ),
          );
          const job = await addJob(scene.database.db, { chunks, redundancy, merge });
          for (let round = 0; round < 12 && (await openUnitsOf([job])) > 0; round += 1) {
            await Promise.all(runners.map((runner) => step(runner, next)));
            if (round % 4 === 3) await passTime();
          }
          expect(await contradictions([job])).toEqual({});
        }),
        { numRuns: 25 },
      );
    },
  );
});
