/** One simulation from its seed to its end, when nothing is left to do; throws what it found, with the last steps. */

import { tradeProcesses } from '@assay/market';
import { Crash, isMishap } from './crash.ts';
import { findFaults } from './invariants.ts';
import { lookAround } from './outlook.ts';
import { addWorker, openWorld, type WorldOptions } from './open-world.ts';
import { collectPost, deliverPost } from './post-office.ts';
import { isAtRest, leftOver } from './rest.ts';
import { arbiterRules, customerMoves } from './simulated-customer.ts';
import { speak } from './simulated-worker.ts';
import type { SimulatedServer } from './simulated-server.ts';
import type { SimulationDatabase } from './simulation-database.ts';
import { bankDay, chooseStep, passing, serverStarts, type Step } from './steps.ts';
import type { World } from './world.ts';

/** What a simulation that went well can tell. */
export interface SimulationReport {
  readonly seed: number;
  /** Equal for two runs of one seed. */
  readonly fingerprint: number;
  /** How many jobs ended in each state. */
  readonly endings: Readonly<Record<string, number>>;
}

/** A rule of the market that did not hold. */
export class SimulationFailure extends Error {}

/** Runs `options.seed` in an empty database. Throws `SimulationFailure`. */
export async function runSimulation(database: SimulationDatabase, options: WorldOptions): Promise<SimulationReport> {
  const world = await openWorld(database, options);
  try {
    await live(world);
    await end(world);
    const faults = await findFaults(world);
    if (faults.length > 0) throw new Error(`the market broke its rules:\n${faults.join('\n')}`);
  } catch (error) {
    world.site.turnstile.open = true;
    for (const server of world.servers) server.kill();
    await world.site.turnstile.settled();
    throw failureOf(world, options.seed, error);
  }
  const rows = await database.db.query<{ state: string; count: number }>(
    'SELECT state, count(*)::int AS count FROM job GROUP BY state ORDER BY state',
  );
  const endings = Object.fromEntries(rows.map(({ state, count }) => [state, count]));
  return { seed: options.seed, fingerprint: world.log.fingerprint, endings };
}

function failureOf(world: World, seed: number, error: unknown): SimulationFailure {
  const { message, stack } = error as Error;
  const text = `seed ${seed}: ${message}\nthe last steps:\n${world.log.lines().join('\n')}\n${stack ?? ''}`;
  return new SimulationFailure(text, { cause: error });
}

/** How many steps may be under way at once. */
const mostUnderWay = 4;
const stepsBetweenLooks = 6;

/** The part with faults: steps begin, wait for each other at every call to the outside, and end. */
async function live(world: World): Promise<void> {
  const { random, site, log } = world;
  const { turnstile } = site;
  const problems: unknown[] = [];
  turnstile.open = false;
  let underWay = 0;
  const begin = async (step: Step): Promise<void> => {
    underWay += 1;
    log.add(`${step.name} …`);
    try {
      log.add(`… ${step.name}: ${await step.run()}`);
    } catch (error) {
      log.add(`… ${step.name}: ${(error as Error).message}`);
      if (!isMishap(error)) problems.push(error);
    } finally {
      underWay -= 1;
    }
  };
  for (let count = 0; count < site.scenario.steps && problems.length === 0;) {
    const { waiting } = turnstile;
    if (waiting.length > 0 && (underWay >= mostUnderWay || random.chance(0.8))) {
      const one = random.pick(waiting);
      log.add(`${one.server}: ${one.label}`);
      turnstile.letThrough(one);
    } else {
      if (count % stepsBetweenLooks === 0) world.outlook = await lookAround(world);
      const step = chooseStep(world);
      count += 1;
      if (step) void begin(step);
    }
    await turnstile.settled();
  }
  site.faults.end();
  world.isEnding = true;
  turnstile.open = true;
  while (turnstile.waiting.length > 0) {
    const [one] = turnstile.waiting;
    if (one) turnstile.letThrough(one);
    await turnstile.settled();
  }
  if (problems.length > 0) throw problems[0];
  if (underWay > 0) throw new Error(`${underWay} steps hang`);
}

const mostRounds = 40;
/** Longer than most waits, shorter than what is left of a day after the first part: banks forget after a day. */
const pauseMs = 2 * 3_600_000;

/** The part without faults: everybody does what is left to do while hours pass, until nothing moves any more. */
async function end(world: World): Promise<void> {
  for (let round = 0; round < mostRounds; round += 1) {
    for (let step = serverStarts(world); step; step = serverStarts(world)) await take(world, step);
    await takeRound(world, round);
    if (await isAtRest(world)) return;
    await take(world, passing(world, pauseMs));
  }
  throw new Error(`the market does not come to rest:\n${(await leftOver(world)).join('\n')}`);
}

async function takeRound(world: World, round: number): Promise<void> {
  const server = world.servers[round % world.servers.length];
  if (!server) throw new Error('there is a server');
  for (const customer of world.customers) {
    await take(world, { name: `${customer.orderKey} ends`, run: () => customerMoves(world, customer, server) });
  }
  await take(world, { name: 'arbiter', run: () => arbiterRules(world, server) });
  await take(world, bankDay(world));
  for (collectPost(world); world.post.pending.size > 0; collectPost(world)) {
    await take(world, { name: 'post', run: () => deliverPost(world, server) });
  }
  await runProcesses(world, server);
  await work(world, server, round);
  await runProcesses(world, server);
}

/** Runs what is ready, until nothing is. */
async function runProcesses(world: World, server: SimulatedServer): Promise<void> {
  for (;;) {
    const { processes } = await lookAround(world);
    let done = 0;
    for (const index of processes) {
      const process = tradeProcesses[index];
      const run = process ? () => process.run(server.trade) : () => server.sweep();
      await take(world, {
        name: process?.name ?? 'sweep',
        async run() {
          const count = await run();
          done += count;
          return String(count);
        },
      });
    }
    if (done === 0) return;
  }
}

/** Workers speak until the units stand still; fresh ones join where a unit has seen everybody. */
async function work(world: World, server: SimulatedServer, round: number): Promise<void> {
  const newcomers = round > 0 && (await lookAround(world)).work ? 2 : 0;
  for (let joining = 0; joining < newcomers; joining += 1) {
    await addWorker(world, { owner: 1000 + world.workers.length, temperament: 'honest', slots: 8 });
  }
  for (let turn = 0; turn < mostRounds && (await lookAround(world)).work; turn += 1) {
    let moved = false;
    for (const worker of world.workers) {
      const before = worker.held.size;
      await take(world, { name: `${worker.name} ends`, run: () => speak(world, worker, server) });
      moved ||= before + worker.held.size + worker.forgotten.size > 0;
    }
    if (!moved) return;
  }
}

async function take(world: World, step: Step): Promise<void> {
  try {
    world.log.add(`${step.name}: ${await step.run()}`);
  } catch (error) {
    world.log.add(`${step.name}: ${(error as Error).message}`);
    if (error instanceof Crash) throw new Error('nothing fails any more, but a server crashed', { cause: error });
    throw error;
  }
}
