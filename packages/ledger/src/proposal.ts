/** Submissions as their creators sign them, and their way into the engine: nothing is executed that is not signed. */

import {
  limits,
  proposalMessage,
  refuse,
  type Refusal,
  type Sha256Hex,
  type Submission,
  type TransactionRecord,
} from '@assay/core';
import { nonceOf, txIdOf } from './block.ts';
import type { FindCreator } from './creators.ts';
import type { Member, Signer } from './keys.ts';
import { leafProblem, leavesOf, type Leaves } from './leaves.ts';
import { problemOf } from './requests.ts';
import { checkSignatures } from './signature-pool.ts';

/** A submission that a client signed with a key of its own. */
export interface SignedProposal {
  readonly submission: Submission;
  /** PEM, from an authority that block 0 names. */
  readonly certificate: string;
  /** 64 hex digits, used once. */
  readonly nonce: string;
  /** ed25519 over `proposalMessage` of the core, hex. */
  readonly signature: string;
}

/** A submission whose signature was checked, or what was wrong with it. */
export type Admitted =
  | {
      readonly submission: Submission;
      readonly creator: Member;
      readonly nonce: string;
      readonly txId: Sha256Hex;
      readonly signature: string;
      readonly leaves: Leaves | undefined;
      /** Signs once more where the first attempt became a conflict; null where the client has to. */
      readonly signer: Signer | null;
      readonly problem?: undefined;
    }
  | { readonly submission: Submission; readonly problem: Refusal };

/** What the creator signs. */
export function messageOf(
  channel: string,
  submission: Submission,
  { mspId, fingerprint: certificate }: Member,
  nonce: string,
  leaves: Leaves | undefined = leavesOf(submission),
): string {
  const { contract, fn, args, idempotencyKey: key } = submission;
  const called = { contract, fn, args, key, nonce, creator: { mspId, certificate } };
  return proposalMessage(channel, leaves ? { ...called, leaves } : called);
}

/** The message of a stored transaction. */
export function messageOfRecord(channel: string, record: TransactionRecord): string {
  return proposalMessage(channel, record);
}

/** Signs for the `attempt`-th time under the submission's key. */
export function signProposal(
  channel: string,
  submission: Submission,
  signer: Signer,
  nonce: string = nonceOf(submission, 0),
): SignedProposal {
  const signature = signer.sign(messageOf(channel, submission, signer, nonce));
  return { submission, certificate: signer.certificate, nonce, signature };
}

/** What the engine knows of those who sign. */
export interface Gate {
  readonly channel: string;
  readonly creatorOf: FindCreator;
}

/** Checks form, certificate and signature of each. */
export async function admit(
  gate: Gate,
  proposals: readonly SignedProposal[],
  signer: Signer | null = null,
): Promise<Admitted[]> {
  requireFew(proposals.map(({ submission }) => submission));
  const admitted = proposals.map((proposal) => admitForm(gate, proposal, signer));
  const sound = admitted.flatMap((one) => (one.problem ? [] : [one]));
  const verdicts = await checkSignatures(
    sound.map(({ submission, creator, nonce, signature, leaves }) => ({
      publicKey: creator.publicKey,
      message: messageOf(gate.channel, submission, creator, nonce, leaves),
      signature,
    })),
  );
  const forged = new Set<unknown>(sound.filter((_, index) => verdicts[index] !== true));
  return admitted.map((one) => (forged.has(one) ? { submission: one.submission, problem: badSignature() } : one));
}

/** Refuses a call of too many submissions before any work is done for it. */
export function requireFew(submissions: readonly Submission[]): void {
  if (submissions.length > limits.ledgerSubmissions) {
    throw refuse('request.too_large', `at most ${limits.ledgerSubmissions} submissions go in one call`);
  }
  if (submissions.reduce((sum, { leaves }) => sum + (leaves?.length ?? 0), 0) > limits.ledgerCallLeaves) {
    throw refuse('request.too_large', `at most ${limits.ledgerCallLeaves} batched facts go in one call`);
  }
}

function admitForm(gate: Gate, proposal: SignedProposal, signer: Signer | null) {
  const { submission, certificate, nonce, signature } = proposal;
  const problem = problemOf(submission) ?? sealing(submission) ?? leafProblem(submission);
  if (problem) return { submission, problem };
  const creator = gate.creatorOf(certificate);
  if (!creator)
    return { submission, problem: refuse('auth.forbidden', 'no authority of this ledger issued the certificate') };
  if (!/^[0-9a-f]{64}$/.test(nonce))
    return { submission, problem: refuse('request.malformed', 'a nonce is 64 hex digits') };
  return {
    submission,
    creator,
    nonce,
    txId: txIdOf(nonce, creator),
    signature,
    leaves: leavesOf(submission),
    signer,
    problem: undefined,
  };
}

function badSignature(): Refusal {
  return refuse('auth.bad_signature', 'the signature is not by the holder of the certificate');
}

/** Whoever has the one database sees everything in it. */
function sealing({ sealed }: Submission): Refusal | undefined {
  return sealed === undefined ? undefined : refuse('ledger.refused', 'the embedded ledger has no private data');
}
