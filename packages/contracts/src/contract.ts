/** Contract: the life of one job, from CREATED to its end. */

import { canonicalJson, limits, refuse, toHex, type JobId } from '@assay/core';
import type { Call, ContractVersion } from './call.ts';
import { hashOfArgument, jobIdOf, malformed, oneOf } from './arguments.ts';
import { moveEscrow } from './escrow-trigger.ts';
import { emit } from './facts.ts';
import { LedgerContract } from './ledger-contract.ts';
import { contractOf, escrowOf, keyOf, timeMsOf, writeRecord, type ContractRecord } from './records.ts';
import { nextContractState, type ContractEvent } from './states.ts';

export class Contract extends LedgerContract {
  constructor(version?: ContractVersion) {
    super('Contract', version);
  }

  /** The deposit arrived: CREATED → FUNDED, the escrow holds, the contract is open for claims. */
  async activateContract(ctx: Call, contractId: string): Promise<string> {
    const job = jobIdOf(contractId);
    const record = await move(ctx, job, 'fund');
    await moveEscrow(ctx, job, 'hold');
    await writeRecord(ctx, openKey(ctx, record), { id: job, ...record.details });
    emit(ctx, ['ContractFunded', { job }]);
    return canonicalJson(record);
  }

  /**
   * Records one batch of judged units: `proofHash` is the Merkle root over the replicas' statements, `resultHash` the
   * one over the units' verdicts.
   */
  async submitWork(ctx: Call, contractId: string, proofHash: string, resultHash: string): Promise<string> {
    const job = jobIdOf(contractId);
    const proof = hashOfArgument('proofHash', proofHash);
    const result = hashOfArgument('resultHash', resultHash);
    const record = await contractOf(ctx, job);
    if (record.state !== 'FUNDED') throw refuse('job.wrong_state', `a ${record.state} contract takes no work`);
    await requireHeld(ctx, job);
    const batch = record.batches;
    const work = { job, batch, proofHash: proof, resultHash: result, atMs: timeMsOf(ctx) };
    await writeRecord(ctx, keyOf(ctx, 'work', job, String(batch).padStart(8, '0')), work);
    await writeRecord(ctx, keyOf(ctx, 'contract', job), { ...record, batches: batch + 1 });
    emit(ctx, ['WorkSubmitted', { job, batch, proofHash: proof, resultHash: result }]);
    return canonicalJson(work);
  }

  /** All units have their verdict: FUNDED → VERIFIED. Needs at least one batch of work. */
  async verifyWork(ctx: Call, contractId: string): Promise<string> {
    const job = jobIdOf(contractId);
    const record = await move(ctx, job, 'verify');
    if (record.batches === 0) throw refuse('job.wrong_state', 'no work was submitted');
    await requireHeld(ctx, job);
    await ctx.stub.deleteState(openKey(ctx, record));
    emit(ctx, ['ContractVerified', { job, batches: record.batches }]);
    return canonicalJson(record);
  }

  /** VERIFIED → COMPLETED; needs the payout that `EscrowTrigger.triggerPayout` allowed. */
  async completeContract(ctx: Call, contractId: string): Promise<string> {
    const job = jobIdOf(contractId);
    const { status } = await escrowOf(ctx, job);
    const record = await move(ctx, job, 'complete');
    if (status !== 'PAYOUT_TRIGGERED') throw refuse('escrow.wrong_state', `the payout is not triggered: ${status}`);
    emit(ctx, ['ContractCompleted', { job }]);
    return canonicalJson(record);
  }

  /**
   * VERIFIED → DISPUTED, and the escrow is frozen. Whether the customer was in time is the orchestrator's witnessed
   * time to decide: the transaction may be late, and a chargeback knows no window.
   */
  async disputeContract(ctx: Call, contractId: string, reasonHash: string): Promise<string> {
    const job = jobIdOf(contractId);
    const reason = hashOfArgument('reasonHash', reasonHash);
    const record = await move(ctx, job, 'dispute');
    await moveEscrow(ctx, job, 'freeze');
    emit(ctx, ['ContractDisputed', { job, reasonHash: reason }]);
    return canonicalJson(record);
  }

  /** The ruling: `COMPLETED` (paid, in full or in part) or `REFUNDED`; it moves the contract and its escrow at once. */
  async resolveDispute(ctx: Call, contractId: string, outcome: string, reasonHash: string): Promise<string> {
    const job = jobIdOf(contractId);
    const paid = oneOf('outcome', outcome, ['COMPLETED', 'REFUNDED']) === 'COMPLETED';
    const reason = hashOfArgument('reasonHash', reasonHash);
    const { state } = await contractOf(ctx, job);
    if (state !== 'DISPUTED') throw refuse('job.wrong_state', `a ${state} contract has no dispute to resolve`);
    const record = await move(ctx, job, paid ? 'complete' : 'refund');
    await moveEscrow(ctx, job, paid ? 'forcePayout' : 'forceRefund');
    emit(
      ctx,
      [paid ? 'PayoutTriggered' : 'RefundTriggered', { job }],
      [paid ? 'ContractCompleted' : 'ContractRefunded', { job, reasonHash: reason }],
    );
    return canonicalJson(record);
  }

  /** CREATED → CANCELLED: called off or never paid. */
  async cancelContract(ctx: Call, contractId: string): Promise<string> {
    const job = jobIdOf(contractId);
    const record = await move(ctx, job, 'cancel');
    emit(ctx, ['ContractCancelled', { job }]);
    return canonicalJson(record);
  }

  /** FUNDED → REFUNDED for a job that failed; needs the refund that `EscrowTrigger.triggerRefund` allowed. */
  async refundContract(ctx: Call, contractId: string): Promise<string> {
    const job = jobIdOf(contractId);
    const { status } = await escrowOf(ctx, job);
    const record = await move(ctx, job, 'fail');
    if (status !== 'REFUND_TRIGGERED') throw refuse('escrow.wrong_state', `the refund is not triggered: ${status}`);
    await ctx.stub.deleteState(openKey(ctx, record));
    emit(ctx, ['ContractRefunded', { job }]);
    return canonicalJson(record);
  }

  /**
   * Keeps what came with the proposal for the members of the channel's private collection only; on the chain stands its
   * hash. Refuses `request.malformed` where nothing came.
   */
  async sealDetails(ctx: Call, contractId: string): Promise<string> {
    const { id } = await contractOf(ctx, jobIdOf(contractId));
    await ctx.stub.putPrivateData(sealedCollection, keyOf(ctx, 'contract', id), sealedBytes(ctx));
    emit(ctx, ['DetailsSealed', { job: id }]);
    return canonicalJson({ job: id });
  }

  /** What was sealed, for members; refuses `job.not_found`. */
  async getSealed(ctx: Call, contractId: string): Promise<string> {
    const bytes = await ctx.stub.getPrivateData(sealedCollection, keyOf(ctx, 'contract', jobIdOf(contractId)));
    if (bytes.length === 0) throw refuse('job.not_found', 'nothing is sealed for this contract');
    return new TextDecoder().decode(bytes);
  }

  /** The SHA-256 of what was sealed, in hex, for everybody on the channel; refuses `job.not_found`. */
  async getSealedHash(ctx: Call, contractId: string): Promise<string> {
    const hash = await ctx.stub.getPrivateDataHash(sealedCollection, keyOf(ctx, 'contract', jobIdOf(contractId)));
    if (hash.length === 0) throw refuse('job.not_found', 'nothing is sealed for this contract');
    return toHex(hash);
  }

  /** The contract's record; refuses `job.not_found`. */
  async getContract(ctx: Call, contractId: string): Promise<string> {
    return canonicalJson(await contractOf(ctx, jobIdOf(contractId)));
  }
}

/** The transient field that carries what is to be sealed. */
export const transientSealed = 'assay.sealed';

/** The private collection; a channel without one refuses. */
export const sealedCollection = 'sealed';

function sealedBytes(ctx: Call): Uint8Array {
  const bytes = ctx.stub.getTransient().get(transientSealed);
  if (bytes === undefined || bytes.length === 0) throw malformed('nothing to seal came with the proposal');
  if (bytes.length > limits.ledgerArgChars) {
    throw refuse('request.too_large', `at most ${limits.ledgerArgChars} bytes are sealed`);
  }
  return bytes;
}

async function move(ctx: Call, job: JobId, event: ContractEvent): Promise<ContractRecord> {
  const before = await contractOf(ctx, job);
  const state = nextContractState(before.state, event);
  const after = { ...before, state, changedAtMs: timeMsOf(ctx) };
  await writeRecord(ctx, keyOf(ctx, 'contract', job), after);
  return after;
}

/** Once a refund is triggered, work can no longer earn anything. */
async function requireHeld(ctx: Call, job: JobId): Promise<void> {
  const { status } = await escrowOf(ctx, job);
  if (status !== 'HELD') throw refuse('escrow.wrong_state', `the escrow is ${status}, not HELD`);
}

function openKey(ctx: Call, record: ContractRecord): string {
  return keyOf(ctx, 'open', record.details.region, record.id);
}
