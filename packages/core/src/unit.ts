/** The life of a unit: an independent part of a job, decided by its replicas. */

import type { StateTable } from './transition.ts';

/** `work` units carry ordinals from 0; one `merge` unit follows where the manifest names a merge script. */
export const unitKinds = ['work', 'merge'] as const;
export type UnitKind = (typeof unitKinds)[number];

export const unitStates = ['open', 'running', 'revealing', 'agreed', 'undecided'] as const;
export type UnitState = (typeof unitStates)[number];

export const unitEvents = ['claim', 'reveal', 'extend', 'agree', 'give_up'] as const;
export type UnitEvent = (typeof unitEvents)[number];

/**
 * `reveal`: all planned replicas committed or were lost. `extend`: more replicas are asked for. `agree` from running: the
 * verdict stands although a replacement found no taker. `give_up`: attempts ran out, two quorums exist or the job ended.
 */
export const unitTable: StateTable<UnitState, UnitEvent> = {
  noun: 'unit',
  states: unitStates,
  rows: [
    ['open', 'claim', 'running'],
    ['open', 'give_up', 'undecided'],
    ['running', 'claim', 'running'],
    ['running', 'reveal', 'revealing'],
    ['running', 'extend', 'running'],
    ['running', 'agree', 'agreed'],
    ['running', 'give_up', 'undecided'],
    ['revealing', 'extend', 'running'],
    ['revealing', 'agree', 'agreed'],
    ['revealing', 'give_up', 'undecided'],
  ],
};
