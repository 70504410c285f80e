/** Looks again and again whether the worker may take work, says once why it may not, and tells what changes. */

import { setTimeout as sleep } from 'node:timers/promises';
import { limits, type Clock } from '@assay/core';
import { localTime } from './hours.ts';
import { mayClaim, type MachineState, type MayClaim } from './may-claim.ts';
import type { Pause } from './pause-file.ts';
import type { WorkerSettings } from './settings.ts';

export interface ClaimGateDeps {
  readonly settings: WorkerSettings;
  readonly clock: Clock;
  /** What the machine shows, without the pause. */
  readonly read: () => Promise<Omit<MachineState, 'pause'>>;
  readonly readPause: () => Promise<Pause | null>;
  /** Told what an operator should know, in one sentence each. */
  readonly note: (text: string) => void;
  /** The answer has changed. */
  readonly onChange: () => void;
  /** The owner wants what runs to be given back. */
  readonly onGiveBack: () => void;
  /** Called after each look. */
  readonly onLook: (answer: MayClaim) => Promise<void>;
}

export interface ClaimGate {
  answer(): MayClaim;
  /** Looks at once. */
  look(): Promise<void>;
  stop(): Promise<void>;
}

/** Opens the gate after a first look. */
export async function openClaimGate(deps: ClaimGateDeps): Promise<ClaimGate> {
  const { settings, clock, note } = deps;
  const stopping = new AbortController();
  let answer: MayClaim = { may: true };
  let givenBack = false;
  let troubled = false;
  const look = async (): Promise<void> => {
    const pause = await deps.readPause();
    const state = { ...(await deps.read()), pause };
    const nowMs = clock.nowMs();
    const next = mayClaim(state, settings, { ms: nowMs, local: localTime(nowMs) });
    const before = answer;
    answer = next;
    const paused = !next.may && next.reason === 'paused';
    if (paused && pause?.giveBack === true && !givenBack) deps.onGiveBack();
    givenBack = paused && pause?.giveBack === true;
    // A figure in the sentence may change from look to look, the reason is what is news.
    if (next.may === before.may && (next.may || before.may || next.reason === before.reason)) return;
    note(next.may ? 'takes work again' : `takes no work: ${next.text}`);
    deps.onChange();
  };
  const lookWhole = async (): Promise<void> => {
    try {
      await look();
      await deps.onLook(answer);
      troubled = false;
    } catch (error) {
      if (!troubled) note(`cannot tell whether it may take work: ${(error as Error).message}`);
      troubled = true;
    }
  };
  let turn: Promise<void> = Promise.resolve();
  let waiting: Promise<void> | undefined;
  // One look at a time; whoever asks meanwhile gets the one that begins next.
  const lookOnce = (): Promise<void> => {
    if (stopping.signal.aborted) return turn;
    waiting ??= turn.then(() => {
      waiting = undefined;
      turn = lookWhole();
      return turn;
    });
    return waiting;
  };
  await look();
  await deps.onLook(answer);
  const live = async (): Promise<void> => {
    for (;;) {
      await sleep(limits.workerLookMs, undefined, { signal: stopping.signal }).catch(() => undefined);
      if (stopping.signal.aborted) return;
      await lookOnce();
    }
  };
  const done = live();
  return {
    answer: () => answer,
    look: lookOnce,
    async stop() {
      stopping.abort();
      await done;
      await (waiting ?? turn);
    },
  };
}
