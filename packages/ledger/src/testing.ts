/** Runs single contract functions on state in memory, as a peer would, for the tests of contracts. */

import { contracts, platformMsp, transientKey, transientSealed } from '@assay/contracts';
import { limits, type LedgerIdentity } from '@assay/core';
import { endorser, type Endorsement } from './endorse.ts';
import { timestampOf, type ContractClass } from './fabric-runtime.ts';
import { ledgerKeyFromSeed } from './keys.ts';
import { memoryState, type MemoryState } from './memory-state.ts';

export interface ContractRunner {
  readonly state: MemoryState;
  /** Executes without writing. */
  endorse(call: string, args: readonly string[], options?: RunOptions): Promise<Endorsement>;
  /** Executes and, unless it was refused, applies what it wrote. */
  run(call: string, args: readonly string[], options?: RunOptions): Promise<Endorsement>;
}

export interface RunOptions {
  readonly as?: LedgerIdentity;
  /** The transaction's time stamp. */
  readonly atMs?: number;
  /** The idempotency key that comes with the proposal, as on Fabric. */
  readonly key?: string;
  /** What is to be sealed. */
  readonly sealed?: string;
}

/** An orchestrator that is an arbiter as well. */
export const platformIdentity: LedgerIdentity = {
  mspId: platformMsp,
  name: 'platform',
  roles: ['orchestrator', 'arbiter'],
};

/** A fresh state and the contracts over it; each run is a block of its own. */
export function contractRunner(classes: readonly ContractClass[] = contracts): ContractRunner {
  const keys = ledgerKeyFromSeed(new Uint8Array(32));
  const endorse = endorser(classes);
  const state = memoryState();
  let block = 0;
  const get = async (name: string) => (await state.getMany([name])).get(name);
  const execute: ContractRunner['endorse'] = (
    call,
    args,
    { as = platformIdentity, atMs = 1_000_000, key, sealed } = {},
  ) => {
    const [contract = '', fn = ''] = call.split(':');
    const { mspId, certificate } = keys.member(as);
    const timestamp = timestampOf(atMs);
    const txId = String(block).padStart(64, '0');
    const transient = new Map<string, Uint8Array>();
    if (key !== undefined) transient.set(transientKey, Buffer.from(key));
    if (sealed !== undefined) transient.set(transientSealed, Buffer.from(sealed));
    const proposal = { contract, fn, args, txId, channel: 'test', mspId, certificate, timestamp, transient };
    return endorse(proposal, get, state);
  };
  return {
    state,
    endorse: execute,
    async run(call, args, options = {}) {
      const outcome = await execute(call, args, options);
      if (outcome.kind === 'endorsed') {
        block += 1;
        const atMs = options.atMs ?? 1_000_000;
        state.apply(outcome.set.writes, { txId: String(block).padStart(64, '0'), atMs, version: [block, 0] });
      }
      return outcome;
    },
  };
}

/** Two organisations agree that windows last from `minMs` on. */
export async function agreeOnWindow(runner: ContractRunner, minMs: number): Promise<void> {
  for (const mspId of [platformMsp, 'WorkerMSP']) {
    const as: LedgerIdentity = { mspId, name: 'governor', roles: ['governor'] };
    const vote = [String(minMs), String(limits.challengeWindowMs), '2'];
    await runner.run('EscrowTrigger:voteOnChallengeWindow', vote, { as });
  }
}

export { factsOfLife, freshJob, lifeOf, platform } from './fabric/listing.setup.ts';
export { enrolTls, newAuthority, type Authority, type KeyAndCertificate } from './fabric/authority.ts';
