/** What a worker's past says: counters of how its replicas ended, and a score that falls fast and rises slowly. */

import { unreachable } from './errors.ts';

export interface Reputation {
  readonly agreed: number;
  readonly disagreed: number;
  readonly lost: number;
  /** 0 to `reputationBounds.max`. */
  readonly score: number;
}

export type ReputationEvent = 'agreed' | 'disagreed' | 'lost';

/** The score of a newcomer, the ceiling, and what one agreed or lost replica moves. */
export const reputationBounds = { start: 100, max: 1000, gain: 1, loss: 5 } as const;

export const newReputation: Reputation = { agreed: 0, disagreed: 0, lost: 0, score: reputationBounds.start };

/**
 * The reputation after one more replica: up by one where it agreed, down a little where it was lost, halved where it
 * disagreed (multiplicative decrease: a host that turns bad is out after a few lies, however long its streak).
 */
export function recordReplica(before: Reputation, event: ReputationEvent): Reputation {
  const counted = { ...before, [event]: before[event] + 1 };
  switch (event) {
    case 'agreed':
      return { ...counted, score: Math.min(reputationBounds.max, before.score + reputationBounds.gain) };
    case 'disagreed':
      return { ...counted, score: Math.floor(before.score / 2) };
    case 'lost':
      return { ...counted, score: Math.max(0, before.score - reputationBounds.loss) };
    default:
      return unreachable(event);
  }
}

/** Nothing is left of the score: what an attempt to escape the sandbox costs, beside the ban. */
export function slash(before: Reputation): Reputation {
  return { ...before, score: 0 };
}
