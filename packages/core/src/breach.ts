/** When a job counts as one that tried to break out of its sandbox. */

import type { IndependenceKeys } from './placement.ts';

/** A worker's word that a replica reached for what no honest program needs. */
export interface BreachReport extends IndependenceKeys {
  /** What it reached for, in the words of the sandbox driver. */
  readonly what: string;
}

const parties = ['worker', 'owner', 'payoutAccount', 'hub', 'networkBlock'] as const;

/**
 * The breach that two independent workers report alike, undefined where there is none: the word of one party, however
 * many workers it has, bans nobody.
 */
export function provenBreach(reports: readonly BreachReport[]): string | undefined {
  return reports.find((report, index) =>
    reports.slice(0, index).some((other) => other.what === report.what && areIndependent(report, other)),
  )?.what;
}

function areIndependent(a: IndependenceKeys, b: IndependenceKeys): boolean {
  return parties.every((party) => a[party] === null || a[party] !== b[party]);
}
