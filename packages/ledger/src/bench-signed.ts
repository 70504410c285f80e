/**
 * How many individually signed transactions a second the embedded ledger takes. Each is signed by one of many clients
 * with a key of its own before the clock starts, as clients sign on machines of their own; everything after that counts:
 * checking the signature, running the contract, hashing, storing with fsync, answering.
 */

import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { platformMsp } from '@assay/contracts';
import type { Submission } from '@assay/core';
import type { EmbeddedLedger } from './embedded-ledger.ts';
import type { LedgerKey, Signer } from './keys.ts';
import { signProposal, type SignedProposal } from './proposal.ts';

export interface SignedBenchOptions {
  readonly ledger: EmbeddedLedger;
  /** Whose organisation the clients belong to. */
  readonly key: LedgerKey;
  readonly channel: string;
  readonly submissions: number;
  /** Keys that sign in turn. */
  readonly signers: number;
  /** How many go in one call, and how many calls wait at the same time. */
  readonly batch: number;
  readonly callers: number;
  /** Milliseconds of a clock that only goes forward. */
  readonly nowMs: () => number;
}

export interface SignedBenchResult {
  readonly committed: number;
  readonly perSecond: number;
}

/** A client whose private key the ledger never sees. */
function newClient(key: LedgerKey, name: string): Signer {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const member = key.enrol({ mspId: platformMsp, name, roles: ['orchestrator'] }, publicKey);
  return { ...member, sign: (text) => sign(null, Buffer.from(text), privateKey).toString('hex') };
}

/** Each records a result for a worker of its own, so that no two depend on each other. */
function proposals({ key, channel, submissions, signers }: SignedBenchOptions): SignedProposal[] {
  const run = randomBytes(4).toString('hex');
  const clients = Array.from({ length: signers }, (_, index) => newClient(key, `bench-${run}-${index}`));
  return Array.from({ length: submissions }, (_, index) => {
    const id = `${run}${String(index).padStart(24, '0')}`;
    const submission: Submission = {
      contract: 'Reputation',
      fn: 'recordResult',
      args: [`wrk_${id}`, 'true', `{"job":"job_${id}","replicas":1}`],
      idempotencyKey: `signed/${run}/${index}`,
    };
    const client = clients[index % signers];
    if (client === undefined) throw new Error('there is no client');
    return signProposal(channel, submission, client, randomBytes(32).toString('hex'));
  });
}

export async function benchSigned(options: SignedBenchOptions): Promise<SignedBenchResult> {
  const { ledger, batch, callers, nowMs } = options;
  const signed = proposals(options);
  let next = 0;
  let committed = 0;
  const caller = async (): Promise<void> => {
    while (next < signed.length) {
      const call = signed.slice(next, next + batch);
      next += call.length;
      const outcomes = await ledger.submitSigned(call);
      committed += outcomes.filter((outcome) => outcome.kind === 'committed').length;
    }
  };
  const started = nowMs();
  await Promise.all(Array.from({ length: callers }, caller));
  const elapsedMs = nowMs() - started;
  return { committed, perSecond: Math.round((committed * 1000) / elapsedMs) };
}
