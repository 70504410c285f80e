/** What may happen next: each step is one move of somebody, taken on a server where it needs one. */

import { tradeProcesses } from '@assay/market';
import { openBankAccount } from './open-world.ts';
import { collectPost, deliverPost } from './post-office.ts';
import { arbiterRules, customerMoves } from './simulated-customer.ts';
import { startServer, type SimulatedServer } from './simulated-server.ts';
import { speak } from './simulated-worker.ts';
import type { World } from './world.ts';

/** A move that has begun; it resolves to what came of it. */
export interface Step {
  readonly name: string;
  readonly run: () => Promise<string>;
}

type Chooser = (world: World) => Step | undefined;

/** How often a step that would probably find nothing to do is left out. */
const idleRate = 0.9;

/** How often each kind of move is chosen, relative to the others. */
const choosers: readonly (readonly [weight: number, Chooser])[] = [
  [50, workersSpeak],
  [40, processRuns],
  [10, customerStep],
  [2, arbiterStep],
  [8, postStep],
  [3, bankDay],
  [9, timePasses],
  [1, serverDies],
  [10, serverStarts],
  [1, ledgerChanges],
];
const totalWeight = choosers.reduce((sum, [weight]) => sum + weight, 0);

/** The next move, or undefined where the chosen kind has none. */
export function chooseStep(world: World): Step | undefined {
  let at = world.random.below(totalWeight);
  for (const [weight, choose] of choosers) {
    if (at < weight) return choose(world);
    at -= weight;
  }
  return undefined;
}

function anyServer({ servers, random }: World): SimulatedServer | undefined {
  const alive = servers.filter((server) => server.alive);
  return alive.length === 0 ? undefined : random.pick(alive);
}

/** Up to three devices send a request at the same time, so that they share a tick. */
function workersSpeak(world: World): Step | undefined {
  const server = anyServer(world);
  if (!server || (!world.outlook.work && world.random.chance(idleRate))) return undefined;
  const count = world.random.between(1, 3);
  const speakers = new Set(Array.from({ length: count }, () => world.random.pick(world.workers)));
  const names = [...speakers].map((worker) => worker.name).join(', ');
  return {
    name: `${names} to ${server.name}`,
    run: async () => (await all([...speakers].map((worker) => speak(world, worker, server)))).join(' | '),
  };
}

/** Waits for all before it throws the first failure, so that nothing goes on behind the simulation's back. */
async function all(moves: readonly Promise<string>[]): Promise<string[]> {
  const ends = await Promise.allSettled(moves);
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed) throw failed.reason;
  return ends.flatMap((end) => (end.status === 'fulfilled' ? end.value : []));
}

function processRuns(world: World): Step | undefined {
  const server = anyServer(world);
  if (!server) return undefined;
  const { processes } = world.outlook;
  const isIdle = processes.length === 0 || world.random.chance(0.1);
  if (isIdle && world.random.chance(idleRate)) return undefined;
  const index = isIdle ? world.random.below(tradeProcesses.length + 1) : world.random.pick(processes);
  const process = tradeProcesses[index];
  if (!process) return { name: `${server.name} sweeps`, run: async () => `${await server.sweep()} ended` };
  return { name: `${server.name} ${process.name}`, run: async () => `${await process.run(server.trade)} done` };
}

function customerStep(world: World): Step | undefined {
  const server = anyServer(world);
  if (!server) return undefined;
  const customer = world.random.pick(world.customers);
  return { name: `${customer.orderKey} at ${server.name}`, run: () => customerMoves(world, customer, server) };
}

function arbiterStep(world: World): Step | undefined {
  const server = anyServer(world);
  return server && { name: `arbiter at ${server.name}`, run: () => arbiterRules(world, server) };
}

function postStep(world: World): Step | undefined {
  const server = anyServer(world);
  if (!server) return undefined;
  collectPost(world);
  return { name: `post to ${server.name}`, run: () => deliverPost(world, server) };
}

/** The bank ends what is under way; payouts to closed accounts come back and their owners open new ones. */
export function bankDay(world: World): Step {
  const { random, bank, site, workers } = world;
  return {
    name: 'the bank settles',
    async run() {
      bank.settle(() => !world.isEnding && random.chance(site.scenario.payoutFailures));
      for (const owner of new Set(workers.map((worker) => worker.owner))) await openBankAccount(world, owner);
      return 'done';
    },
  };
}

const secondMs = 1000;

function timePasses(world: World): Step {
  const { random } = world;
  const most = random.pick([1, 10, 10, 10, 70, 70, 700]) * secondMs;
  const isLong = random.chance(world.outlook.work ? 0.03 : 0.15);
  const ms = isLong ? random.below(3 * 3600 * secondMs) : random.below(most);
  return passing(world, ms);
}

export function passing(world: World, ms: number): Step {
  return {
    name: `${ms} ms pass`,
    async run() {
      await world.site.clock.pass(ms);
      return '';
    },
  };
}

function serverDies(world: World): Step | undefined {
  const server = anyServer(world);
  return (
    server && {
      name: `${server.name} is killed`,
      run: async () => {
        server.kill();
        return '';
      },
    }
  );
}

/** A dead server comes back with an empty memory. */
export function serverStarts(world: World): Step | undefined {
  const index = world.servers.findIndex((server) => !server.alive);
  const dead = world.servers[index];
  if (!dead) return undefined;
  return {
    name: `${dead.name} starts`,
    async run() {
      world.servers[index] = await startServer(world.site, dead.name, world.site.scenario.serverSkewsMs[index] ?? 0);
      return '';
    },
  };
}

function ledgerChanges(world: World): Step {
  const { faults } = world.site;
  return {
    name: 'the ledger',
    async run() {
      faults.ledgerIsDown = !faults.ledgerIsDown && world.site.scenario.rates.connection > 0;
      return faults.ledgerIsDown ? 'goes down' : 'is up';
    },
  };
}
