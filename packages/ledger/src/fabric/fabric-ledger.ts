/** The Fabric engine: contracts run on the organisations' peers, PostgreSQL holds what their blocks say. */

import { setTimeout as sleep } from 'node:timers/promises';
import {
  Fault,
  limits,
  refuse,
  type Clock,
  type ContractName,
  type Ledger,
  type LedgerIdentity,
  type Submission,
  type SubmissionOutcome,
} from '@assay/core';
import { platformMsp } from '@assay/contracts';
import type { Database } from '@assay/store';
import { namesIn } from '../dependency.ts';
import type { LedgerKey } from '../keys.ts';
import { readHead, transactionsByKey, type StoredTx } from '../ledger-rows.ts';
import { proofsOf, reached, requireEngine } from '../ledger-reading.ts';
import { problemOf, refused, repeatedOutcome, type Request } from '../requests.ts';
import { openCombiner } from '../submit-combiner.ts';
import { gather } from './gather.ts';
import { problemOfGateway } from './gateway-errors.ts';
import { openLanes, type Lanes } from './lanes.ts';
import { readProfile } from './network/profile.ts';
import { openPeers } from './peers.ts';
import { startProjection } from './projection.ts';
import { settled, submitToFabric, type SubmitDeps } from './submit.ts';
import { openWallet, type Wallet } from './wallet.ts';

export interface FabricLedgerOptions {
  readonly db: Database;
  /** Signs the heads of the chain as this deployment saw it; the same on every server. */
  readonly key: LedgerKey;
  /** The file `connection.json` of the network. */
  readonly profile: string;
  readonly channel?: string;
  readonly clock: Clock;
  /** Told of what keeps the projection from going on. */
  readonly onProblem: (error: unknown) => void;
}

export interface FabricLedger extends Ledger {
  /** Lets go of the peers; what was acknowledged is in the database. */
  close(): Promise<void>;
}

/** Who reads blocks. */
const reader: LedgerIdentity = { mspId: platformMsp, name: 'projection', roles: ['auditor'] };

/**
 * Connects to the network and waits a moment for its blocks; a network that is away is no reason not to start. Refuses
 * `config.invalid` for a profile that is none and a database that holds another engine's chain.
 */
export async function openFabricLedger(options: FabricLedgerOptions): Promise<FabricLedger> {
  const { db, key, channel = 'public-marketplace', clock, onProblem } = options;
  const profile = await readProfile(options.profile);
  const organizations = profile.channels[channel];
  if (!organizations) throw refuse('config.invalid', `the network has no channel ${channel}`);
  await requireEngine(db, 'fabric');
  const wallet = openWallet(profile, clock);
  const peers = await openPeers(profile, channel, clock);
  const { chaincode } = profile;
  const projectionDeps = { db, key, channel, chaincode, peers, reader: await wallet.member(reader), onProblem };
  const projection = startProjection(projectionDeps);
  // Callers that ask at the same time share one query.
  const committed = openCombiner((keys: readonly string[]) => committedByKey(db, keys));
  const newest = async (): Promise<bigint> => (await readHead(db)).nextBlock - 1n;
  const deps: SubmitDeps = { committed, peers, projection, newest, chaincode, organizations };
  const lanes = openLanes(limits.fabricInFlight);
  await Promise.race([projection.connected, sleep(limits.fabricCommitMs, undefined, { ref: false })]);
  return {
    engine: 'fabric',
    submit: (submissions, as) =>
      submitAll(
        deps,
        lanes,
        wallet,
        submissions.map((submission) => ({ submission, as })),
      ),
    evaluate: (contract, fn, args, as) => evaluate(deps, wallet, { contract, fn, args }, as),
    ...proofsOf(db),
    async close() {
      await projection.close();
      peers.close();
    },
  };
}

async function committedByKey(db: Database, keys: readonly string[]): Promise<(StoredTx | undefined)[]> {
  const rows = await transactionsByKey(db, keys);
  const byKey = new Map(rows.filter(({ code }) => code === 0).map((row) => [row.key, row]));
  return keys.map((key) => byKey.get(key));
}

async function submitAll(
  deps: SubmitDeps,
  lanes: Lanes,
  wallet: Wallet,
  requests: readonly Request[],
): Promise<readonly SubmissionOutcome[]> {
  if (requests.length > limits.ledgerSubmissions) {
    throw refuse('request.too_large', `at most ${limits.ledgerSubmissions} submissions go in one call`);
  }
  const outcomes: SubmissionOutcome[] = [];
  const first = new Map<string, number>();
  const work: { index: number; done: Promise<SubmissionOutcome> }[] = [];
  const repeats: { index: number; of: number }[] = [];
  for (const [index, { submission, as }] of requests.entries()) {
    const problem = problemOf(submission) ?? unusableKey(submission.idempotencyKey) ?? withLeaves(submission);
    const of = first.get(submission.idempotencyKey);
    if (problem) outcomes[index] = refused(problem);
    else if (of !== undefined) repeats.push({ index, of });
    else {
      first.set(submission.idempotencyKey, index);
      const names = [...namesIn(submission.args), submission.idempotencyKey];
      const run = async () => reached(submitToFabric(deps, submission, await wallet.member(as)));
      work.push({ index, done: lanes.run(names, run) });
    }
  }
  const gathered = gather(await Promise.allSettled(work.map(({ done }) => done)));
  for (const [at, { index }] of work.entries())
    outcomes[index] = gathered[at] ?? { kind: 'conflict', message: 'no outcome' };
  for (const { index, of } of repeats) outcomes[index] = repeatedOutcome(requests, outcomes, index, of);
  return outcomes;
}

/** Fabric's composite keys end their ranges with the last code point. */
function unusableKey(key: string) {
  return key.includes('\u{10ffff}') ? refuse('request.malformed', 'the key holds broken characters') : undefined;
}

/** Its mirror holds what stands in the network's blocks, and nothing besides. */
function withLeaves({ leaves }: Submission) {
  return leaves === undefined ? undefined : refuse('ledger.refused', 'the Fabric ledger keeps no batched facts');
}

interface Call {
  readonly contract: ContractName;
  readonly fn: string;
  readonly args: readonly string[];
}

async function evaluate(deps: SubmitDeps, wallet: Wallet, call: Call, as: LedgerIdentity): Promise<string> {
  const member = await wallet.member(as);
  const deadline = performance.now() + limits.fabricCallMs;
  for (;;) {
    const { turn } = deps.peers;
    try {
      await settled(deps.projection);
      const contract = deps.peers.network(member).getContract(deps.chaincode, call.contract);
      const bytes = await contract.evaluate(call.fn, { arguments: [...call.args] });
      return Buffer.from(bytes).toString();
    } catch (error) {
      const problem = problemOfGateway(error);
      if (problem.kind === 'refused') throw refuse(problem.code, problem.message);
      if (problem.kind === 'failed' || performance.now() > deadline) {
        throw new Fault('ledger.unavailable', problem.message, { cause: error, retry: true });
      }
      if (problem.isPeerAway) deps.peers.failOver(turn);
      await sleep(limits.fabricRetryMs);
    }
  }
}
