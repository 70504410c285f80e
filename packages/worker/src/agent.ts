/**
 * The worker's agent: claims replicas, runs them in the sandbox, commits, uploads and reveals. It only ever calls out.
 * Everything that a reveal needs is on the disk before its commitment leaves.
 */

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { limits, Refusal, statementsRoot, type IdSource, type ReplicaId, type WorkerId } from '@assay/core';
import type { ExchangeRequest } from '@assay/client';
import { bell } from './bell.ts';
import { exchangeOnce, isFatal, type LaneDeps } from './exchange-lane.ts';
import { holdings, type Holding, type Holdings } from './holdings.ts';
import { logBatch, type LogBatch } from './log-batch.ts';
import { replicaShelf, type ReplicaShelf } from './replica-shelf.ts';
import type { CheckedOffer, CheckedReply } from './reply.ts';
import { runReplica, type RunDeps } from './run-replica.ts';
import type { WorkCalls } from './transport.ts';
import { sha256 } from './device-key.ts';

export interface AgentDeps extends Omit<RunDeps, 'shelf'> {
  readonly worker: WorkerId;
  readonly calls: WorkCalls;
  readonly workDir: string;
  /** Units that run at once. */
  readonly capacity: number;
  readonly ids: IdSource;
  /** Whether the owner of the machine allows more work now. */
  readonly mayClaim: () => boolean;
  /** Told why a run failed that its unit did not fail. */
  readonly onSandboxFault: (why: string) => void;
  /** Told what an operator should know, in one sentence each. */
  readonly note: (text: string) => void;
}

export interface Agent {
  /** `mayClaim` may answer otherwise from now on. */
  reconsider(): void;
  /** Ends what runs and gives it back; results that are there stay. */
  giveBack(): void;
  /** How many units run, and how many results wait until the market has seen them. */
  figures(): { readonly running: number; readonly waiting: number };
  /** Claims no more, gives back what runs, tells the server, and resolves when all is done. */
  stop(): Promise<void>;
  /** Resolves after `stop`; rejects when the server wants this worker no more. */
  readonly done: Promise<void>;
}

interface State {
  readonly deps: AgentDeps;
  readonly run: RunDeps;
  readonly lane: LaneDeps;
  readonly held: Holdings;
  readonly shelf: ReplicaShelf;
  readonly logs: LogBatch;
  readonly runs: Set<Promise<void>>;
  /** Removals from the disk under way. */
  readonly removals: Set<Promise<void>>;
  /** Something is to be told. */
  readonly news: ReturnType<typeof bell>;
  /** A place became free while a poll without claims waits. */
  freed: AbortController;
  readonly stopping: AbortController;
  readonly ended: AbortController;
}

/** Starts the agent of a registered worker on what its shelf still holds. */
export async function startAgent(deps: AgentDeps): Promise<Agent> {
  await mkdir(deps.workDir, { recursive: true, mode: 0o700 });
  const shelf = replicaShelf(join(deps.workDir, 'replicas'));
  const state: State = {
    deps,
    run: { ...deps, shelf },
    lane: { calls: deps.calls, ids: deps.ids, note: deps.note },
    held: holdings(deps.worker),
    shelf,
    logs: logBatch((lines) => deps.calls.sendLogs(lines)),
    runs: new Set(),
    removals: new Set(),
    news: bell(),
    freed: new AbortController(),
    stopping: new AbortController(),
    ended: new AbortController(),
  };
  await deps.driver.sweep();
  for (const { replica, unit, job, result } of await shelf.list()) {
    if (result) state.held.finish({ replica, unit, job, result });
    else state.held.fail(replica, 'worker_restarted');
  }
  state.news.ring();
  const done = live(state);
  // Whoever only stops the agent need not look at `done`.
  done.catch(() => {});
  return {
    done,
    reconsider: () => state.freed.abort(),
    giveBack: () => abortRuns(state),
    figures: () => ({ running: state.runs.size, waiting: state.held.all().length - state.held.running().length }),
    async stop() {
      state.stopping.abort();
      await done.catch(() => {});
    },
  };
}

async function live(state: State): Promise<void> {
  const { stopping, ended, held } = state;
  const halt = (error: unknown) => {
    ended.abort();
    stopping.abort();
    throw error;
  };
  const polling = pollLane(state).catch(halt);
  const reporting = reportLane(state).catch(halt);
  const results = await Promise.allSettled([polling, reporting]);
  for (const holding of held.all()) holding.abort.abort();
  await Promise.allSettled(state.runs);
  await Promise.allSettled(state.removals);
  await state.logs.flush();
  // Ends what still waits for the goodbye, which would keep the process.
  ended.abort();
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
}

/** Waits at the server for work and for news about what is committed. */
async function pollLane(state: State): Promise<void> {
  const { deps, stopping, held } = state;
  while (!stopping.signal.aborted) {
    state.freed = new AbortController();
    const free = deps.mayClaim() ? deps.capacity - state.runs.size : 0;
    const claim = Math.max(0, Math.min(free, limits.exchangeItems));
    const signal = claim > 0 ? stopping.signal : AbortSignal.any([stopping.signal, state.freed.signal]);
    const body: ExchangeRequest = { ...nothing, running: held.running(), claim, waitMs: limits.longPollMs };
    try {
      const reply = await exchangeOnce(state.lane, body, emptyRoot, signal);
      accept(state, body, reply);
      // The server repeats what may be revealed until it is, so a poll would come back at once.
      if (reply.offers.length === 0 && reply.reveal.length > 0) {
        await bell().wait(limits.workerRetryMs, stopping.signal);
      }
    } catch (error) {
      if (signal.aborted) continue;
      if (isFatal(error)) throw error;
      deps.note(`the server refused to hand out work: ${(error as Error).message}`);
      await bell().wait(limits.workerRetryMaxMs, stopping.signal);
    }
  }
}

const nothing = { commits: [], reveals: [], failures: [] } as const;
const emptyRoot = statementsRoot(sha256, [], []);

/** Tells the server what happened, and renews leases, until the agent stops and everything is told. */
async function reportLane(state: State): Promise<void> {
  const { held, stopping, ended } = state;
  let maxItems: number = limits.exchangeItems;
  stopping.signal.addEventListener('abort', () => void giveBack(state), { once: true });
  for (;;) {
    await state.news.wait(limits.leaseMs / 3, ended.signal);
    if (ended.signal.aborted || (stopping.signal.aborted && state.runs.size === 0 && !held.hasNews())) return;
    if (!held.hasNews() && held.running().length === 0) continue;
    const { body, root } = held.report(maxItems);
    try {
      accept(state, body, await exchangeOnce(state.lane, body, root, ended.signal));
      maxItems = limits.exchangeItems;
    } catch (error) {
      if (ended.signal.aborted) return;
      if (isFatal(error) || !(error instanceof Refusal)) throw error;
      if (error.code === 'request.malformed' || error.code === 'request.too_large') {
        maxItems = lessen(state, body, maxItems, error);
      } else {
        state.deps.note(`the server refused a report: ${error.message}`);
        await bell().wait(limits.workerRetryMaxMs, ended.signal);
      }
    }
    if (held.hasNews() || stopping.signal.aborted) state.news.ring();
  }
}

/** The server refused a whole report: halve it until the item that it cannot take stands alone, then drop that. */
function lessen(state: State, body: ExchangeRequest, maxItems: number, error: Refusal): number {
  const most = Math.max(body.commits.length, body.reveals.length, body.failures.length);
  if (most > 1) return Math.max(1, Math.floor(Math.min(maxItems, most) / 2));
  for (const { replica } of [...body.commits, ...body.reveals, ...body.failures]) {
    state.deps.note(`the server cannot take the report on ${replica}: ${error.message}`);
    const holding = state.held.all().find((one) => one.replica === replica);
    if (holding) drop(state, holding);
  }
  return maxItems;
}

function drop(state: State, { replica, abort }: Holding): void {
  abort.abort();
  state.held.forget(replica);
  void unshelve(state, replica);
}

/** Takes a replica off the disk; what cannot be removed now is found again at the next start. */
function unshelve(state: State, replica: ReplicaId): Promise<void> {
  const removal = state.shelf.remove(replica).catch((error: unknown) => {
    state.deps.note(`${replica} stays on the shelf: ${(error as Error).message}`);
  });
  state.removals.add(removal);
  void removal.finally(() => state.removals.delete(removal));
  return removal;
}

/** Ends all runs, so that their replicas are given back, and bounds how long the goodbye may take. */
async function giveBack(state: State): Promise<void> {
  abortRuns(state);
  const late = setTimeout(() => state.ended.abort(), limits.workerStopMs);
  state.ended.signal.addEventListener('abort', () => clearTimeout(late), { once: true });
  await Promise.allSettled(state.runs);
  state.news.ring();
}

function abortRuns(state: State): void {
  for (const holding of state.held.all()) if (holding.phase === 'running') holding.abort.abort();
}

function accept(state: State, sent: ExchangeRequest, reply: CheckedReply): void {
  const { held, deps, stopping } = state;
  const effects = held.heard(sent, reply);
  for (const text of effects.notes) deps.note(text);
  for (const replica of effects.drop) void unshelve(state, replica);
  for (const holding of effects.upload) void upload(state, holding);
  for (const { replica, reason } of reply.declined) if (!held.get(replica)) held.fail(replica, reason);
  for (const offer of reply.offers) {
    if (held.get(offer.replica)) continue;
    if (stopping.signal.aborted) held.fail(offer.replica, 'worker_stopping');
    else if (!deps.mayClaim()) held.fail(offer.replica, 'worker_resting');
    else begin(state, offer);
  }
  if (held.hasNews()) state.news.ring();
}

function begin(state: State, offer: CheckedOffer): void {
  const { held, logs } = state;
  const holding = held.take(offer.replica);
  const log = logs.open(offer.replica);
  const follow = async () => {
    const end = await runReplica(state.run, offer, log.sink, holding.abort.signal);
    log.end();
    // A unit's text goes before its result: the server takes no text of replicas that are decided.
    await Promise.race([logs.flush(), bell().wait(limits.workerLogWaitMs, holding.abort.signal)]);
    if (held.get(offer.replica) !== holding) await unshelve(state, offer.replica);
    else if ('done' in end) held.finish(end.done);
    else {
      held.fail(offer.replica, end.failed);
      if (/^sandbox\.(?:fault|unavailable)/.test(end.failed)) state.deps.onSandboxFault(end.failed);
    }
  };
  const run = follow();
  state.runs.add(run);
  void run.finally(() => {
    state.runs.delete(run);
    state.news.ring();
    state.freed.abort();
  });
}

/** Uploads a committed replica's outputs; what fails for good gives the replica back. */
async function upload(state: State, holding: Holding): Promise<void> {
  const { shelved, replica } = holding;
  if (!shelved) return;
  holding.uploads += 1;
  const files = new Map(shelved.result.outputs.map((file) => [file.sha256, file]));
  try {
    for (const [hash, { sizeBytes }] of files) {
      if (sizeBytes > 0)
        await state.deps.calls.putObject(replica, hash, state.shelf.outputPath(replica, hash), sizeBytes);
    }
    holding.phase = 'shown';
  } catch (error) {
    if (state.held.get(replica) !== holding) return;
    if (!(error instanceof Refusal) && holding.uploads < limits.workerUploadAttempts && !state.ended.signal.aborted) {
      await bell().wait(limits.workerRetryMs * 4 ** holding.uploads, state.ended.signal);
      return upload(state, holding);
    }
    state.deps.note(`the outputs of ${replica} could not be uploaded: ${(error as Error).message}`);
    state.held.fail(replica, `upload_failed: ${(error as Error).message}`);
  }
  state.news.ring();
}
