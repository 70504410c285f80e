/** Whether a worker may take more work now: what its owner allows against what the machine shows. Pure. */

import { isOpen, parseWindow, type LocalTime } from './hours.ts';
import type { WorkerSettings } from './settings.ts';

/** What the machine shows. Null stands for what it cannot tell. */
export interface MachineState {
  /** Set while the owner has paused the worker; without an end where `untilMs` is null. */
  readonly pause: { readonly untilMs: number | null } | null;
  /** Why no sandbox runs units at the moment. */
  readonly sandboxFault: string | null;
  /** The share of all cores that other programs keep busy. */
  readonly load: number | null;
  /** Null on a machine that has none. */
  readonly battery: { readonly percent: number; readonly onMains: boolean } | null;
  /** Of the hottest sensor. */
  readonly celsius: number | null;
  /** What the worker's folder holds, and what is free on its disk. */
  readonly diskUsedBytes: number;
  readonly diskFreeBytes: number;
}

/** Why not, in the order in which it is looked for. */
export const claimReasons = ['paused', 'sandbox', 'hours', 'load', 'battery', 'temperature', 'disk'] as const;
export type ClaimReason = (typeof claimReasons)[number];

export interface Now {
  readonly ms: number;
  readonly local: LocalTime;
}

export type MayClaim =
  | { readonly may: true }
  | { readonly may: false; readonly reason: ClaimReason; readonly text: string };

/** Left free on the disk for everybody else, whatever the quota. */
export const leastFreeBytes = 1024 ** 3;

/** Yes, or the first reason against with its sentence. */
export function mayClaim(state: MachineState, settings: WorkerSettings, now: Now): MayClaim {
  for (const reason of claimReasons) {
    const text = against[reason](state, settings, now);
    if (text !== undefined) return { may: false, reason, text };
  }
  return { may: true };
}

type Rule = (state: MachineState, settings: WorkerSettings, now: Now) => string | undefined;

const percent = (share: number): string => `${Math.round(share * 100)} %`;
const gib = (bytes: number): string => `${(bytes / 1024 ** 3).toFixed(1)} GiB`;

const against: Readonly<Record<ClaimReason, Rule>> = {
  paused({ pause }, _, now) {
    if (pause === null || (pause.untilMs !== null && pause.untilMs <= now.ms)) return undefined;
    return pause.untilMs === null
      ? 'the owner has paused it'
      : `the owner has paused it until ${new Date(pause.untilMs).toISOString().slice(0, 16)}Z`;
  },
  sandbox: ({ sandboxFault }) => (sandboxFault === null ? undefined : `its sandbox fails: ${sandboxFault}`),
  hours(_, { hours }, now) {
    const windows = hours.flatMap((text) => parseWindow(text) ?? []);
    return isOpen(windows, now.local) ? undefined : `it works ${hours.join(', ')} only`;
  },
  load({ load }, { idle_load: most }) {
    if (most === undefined) return undefined;
    if (load === null) return 'this machine does not tell how busy it is';
    return load < most ? undefined : `other programs keep ${percent(load)} of it busy, the limit is ${percent(most)}`;
  },
  battery({ battery }, { battery_percent: least }) {
    if (least === undefined || battery === null || battery.onMains) return undefined;
    return battery.percent > least ? undefined : `the battery is at ${battery.percent} %, the limit is ${least} %`;
  },
  temperature({ celsius }, { max_celsius: most }) {
    if (most === undefined) return undefined;
    if (celsius === null) return 'this machine does not tell its temperature';
    return celsius <= most ? undefined : `it is ${Math.round(celsius)} °C hot, the limit is ${most} °C`;
  },
  disk({ diskUsedBytes, diskFreeBytes }, { disk_gb: most }) {
    if (diskUsedBytes > most * 1024 ** 3) return `its folder holds ${gib(diskUsedBytes)}, the limit is ${most} GiB`;
    return diskFreeBytes >= leastFreeBytes ? undefined : `only ${gib(diskFreeBytes)} are free on the disk`;
  },
};
