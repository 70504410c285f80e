/** What a worker commits to, states and signs, and what the ledger's roots are made of. One encoding for all parties. */

import { canonicalJson, hashOf, utf8, type Sha256, type Sha256Hex } from './hash.ts';
import type { JobId, ReplicaId, RequestId, UnitId, WorkerId } from './ids.ts';
import { merkleRootOfHex, merkleTextLeaf } from './merkle.ts';
import type { Ending } from './ports/sandbox.ts';
import type { UnitKind } from './unit.ts';

/** What a replica reveals and its device signs. The listing of outputs travels beside it and hashes to `digest`. */
export interface ResultStatement {
  readonly job: JobId;
  readonly unit: UnitId;
  readonly replica: ReplicaId;
  readonly worker: WorkerId;
  /** What computed the result, as `machineClassOf` writes it. */
  readonly machineClass: string;
  /** The tree digest of the outputs; of the empty tree where the code failed. */
  readonly digest: Sha256Hex;
  readonly exitCode: number;
  /** SHA-256 of the text of `metrics.json`, which the outputs list; null where the job has no metric or failed. */
  readonly metrics: Sha256Hex | null;
}

/** Binds a result before it is shown: nobody can copy it, its worker cannot change it. The nonce is 64 hex digits. */
export function commitmentOf(
  sha256: Sha256,
  bound: Readonly<{ job: JobId; unit: UnitId; worker: WorkerId; nonce: string; digest: Sha256Hex }>,
): Sha256Hex {
  const { job, unit, worker, nonce, digest } = bound;
  return hashOf(sha256, 'commitment', { digest, job, nonce, unit, worker });
}

/** The leaf of one commitment in an exchange's statements root. */
export function commitLeaf(replica: ReplicaId, commitment: Sha256Hex): Uint8Array {
  return utf8(commitText(replica, commitment));
}

function commitText(replica: ReplicaId, commitment: Sha256Hex): string {
  return canonicalJson({ commit: { commitment, replica } });
}

/** The leaf of a result statement, in an exchange's statements root and in the ledger's proof root. */
export function statementLeaf(statement: ResultStatement): Uint8Array {
  return utf8(statementText(statement));
}

function statementText(statement: ResultStatement): string {
  const { job, unit, replica, worker, machineClass, digest, exitCode, metrics } = statement;
  return canonicalJson({ digest, exitCode, job, machineClass, metrics, replica, unit, worker });
}

/** The hashes of an exchange's leaves in body order: each commit, then each reveal's statement. */
export function exchangeLeafHashes(
  sha256: Sha256,
  commits: readonly Readonly<{ replica: ReplicaId; commitment: Sha256Hex }>[],
  reveals: readonly ResultStatement[],
): Sha256Hex[] {
  return [
    ...commits.map((commit) => merkleTextLeaf(sha256, commitText(commit.replica, commit.commitment))),
    ...reveals.map((statement) => merkleTextLeaf(sha256, statementText(statement))),
  ];
}

/** The Merkle root that a device signs over all statements of one exchange. */
export function statementsRoot(
  sha256: Sha256,
  commits: readonly Readonly<{ replica: ReplicaId; commitment: Sha256Hex }>[],
  reveals: readonly ResultStatement[],
): Sha256Hex {
  return merkleRootOfHex(sha256, exchangeLeafHashes(sha256, commits, reveals));
}

/** The signed part of one exchange request. */
export interface Envelope {
  readonly worker: WorkerId;
  readonly request: RequestId;
  readonly sentAtMs: number;
  readonly statementsRoot: Sha256Hex;
  readonly bodySha256: Sha256Hex;
}

/** The UTF-8 text that the device signs with ed25519. */
export function envelopeText(envelope: Envelope): string {
  const { worker, request, sentAtMs, statementsRoot: root, bodySha256 } = envelope;
  return `assay/exchange/2\n${worker}\n${request}\n${sentAtMs}\n${root}\n${bodySha256}`;
}

/** The verdict on one unit, as the ledger's result root and the receipt carry it. */
export interface UnitVerdict {
  readonly unit: UnitId;
  readonly ordinal: number;
  readonly kind: UnitKind;
  /** The digest of the canonical result. */
  readonly digest: Sha256Hex;
  readonly exitCode: number;
  /** The canonical metric in JavaScript's shortest notation; null for `exact` or a failed unit. */
  readonly metric: string | null;
  /** The replica whose outputs are the result. */
  readonly canonical: ReplicaId;
  /** The agreeing replicas, ascending. */
  readonly agreeing: readonly ReplicaId[];
}

/** The leaf of a unit's verdict in the ledger's result root. */
export function verdictLeaf(verdict: UnitVerdict): Uint8Array {
  return utf8(verdictText(verdict));
}

function verdictText(verdict: UnitVerdict): string {
  const { unit, ordinal, kind, digest, exitCode, metric, canonical, agreeing } = verdict;
  return canonicalJson({ agreeing: agreeing.toSorted(), canonical, digest, exitCode, kind, metric, ordinal, unit });
}

/** One unit of a batch: its verdict and the statements of every replica that revealed. */
export interface JudgedUnit {
  readonly verdict: UnitVerdict;
  /** With the hash of its leaf where that is at hand. */
  readonly statements: readonly (ResultStatement & { readonly leaf?: Sha256Hex })[];
}

/**
 * The two hashes that `Contract.submitWork` records for a batch of judged units: the root over all statements (units by
 * id, then replicas by id) and the root over the verdicts (units by id).
 */
export function batchRoots(
  sha256: Sha256,
  batch: readonly JudgedUnit[],
): { readonly proofHash: Sha256Hex; readonly resultHash: Sha256Hex } {
  const units = batch.toSorted((a, b) => (a.verdict.unit < b.verdict.unit ? -1 : 1));
  const statements = units.flatMap((unit) =>
    unit.statements
      .toSorted((a, b) => (a.replica < b.replica ? -1 : 1))
      .map((one) => one.leaf ?? merkleTextLeaf(sha256, statementText(one))),
  );
  return {
    proofHash: merkleRootOfHex(sha256, statements),
    resultHash: merkleRootOfHex(
      sha256,
      units.map((unit) => merkleTextLeaf(sha256, verdictText(unit.verdict))),
    ),
  };
}

/** How a kill shows as an exit code, as shells and container engines write them. */
const killExitCodes = { wall: 124, memory: 137, scratch: 153, outputs: 153, log: 153, policy: 159 } as const;

/**
 * The exit code that a replica states for an ending, or undefined where the ending is no result: the driver failed or
 * the operator stopped it, and the replica is reported as lost.
 */
export function exitCodeOf(ending: Ending): number | undefined {
  if (ending.kind === 'infra') return undefined;
  if (ending.kind === 'exit') return ending.code;
  return ending.why === 'operator' ? undefined : killExitCodes[ending.why];
}
