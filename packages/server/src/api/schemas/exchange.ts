/** What a worker and the server tell each other in one signed request. */

import { limits } from '@assay/core';
import { Type, type Static } from 'typebox';
import { closed, named, nullable, oneOf, ref } from './named.ts';
import { count, id, instant, money, sha256, tree, TreeFile } from './scalars.ts';

const outputs = Type.Array(ref(TreeFile), { maxItems: limits.outputFiles });
const items = { maxItems: limits.exchangeItems };

export const Commit = named('Commit', closed({ replica: id('replica'), commitment: sha256 }));

export const Usage = named('Usage', closed({ wallMs: count, cpuMs: count, peakBytes: count }));

export const Reveal = named(
  'Reveal',
  closed({
    replica: id('replica'),
    nonce: sha256,
    exitCode: Type.Integer({ minimum: -1, maximum: 255 }),
    outputs,
    metrics: Type.Optional(Type.String({ maxLength: limits.metricsFileBytes })),
    usage: ref(Usage),
    breach: Type.Optional(Type.String({ minLength: 1, maxLength: limits.breachChars })),
  }),
);

export const ReplicaFailure = named(
  'ReplicaFailure',
  closed({ replica: id('replica'), reason: Type.String({ maxLength: 500 }) }),
);

export const ExchangeRequest = named(
  'ExchangeRequest',
  closed({
    commits: Type.Array(ref(Commit), items),
    reveals: Type.Array(ref(Reveal), items),
    failures: Type.Array(ref(ReplicaFailure), items),
    running: Type.Array(id('replica'), { maxItems: limits.workerReplicas }),
    claim: Type.Integer({ minimum: 0, maximum: limits.exchangeItems }),
    waitMs: Type.Integer({ minimum: 0, maximum: limits.longPollMs }),
    knownJobs: Type.Optional(Type.Array(id('job'), items)),
  }),
);

export const Offer = named(
  'Offer',
  Type.Object({
    replica: id('replica'),
    unit: id('unit'),
    job: id('job'),
    kind: oneOf(['work', 'merge']),
    ordinal: count,
    machineClass: Type.String({
      description: 'What the worker said it computes this with; it signs the same with the result.',
    }),
    leaseUntil: instant,
    inputs: Type.Optional(Type.Array(ref(TreeFile), { maxItems: limits.mergeInputFiles })),
  }),
);

export const JobSpec = named(
  'JobSpec',
  Type.Object({
    runner: Type.String(),
    entryPoint: Type.String(),
    mergeScript: Type.Optional(nullable(Type.String())),
    args: Type.Array(Type.String()),
    outputDir: Type.String(),
    bundle: tree,
    resources: Type.Object(
      { cpuCores: Type.Number(), memoryGb: Type.Number(), gpu: Type.Optional(Type.Boolean()) },
      { additionalProperties: true },
    ),
    network: Type.Optional(
      Type.Array(Type.Object({ host: Type.String(), port: count }), {
        description: 'The only hosts and ports that units may connect to.',
      }),
    ),
    timeoutMs: count,
    randomSeed: nullable(Type.Integer()),
    chunks: count,
    perReplica: money,
    verification: Type.Object(
      {
        type: oneOf(['exact', 'metric']),
        metricName: Type.Optional(Type.String()),
        tolerance: Type.Optional(Type.Number()),
      },
      { additionalProperties: true },
    ),
  }),
);

export const ReplicaRefusal = named('ReplicaRefusal', Type.Object({ replica: id('replica'), code: Type.String() }));

export const ExchangeResponse = named(
  'ExchangeResponse',
  Type.Object({
    offers: Type.Array(ref(Offer)),
    jobs: Type.Record(Type.String(), ref(JobSpec)),
    reveal: Type.Array(id('replica')),
    stop: Type.Array(id('replica')),
    refused: Type.Array(ref(ReplicaRefusal)),
  }),
);

export const Available = named(
  'Available',
  Type.Object({
    items: Type.Array(
      Type.Object({
        job: id('job'),
        name: Type.String(),
        runner: Type.String(),
        openReplicas: count,
        perReplica: money,
        timeoutMs: count,
      }),
    ),
  }),
);

export const LogRequest = named(
  'LogRequest',
  closed({
    lines: Type.Array(
      closed({ replica: id('replica'), stream: oneOf(['stdout', 'stderr']), text: Type.String({ maxLength: 8192 }) }),
      { minItems: 1, maxItems: 1000 },
    ),
  }),
);

export const LogReply = named('LogReply', Type.Object({ accepted: count, refused: Type.Array(ref(ReplicaRefusal)) }));

export const StoredObject = named('StoredObject', Type.Object({ sha256, sizeBytes: count }));

export type ExchangeRequest = Static<typeof ExchangeRequest>;
export type ExchangeResponse = Static<typeof ExchangeResponse>;
export type JobSpec = Static<typeof JobSpec>;
export type Available = Static<typeof Available>;
export type LogRequest = Static<typeof LogRequest>;
