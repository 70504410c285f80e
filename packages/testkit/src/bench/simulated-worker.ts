/** A worker that claims, "runs" no-op units, commits and reveals over real HTTP, as fast as it is answered. */

import { createPrivateKey, hash, sign, type KeyObject } from 'node:crypto';
import {
  commitmentOf,
  envelopeText,
  limits,
  newId,
  statementsRoot,
  treeDigest,
  utf8,
  type IdSource,
  type JobId,
  type ReplicaId,
  type ResultStatement,
  type Sha256Hex,
  type UnitId,
  type WorkerId,
} from '@assay/core';
import { nodeSha256 as sha256 } from '@assay/market';
import { openClient } from './keep-alive-client.ts';

/** Who it is. */
export interface SimulatedDevice {
  readonly id: WorkerId;
  /** ed25519, PKCS 8 as PEM. */
  readonly privateKey: string;
}

export interface SimulationDeps {
  readonly port: number;
  readonly batch: number;
  readonly ids: IdSource;
  readonly random: (count: number) => Buffer;
  readonly nowMs: () => number;
  readonly stopped: () => boolean;
  /** Resolves when the worker may send its next request. */
  readonly gate: () => Promise<void> | undefined;
  /** Where all workers count. */
  readonly tally: Tally;
}

interface Run {
  readonly replica: ReplicaId;
  readonly unit: UnitId;
  readonly job: JobId;
  readonly machineClass: string;
  readonly nonce: string;
}

interface Reply {
  readonly jobs: Readonly<Record<JobId, object>>;
  readonly offers: readonly Omit<Run, 'nonce'>[];
  readonly reveal: readonly ReplicaId[];
  readonly refused: readonly { readonly replica: string; readonly code: string }[];
}

/** What workers did. */
export interface Tally {
  requests: number;
  revealed: number;
  /** Milliseconds that each request took. */
  readonly latencies: number[];
}

const digest = treeDigest(sha256, []);

/** Works until it is stopped; throws on the first refusal, since an honest worker earns none. */
export async function simulateWorker(device: SimulatedDevice, deps: SimulationDeps): Promise<void> {
  const key = createPrivateKey(device.privateKey);
  const client = openClient(deps.port);
  const { tally } = deps;
  const runs = new Map<ReplicaId, Run>();
  let fresh: Run[] = [];
  let open: readonly ReplicaId[] = [];
  const knownJobs = new Set<JobId>();
  try {
    for (;;) {
      await deps.gate();
      if (deps.stopped()) break;
      const reveals = open.flatMap((replica) => runs.get(replica) ?? []).slice(0, limits.exchangeItems);
      const { headers, body } = writeRequest(
        { worker: device.id, key, deps, knownJobs: [...knownJobs] },
        fresh,
        reveals,
      );
      const startMs = performance.now();
      const answer = await client.post('/work/exchange', headers, body);
      tally.latencies.push(performance.now() - startMs);
      tally.requests += 1;
      const reply = JSON.parse(answer.body.toString('utf8')) as Reply;
      if (answer.status !== 200 || reply.refused.length > 0) {
        throw new Error(`an honest worker was refused: ${answer.body.toString('utf8').slice(0, 500)}`);
      }
      for (const run of reveals) runs.delete(run.replica);
      tally.revealed += reveals.length;
      fresh = reply.offers.map((offer) => ({
        ...offer,
        nonce: deps.random(32).toString('hex'),
      }));
      for (const run of fresh) runs.set(run.replica, run);
      for (const job of Object.keys(reply.jobs) as JobId[]) knownJobs.add(job);
      open = reply.reveal;
    }
  } finally {
    client.close();
  }
}

const usage = { wallMs: 0, cpuMs: 0, peakBytes: 0 };

interface Author {
  readonly worker: WorkerId;
  readonly key: KeyObject;
  readonly deps: SimulationDeps;
  readonly knownJobs: readonly JobId[];
}

function writeRequest(
  { worker, key, deps, knownJobs }: Author,
  commit: readonly Run[],
  reveal: readonly Run[],
): { readonly headers: string; readonly body: Buffer } {
  const commits = commit.map(({ replica, job, unit, nonce }) => ({
    replica,
    commitment: commitmentOf(sha256, { job, unit, worker, nonce, digest }),
  }));
  const reveals = reveal.map(({ replica, nonce }) => ({ replica, nonce, exitCode: 0, outputs: [], usage }));
  const statements = reveal.map(({ replica, job, unit, machineClass }): ResultStatement => ({
    job,
    unit,
    replica,
    worker,
    machineClass,
    digest,
    exitCode: 0,
    metrics: null,
  }));
  const body = Buffer.from(
    JSON.stringify({ commits, reveals, failures: [], running: [], claim: deps.batch, waitMs: 1000, knownJobs }),
  );
  const envelope = {
    worker,
    request: newId('request', deps.ids),
    sentAtMs: Math.round(deps.nowMs()),
    statementsRoot: statementsRoot(sha256, commits, statements),
    bodySha256: hash('sha256', body, 'hex') as Sha256Hex,
  };
  const signature = sign(null, utf8(envelopeText(envelope)), key).toString('hex');
  const headers =
    `assay-worker: ${worker}\r\nassay-request: ${envelope.request}\r\nassay-sent-at: ${envelope.sentAtMs}\r\n` +
    `assay-root: ${envelope.statementsRoot}\r\nassay-signature: ${signature}\r\n`;
  return { headers, body };
}
