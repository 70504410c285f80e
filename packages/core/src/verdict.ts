/**
 * Which results agree. Every rule here depends on the set of results only, never on the order in which they came
 * (BOINC's order-dependent canonical result is the trap to avoid).
 */

import { assert } from './errors.ts';
import type { Sha256Hex } from './hash.ts';

/** How results are compared: `exact` by digest; `metric` by a named number within an absolute tolerance. */
export type Comparator = { readonly type: 'exact' } | { readonly type: 'metric'; readonly tolerance: number };

/** One revealed result. */
export interface Result<ReplicaId extends string = string> {
  readonly replica: ReplicaId;
  /** Results of one key count once in a group: a party cannot outvote others by running twice. */
  readonly independenceKey: string;
  readonly digest: Sha256Hex;
  readonly exitCode: number;
  /** The named number; null for `exact`, for a failed run, or where the code did not write it. */
  readonly metric: number | null;
}

/** Results that agree with each other. */
export interface Group<ReplicaId extends string = string> {
  readonly results: readonly Result<ReplicaId>[];
  /** Distinct independence keys. */
  readonly size: number;
}

/** The results a majority of `redundancy` needs: ⌊r/2⌋ + 1. */
export function quorumOf(redundancy: number): number {
  return Math.floor(redundancy / 2) + 1;
}

/** Whether the result is an ending that the job's own code caused rather than a value. */
export function isFailure(comparator: Comparator, result: Pick<Result, 'exitCode' | 'metric'>): boolean {
  return result.exitCode !== 0 || (comparator.type === 'metric' && result.metric === null);
}

/**
 * Every maximal set of agreeing results, largest first; ties: smaller spread, then the lower canonical result. Equal
 * failures agree. Metric groups may overlap; a group of digests never does.
 */
export function groupsOf<ReplicaId extends string>(
  comparator: Comparator,
  results: readonly Result<ReplicaId>[],
): Group<ReplicaId>[] {
  const byEnding = new Map<string, Result<ReplicaId>[]>();
  const values: Result<ReplicaId>[] = [];
  for (const result of results.toSorted(byValue)) {
    if (comparator.type === 'metric' && !isFailure(comparator, result)) values.push(result);
    else {
      const key = `${result.exitCode}:${result.digest}`;
      byEnding.set(key, [...(byEnding.get(key) ?? []), result]);
    }
  }
  const sets = [...byEnding.values()];
  if (comparator.type === 'metric') sets.push(...windows(values, comparator.tolerance));
  return sets.map((set) => ({ results: set, size: keysIn(set) })).toSorted(byRank);
}

/**
 * Whether two groups without a common result both reach `quorum`: then the results contradict each other and no verdict
 * may ever be given.
 */
export function hasTwoQuorums<ReplicaId extends string>(groups: readonly Group<ReplicaId>[], quorum: number): boolean {
  const able = groups.filter((group) => group.size >= quorum);
  return able.some((a, index) => able.slice(index + 1).some((b) => !b.results.some((one) => a.results.includes(one))));
}

/** The result that stands for a group: the lower median by (value, digest, replica). */
export function canonicalOf<ReplicaId extends string>(group: Group<ReplicaId>): Result<ReplicaId> {
  const middle = group.results.toSorted(byValue)[Math.floor((group.results.length - 1) / 2)];
  assert(middle !== undefined, 'a group has a result');
  return middle;
}

/** The maximal runs of values, already sorted, whose greatest and least differ by at most `tolerance`. */
function windows<ReplicaId extends string>(
  values: readonly Result<ReplicaId>[],
  tolerance: number,
): Result<ReplicaId>[][] {
  const found: Result<ReplicaId>[][] = [];
  let coveredTo = 0;
  for (let from = 0; from < values.length; from += 1) {
    let to = from;
    while (to < values.length && numberOf(values[to]) - numberOf(values[from]) <= tolerance) to += 1;
    if (to > coveredTo) found.push(values.slice(from, to));
    coveredTo = to;
  }
  return found;
}

function keysIn(results: readonly Result[]): number {
  return new Set(results.map((result) => result.independenceKey)).size;
}

function byValue(a: Result, b: Result): number {
  return numberOf(a) - numberOf(b) || compare(a.digest, b.digest) || compare(a.replica, b.replica);
}

function byRank(a: Group, b: Group): number {
  return b.size - a.size || spread(a) - spread(b) || byValue(canonicalOf(a), canonicalOf(b));
}

function spread(group: Group): number {
  return numberOf(group.results.at(-1)) - numberOf(group.results[0]);
}

function numberOf(result: Result | undefined): number {
  return result?.metric ?? 0;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
