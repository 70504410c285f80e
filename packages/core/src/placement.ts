/** Whether a worker may take a replica of a unit: ability, and independence from those who already took one. */

import type { AccountId, WorkerId } from './ids.ts';
import type { Region } from './ports/object-store.ts';

/** What must differ between any two replicas of a unit. Null means: not known, or does not count here. */
export interface IndependenceKeys {
  readonly worker: WorkerId;
  readonly owner: AccountId;
  readonly payoutAccount: string | null;
  readonly hub: string | null;
  /** As `networkBlock` writes it. */
  readonly networkBlock: string | null;
}

export interface WorkerProfile extends IndependenceKeys {
  readonly banned: boolean;
  readonly region: Region;
  readonly cpuCores: number;
  readonly memoryGb: number;
  /** The longest run that the worker takes; Infinity without a limit. */
  readonly maxHours: number;
  /** The machine class for each runner that the worker has, as `machineClassOf` writes it. */
  readonly runners: Readonly<Record<string, string>>;
  /** The runners whose units the worker can give a graphics processor. */
  readonly gpuRunners: readonly string[];
  /** The runners whose units the worker lets out to the hosts that their manifest names. */
  readonly egressRunners: readonly string[];
}

export interface UnitNeeds {
  readonly customer: AccountId;
  readonly runner: string;
  readonly cpuCores: number;
  readonly memoryGb: number;
  /** The manifest's timeout. */
  readonly hours: number;
  readonly gpu: boolean;
  /** The manifest names hosts that the unit connects to. */
  readonly network: boolean;
  /** Where the unit may run; empty means anywhere. */
  readonly regions: readonly Region[];
  /** Fixed by the first claim where results are compared bit for bit; null before that and for other comparators. */
  readonly machineClass: string | null;
  /** Who holds a replica or gave a result; who lost one may take another. */
  readonly taken: readonly IndependenceKeys[];
}

/** Why a worker may not take a unit, in the order in which the reasons are looked for. */
export const placementReasons = [
  'banned',
  'own_job',
  'region',
  'runner',
  'cpu',
  'memory',
  'hours',
  'gpu',
  'network',
  'machine_class',
  'same_worker',
  'same_owner',
  'same_payout_account',
  'same_hub',
  'same_network',
] as const;
export type PlacementReason = (typeof placementReasons)[number];

export type Placement = { readonly ok: true } | { readonly ok: false; readonly reason: PlacementReason };

/** What decides a result's bytes on a machine. A wasm runner computes alike everywhere; a native one per architecture. */
export function machineClassOf(runner: { readonly driver: string; readonly digest: string }, arch: string): string {
  return runner.driver === 'wasm' ? runner.digest : `${runner.digest}/${arch}`;
}

/** The rule, with the first reason against where there is one. */
export function mayTake(worker: WorkerProfile, unit: UnitNeeds): Placement {
  const reason = placementReasons.find((one) => against[one](worker, unit));
  return reason === undefined ? { ok: true } : { ok: false, reason };
}

type Test = (worker: WorkerProfile, unit: UnitNeeds) => boolean;

const against: Readonly<Record<PlacementReason, Test>> = {
  banned: (worker) => worker.banned,
  own_job: (worker, unit) => worker.owner === unit.customer,
  region: (worker, unit) => unit.regions.length > 0 && !unit.regions.includes(worker.region),
  runner: (worker, unit) => !Object.hasOwn(worker.runners, unit.runner),
  cpu: (worker, unit) => worker.cpuCores < unit.cpuCores,
  memory: (worker, unit) => worker.memoryGb < unit.memoryGb,
  hours: (worker, unit) => worker.maxHours < unit.hours,
  gpu: (worker, unit) => unit.gpu && !worker.gpuRunners.includes(unit.runner),
  network: (worker, unit) => unit.network && !worker.egressRunners.includes(unit.runner),
  machine_class: (worker, unit) => unit.machineClass !== null && worker.runners[unit.runner] !== unit.machineClass,
  same_worker: shares('worker'),
  same_owner: shares('owner'),
  same_payout_account: shares('payoutAccount'),
  same_hub: shares('hub'),
  same_network: shares('networkBlock'),
};

function shares(key: keyof IndependenceKeys): Test {
  return (worker, unit) => worker[key] !== null && unit.taken.some((other) => other[key] === worker[key]);
}
