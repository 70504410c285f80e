/** Providers' machines and where their earnings go. */

import { limits } from '@assay/core';
import { Type, type Static } from 'typebox';
import { closed, named, nullable, oneOf, ref } from './named.ts';
import { count, graphic, id, instant, printable, region } from './scalars.ts';

export const RunnerOffer = named(
  'RunnerOffer',
  closed({
    runner: Type.String({ minLength: 1, maxLength: 100, description: 'Such as platform-runner:python-3.14.' }),
    driver: oneOf(['wasm', 'docker']),
    digest: Type.String({
      minLength: 1,
      maxLength: 100,
      pattern: graphic,
      description: 'Pins the exact runner image.',
    }),
    egress: Type.Optional(
      Type.Boolean({ description: 'Units may be let out to the hosts that their manifest names.' }),
    ),
    gpu: Type.Optional(Type.Boolean({ description: 'Units can be given a graphics processor.' })),
  }),
);

export const Machine = named(
  'Machine',
  closed(
    {
      arch: Type.String({ minLength: 1, maxLength: 20, pattern: graphic }),
      os: Type.String({ minLength: 1, maxLength: 20 }),
      cpuCores: Type.Integer({ minimum: 1, maximum: 4096, description: 'That one replica may have.' }),
      memoryGb: Type.Number({ minimum: 0.1, maximum: 65_536, description: 'That one replica may have.' }),
      gpu: Type.Optional(nullable(Type.String({ maxLength: 100, description: 'What people call it.' }))),
      maxHours: Type.Optional(
        Type.Number({ minimum: 0, maximum: 10_000, description: 'The longest run that the worker takes.' }),
      ),
      slots: Type.Integer({ minimum: 1, maximum: limits.workerReplicas, description: 'Replicas run at once.' }),
      runners: Type.Array(ref(RunnerOffer), { maxItems: 50 }),
      score: Type.Optional(Type.Number({ minimum: 0, description: 'Of the benchmark, 1 = the reference machine.' })),
    },
    'What a worker has.',
  ),
);

export const WorkerRequest = named(
  'WorkerRequest',
  closed({
    publicKey: Type.String({ pattern: '^[0-9a-f]{64}$', description: 'The ed25519 key of the device, hex.' }),
    name: Type.String({ minLength: 1, maxLength: 100, pattern: printable }),
    machine: ref(Machine),
  }),
);

export const NewWorker = named('NewWorker', Type.Object({ workerId: id('worker') }));

export const Worker = named(
  'Worker',
  Type.Object({
    id: id('worker'),
    name: Type.String(),
    publicKey: Type.String(),
    machine: ref(Machine),
    state: oneOf(['active', 'banned']),
    reputation: Type.Object({ agreed: count, disagreed: count, lost: count }),
    running: count,
    createdAt: instant,
    lastSeenAt: nullable(instant),
  }),
);

export const PayoutAccountRequest = named('PayoutAccountRequest', closed({ region }));

export const PayoutAccount = named(
  'PayoutAccount',
  Type.Object({ region, provider: Type.String(), destination: Type.String(), createdAt: instant }),
);

export type Machine = Static<typeof Machine>;
export type Worker = Static<typeof Worker>;
export type PayoutAccount = Static<typeof PayoutAccount>;
