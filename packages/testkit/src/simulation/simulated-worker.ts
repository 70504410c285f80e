/** A worker's side of the exchange: what it holds, what it says next, and what it makes of the answer. */

import {
  emptySha256,
  commitmentOf,
  Refusal,
  treeDigest,
  type AccountId,
  type ReplicaId,
  type Sha256Hex,
} from '@assay/core';
import type { ExchangeReply } from '@assay/market';
import { runUnit } from './run-unit.ts';
import type { WorkerPlan } from './scenario.ts';
import { writeLetter, type Device, type Letter, type RunResult, type Saying } from './simulated-device.ts';
import { sha256, type SimulatedServer } from './simulated-server.ts';
import type { World } from './world.ts';

/** A replica that a worker has taken. */
interface Held {
  readonly result: RunResult;
  readonly readyAtMs: number;
  isCommitted: boolean;
  mayReveal: boolean;
  isUploaded: boolean;
}

export interface SimulatedWorker {
  readonly device: Device;
  readonly owner: AccountId;
  readonly plan: WorkerPlan;
  readonly name: string;
  readonly held: Map<ReplicaId, Held>;
  readonly forgotten: Set<ReplicaId>;
  /** Sent, but not answered: it is sent again as it is. */
  unanswered: Letter | undefined;
  isSpeaking: boolean;
}

export function simulatedWorker(name: string, device: Device, owner: AccountId, plan: WorkerPlan): SimulatedWorker {
  return { name, device, owner, plan, held: new Map(), forgotten: new Set(), unanswered: undefined, isSpeaking: false };
}

/** One request of a worker to a server, and the answer. Devices say one thing at a time. */
export async function speak(world: World, worker: SimulatedWorker, server: SimulatedServer): Promise<string> {
  if (worker.isSpeaking) return 'still waits for an answer';
  worker.isSpeaking = true;
  try {
    misbehave(world, worker);
    if (!worker.unanswered) {
      await upload(worker, server);
      worker.unanswered = writeLetter(worker.device, nextSaying(world, worker), world.site.clock.nowMs(), world.ids);
    }
    const { saying, headers, raw } = worker.unanswered;
    const reply = await server.exchange.handle(headers, raw);
    worker.unanswered = undefined;
    hear(world, worker, saying, reply);
    return summaryOf(saying, reply);
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== 'request.stale') throw error;
    worker.unanswered = undefined;
    return 'stale';
  } finally {
    worker.isSpeaking = false;
  }
}

function misbehave(world: World, worker: SimulatedWorker): void {
  if (world.isEnding || worker.plan.temperament !== 'crasher' || !world.random.chance(0.15)) return;
  // Finished results are on the shelf; what was running and what was being sent is gone.
  worker.unanswered = undefined;
  for (const [replica, held] of worker.held) {
    held.mayReveal = false;
    if (held.readyAtMs > world.site.clock.nowMs()) worker.held.delete(replica);
  }
}

/** Hands over the outputs that the market is told to expect. */
async function upload(worker: SimulatedWorker, server: SimulatedServer): Promise<void> {
  for (const [replica, held] of worker.held) {
    if (!held.mayReveal || held.isUploaded) continue;
    try {
      for (const file of held.result.outputs.filter((one) => one.sizeBytes > 0)) {
        await server.work.recordUpload({ worker: worker.device.id, replica, ...file });
      }
      held.isUploaded = true;
    } catch (error) {
      if (!(error instanceof Refusal) || error.code !== 'replica.wrong_state') throw error;
      worker.held.delete(replica);
    }
  }
}

function nextSaying(world: World, worker: SimulatedWorker): Saying {
  const nowMs = world.site.clock.nowMs();
  const held = [...worker.held];
  const isReady = (one: Held): boolean => world.isEnding || one.readyAtMs <= nowMs;
  const commits = held
    .filter(([, one]) => !one.isCommitted && isReady(one))
    .map(([replica, { result }]) => ({ replica, commitment: commitmentFor(worker, result) }));
  const reveals = held
    .filter(([, one]) => one.isCommitted && one.mayReveal && one.isUploaded)
    .map(([, { result }]) => (deceives(world, worker) ? falsified(result) : result));
  const failures = [...worker.forgotten].map((replica) => ({ replica, reason: 'worker_forgot' }));
  const running = held.filter(([, one]) => !one.isCommitted).map(([replica]) => replica);
  return { commits, reveals, failures, running, claim: Math.max(0, worker.plan.slots - held.length) };
}

function deceives(world: World, worker: SimulatedWorker): boolean {
  return worker.plan.temperament === 'deceiver' && !world.isEnding && world.random.chance(0.5);
}

/** A result other than the one that was committed to. */
function falsified(result: RunResult): RunResult {
  const outputs = [...result.outputs, { path: 'more.txt', sizeBytes: 0, sha256: emptySha256 }];
  return { ...result, outputs, digest: treeDigest(sha256, outputs) };
}

function commitmentFor(worker: SimulatedWorker, { job, unit, nonce, digest }: RunResult): Sha256Hex {
  return commitmentOf(sha256, { job, unit, worker: worker.device.id, nonce, digest });
}

function hear(world: World, worker: SimulatedWorker, saying: Saying, reply: ExchangeReply): void {
  const { witnessed } = world;
  const codes = new Map(reply.refused.map(({ replica, code }) => [replica, code]));
  for (const { replica, commitment } of saying.commits) {
    const held = worker.held.get(replica);
    if (codes.has(replica)) worker.held.delete(replica);
    else {
      witnessed.commits.set(replica, commitment);
      if (held) held.isCommitted = true;
    }
  }
  for (const { replica } of saying.reveals) {
    const code = codes.get(replica);
    if (code === 'replica.reveal_closed') continue;
    if (code === undefined) witnessed.reveals.add(replica);
    worker.held.delete(replica);
  }
  for (const { replica } of saying.failures) worker.forgotten.delete(replica);
  for (const replica of reply.stop) worker.held.delete(replica);
  for (const replica of reply.reveal) {
    const held = worker.held.get(replica);
    if (held) held.mayReveal = true;
    else if (worker.plan.temperament === 'crasher') worker.forgotten.add(replica);
  }
  for (const offer of reply.offers) take(world, worker, offer, reply);
}

function take(
  world: World,
  worker: SimulatedWorker,
  offer: ExchangeReply['offers'][number],
  reply: ExchangeReply,
): void {
  const { random, witnessed, site } = world;
  const { temperament, owner } = worker.plan;
  const spec = reply.jobs[offer.job];
  if (!spec) throw new Error('an offer comes without its job');
  const run = runUnit(offer, spec, temperament, owner, random);
  witnessed.runs.set(offer.replica, { worker, ...run });
  const takesMs = random.below(temperament === 'slow' ? 300_000 : 30_000);
  if (temperament === 'vanisher' && !world.isEnding && random.chance(0.5)) return;
  const readyAtMs = site.clock.nowMs() + takesMs;
  worker.held.set(offer.replica, {
    result: run.result,
    readyAtMs,
    isCommitted: false,
    mayReveal: false,
    isUploaded: false,
  });
}

function summaryOf(saying: Saying, reply: ExchangeReply): string {
  const said = `${saying.commits.length} commits, ${saying.reveals.length} reveals, ${saying.failures.length} failures`;
  const refused = reply.refused.map(({ code }) => code).join(' ');
  return `${said}; ${reply.offers.length} offers, ${reply.reveal.length} to reveal, ${reply.stop.length} to stop ${refused}`;
}
