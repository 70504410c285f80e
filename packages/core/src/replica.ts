/** The life of a replica: one worker's run of a unit. It is born by a claim. */

import type { StateTable } from './transition.ts';

export const replicaStates = [
  'leased',
  'committed',
  'revealed',
  'agreed',
  'disagreed',
  'lost',
  'failed',
  'withdrawn',
] as const;
export type ReplicaState = (typeof replicaStates)[number];

export const replicaEvents = ['commit', 'reveal', 'agree', 'disagree', 'fail', 'lose', 'withdraw'] as const;
export type ReplicaEvent = (typeof replicaEvents)[number];

/**
 * `agree`: in the group of the verdict, paid. `disagree`: outside it, not paid, reputation falls. `fail`: the verdict is
 * that the job's own code failed. `lose`: the lease ran out or the worker's infrastructure failed. `withdraw`: no longer
 * needed, because the unit or its job ended without it; nobody's fault.
 */
export const replicaTable: StateTable<ReplicaState, ReplicaEvent> = {
  noun: 'replica',
  states: replicaStates,
  rows: [
    ['leased', 'commit', 'committed'],
    ['leased', 'lose', 'lost'],
    ['leased', 'withdraw', 'withdrawn'],
    ['committed', 'reveal', 'revealed'],
    ['committed', 'lose', 'lost'],
    ['committed', 'withdraw', 'withdrawn'],
    ['revealed', 'agree', 'agreed'],
    ['revealed', 'disagree', 'disagreed'],
    ['revealed', 'fail', 'failed'],
    ['revealed', 'withdraw', 'withdrawn'],
  ],
};
