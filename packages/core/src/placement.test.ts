import { describe, expect, it } from 'vitest';
import type { AccountId, WorkerId } from './ids.ts';
import {
  machineClassOf,
  mayTake,
  placementReasons,
  type PlacementReason,
  type UnitNeeds,
  type WorkerProfile,
} from './placement.ts';

const runner = 'platform-runner:python-3.14';
const worker: WorkerProfile = {
  worker: 'wrk_1' as WorkerId,
  owner: 'acc_1' as AccountId,
  payoutAccount: 'payee 1',
  hub: 'hub 1',
  networkBlock: '203.0.113.0/24',
  banned: false,
  region: 'eu',
  cpuCores: 2,
  memoryGb: 4,
  maxHours: 2,
  runners: { [runner]: 'class 1' },
  gpuRunners: ['platform-runner:other'],
  egressRunners: ['platform-runner:other'],
};
const unit: UnitNeeds = {
  customer: 'acc_9' as AccountId,
  runner,
  cpuCores: 2,
  memoryGb: 4,
  hours: 2,
  gpu: false,
  network: false,
  regions: ['eu'],
  machineClass: 'class 1',
  taken: [
    {
      worker: 'wrk_2' as WorkerId,
      owner: 'acc_2' as AccountId,
      payoutAccount: 'payee 2',
      hub: 'hub 2',
      networkBlock: '198.51.100.0/24',
    },
  ],
};
const [other] = unit.taken;

describe('mayTake', () => {
  it('lets an able and independent worker take the unit', () => {
    expect(mayTake(worker, unit)).toEqual({ ok: true });
  });

  /** Each case changes one thing, so it shows that exactly this reason is held. */
  const cases: Record<PlacementReason, [Partial<WorkerProfile>, Partial<UnitNeeds>]> = {
    banned: [{ banned: true }, {}],
    own_job: [{}, { customer: worker.owner }],
    region: [{ region: 'us' }, {}],
    runner: [{ runners: { 'platform-runner:other': 'class 1' } }, { machineClass: null }],
    cpu: [{}, { cpuCores: 2.5 }],
    memory: [{}, { memoryGb: 4.25 }],
    hours: [{}, { hours: 2.5 }],
    gpu: [{}, { gpu: true }],
    network: [{}, { network: true }],
    machine_class: [{ runners: { [runner]: 'class 2' } }, {}],
    same_worker: [{ worker: other!.worker }, {}],
    same_owner: [{ owner: other!.owner }, {}],
    same_payout_account: [{ payoutAccount: 'payee 2' }, {}],
    same_hub: [{ hub: 'hub 2' }, {}],
    same_network: [{ networkBlock: '198.51.100.0/24' }, {}],
  };

  it.each(placementReasons)('refuses for %s', (reason) => {
    const [changedWorker, changedUnit] = cases[reason];
    expect(mayTake({ ...worker, ...changedWorker }, { ...unit, ...changedUnit })).toEqual({ ok: false, reason });
  });

  it('does not count what is not known, and takes any region and class where none is fixed', () => {
    const unknown = { payoutAccount: null, hub: null, networkBlock: null };
    const taken = [{ ...other!, ...unknown }];
    expect(mayTake({ ...worker, ...unknown }, { ...unit, taken })).toEqual({ ok: true });
    expect(mayTake({ ...worker, region: 'cn' }, { ...unit, regions: [], machineClass: null })).toEqual({ ok: true });
  });

  it('lets units that ask for more go to workers whose runner of that name gives it', () => {
    const asked = { ...unit, gpu: true, network: true };
    const giving = { ...worker, gpuRunners: [runner], egressRunners: [runner] };
    expect(mayTake(giving, asked)).toEqual({ ok: true });
    expect(mayTake({ ...giving, gpuRunners: [] }, asked)).toEqual({ ok: false, reason: 'gpu' });
    expect(mayTake({ ...giving, egressRunners: [] }, asked)).toEqual({ ok: false, reason: 'network' });
  });

  it('is not fooled by names of Object.prototype', () => {
    expect(mayTake(worker, { ...unit, runner: 'constructor', machineClass: null })).toMatchObject({ reason: 'runner' });
  });
});

describe('machineClassOf', () => {
  it('tells native runners apart by architecture, and those in WebAssembly by nothing but their digest', () => {
    const docker = { driver: 'docker', digest: 'sha256:1' };
    expect(machineClassOf(docker, 'x64')).toBe('sha256:1/x64');
    expect(machineClassOf(docker, 'arm64')).toBe('sha256:1/arm64');
    expect(machineClassOf({ driver: 'wasm', digest: 'sha256:1' }, 'arm64')).toBe('sha256:1');
  });
});
