/** How many replicas a unit gets, when their results open, and when the verdict is there. Pure; order-independent. */

import type { ReplicaState } from './replica.ts';
import { canonicalOf, groupsOf, hasTwoQuorums, isFailure, quorumOf, type Comparator, type Result } from './verdict.ts';

export interface ReplicationPolicy {
  readonly comparator: Comparator;
  /** Agreeing replicas to buy. */
  readonly redundancy: number;
  /** Replicas that may end with a result, disagreeing ones included, as a multiple of the redundancy. */
  readonly attemptsFactor: number;
  /** Replicas that may be lost before no more are given out, as a multiple of the redundancy. */
  readonly lossesFactor: number;
}

/** What is known of one replica. Digest, exit code and metric count only once it is revealed. */
export interface ReplicaEvidence<ReplicaId extends string = string> extends Result<ReplicaId> {
  readonly state: ReplicaState;
}

/** A replica without a result yet carries `digest: null`. */
export type EvidenceOf<ReplicaId extends string = string> =
  | ReplicaEvidence<ReplicaId>
  | {
      readonly replica: ReplicaId;
      readonly state: 'leased' | 'committed' | 'lost' | 'withdrawn';
      readonly digest: null;
    };

export interface UnitEvidence<ReplicaId extends string = string> {
  readonly replicas: readonly EvidenceOf<ReplicaId>[];
  /** Planned replicas that no worker has claimed yet. */
  readonly unclaimed: number;
  /** A replacement once waited longer than `limits.replacementPatienceMs`; stays true for the unit. */
  readonly patienceOver: boolean;
}

export type Assessment<ReplicaId extends string = string> =
  /** Nothing to do until a replica moves. */
  | { readonly kind: 'wait' }
  /** All planned replicas committed or were lost: these may open. `withdraw` unclaimed ones are no longer wanted. */
  | { readonly kind: 'reveal'; readonly replicas: readonly ReplicaId[]; readonly withdraw: number }
  | { readonly kind: 'more'; readonly count: number }
  | AgreedAssessment<ReplicaId>
  | { readonly kind: 'undecided'; readonly reason: 'two_quorums' | 'attempts_exhausted' };

export interface AgreedAssessment<ReplicaId extends string = string> {
  readonly kind: 'agreed';
  /** The replica whose outputs are the result, and what it stated. */
  readonly canonical: ReplicaId;
  readonly digest: Result['digest'];
  readonly exitCode: number;
  readonly metric: number | null;
  /** The job's own code failed, and enough replicas saw the same failure. */
  readonly failed: boolean;
  /** Both ascending. */
  readonly agreeing: readonly ReplicaId[];
  readonly disagreeing: readonly ReplicaId[];
  /** Unclaimed replicas that are no longer wanted. */
  readonly withdraw: number;
}

/** What to do next with a unit. */
export function assess<ReplicaId extends string>(
  policy: ReplicationPolicy,
  evidence: UnitEvidence<ReplicaId>,
): Assessment<ReplicaId> {
  const { replicas, unclaimed, patienceOver } = evidence;
  const { redundancy, comparator } = policy;
  // Patience is for replacements only: a first round of `redundancy` replicas waits for its takers.
  const isPatient = !patienceOver || replicas.length < redundancy;
  if (replicas.some((one) => one.state === 'leased') || (unclaimed > 0 && isPatient)) return { kind: 'wait' };
  const quorum = quorumOf(redundancy);
  const results = replicas.filter(hasResult);
  const groups = groupsOf(comparator, results);
  const best = groups[0];
  const size = best?.size ?? 0;
  if (unclaimed > 0 && size < quorum) return { kind: 'wait' };
  const committed = replicas.filter((one) => one.state === 'committed').map((one) => one.replica);
  if (committed.length > 0) return { kind: 'reveal', replicas: committed.toSorted(), withdraw: unclaimed };

  if (hasTwoQuorums(groups, quorum)) return { kind: 'undecided', reason: 'two_quorums' };
  const left = attemptsLeft(policy, replicas);
  if (best && size >= quorum && (size >= redundancy || patienceOver || left === 0)) {
    return agreedOn(comparator, best, results, unclaimed);
  }
  if (size + left < quorum) return { kind: 'undecided', reason: 'attempts_exhausted' };
  return { kind: 'more', count: Math.min(redundancy - size, left) };
}

/** A lost replica costs the customer only time, so it does not use up an attempt; but nobody may lose for ever. */
function attemptsLeft(policy: ReplicationPolicy, replicas: readonly EvidenceOf[]): number {
  const lost = replicas.filter((one) => one.state === 'lost' || one.state === 'withdrawn').length;
  if (lost >= policy.redundancy * policy.lossesFactor) return 0;
  return Math.max(0, policy.redundancy * policy.attemptsFactor - (replicas.length - lost));
}

function agreedOn<ReplicaId extends string>(
  comparator: Comparator,
  best: { readonly results: readonly Result<ReplicaId>[]; readonly size: number },
  results: readonly Result<ReplicaId>[],
  withdraw: number,
): AgreedAssessment<ReplicaId> {
  const canonical = canonicalOf(best);
  const agreeing = best.results.map((one) => one.replica).toSorted();
  const disagreeing = results.map((one) => one.replica).filter((id) => !agreeing.includes(id));
  return {
    kind: 'agreed',
    canonical: canonical.replica,
    digest: canonical.digest,
    exitCode: canonical.exitCode,
    metric: canonical.metric,
    failed: isFailure(comparator, canonical),
    agreeing,
    disagreeing: disagreeing.toSorted(),
    withdraw,
  };
}

const withResult: ReadonlySet<ReplicaState> = new Set(['revealed', 'agreed', 'disagreed', 'failed']);

function hasResult<ReplicaId extends string>(one: EvidenceOf<ReplicaId>): one is ReplicaEvidence<ReplicaId> {
  return one.digest !== null && withResult.has(one.state);
}
