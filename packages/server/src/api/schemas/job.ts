/** Jobs, their units and replicas. */

import { jobStates, limits, replicaStates, unitStates } from '@assay/core';
import { Type, type Static } from 'typebox';
import { closed, named, nullable, oneOf, ref } from './named.ts';
import { Payment } from './money.ts';
import { manifest, Quote } from './quote.ts';
import { count, cursor, id, instant, money, page, region, sha256, TreeFile } from './scalars.ts';

const jobFields = {
  id: id('job'),
  name: Type.String(),
  state: oneOf(jobStates),
  region,
  manifest,
  manifestHash: sha256,
  bundle: Type.Object({ digest: sha256, files: count, sizeBytes: count }),
  price: Type.Object({
    perReplica: money,
    cap: money,
    charged: nullable(money),
    // What the accepted replicas cost, the commission included.
    spent: nullable(money),
    refunded: nullable(money),
  }),
  redundancy: count,
  counts: Type.Object({ units: count, agreed: count, undecided: count, replicasRunning: count }),
  createdAt: instant,
  fundedAt: nullable(instant),
  verifiedAt: nullable(instant),
  releaseDueAt: nullable(instant),
  settledAt: nullable(instant),
  failure: nullable(Type.Object({ code: Type.String(), text: Type.String() })),
  dispute: nullable(
    Type.Object({ id: id('dispute'), state: oneOf(['open', 'resolved']), reason: Type.String(), openedAt: instant }),
  ),
};

export const Job = named('Job', Type.Object(jobFields));

export const CreatedJob = named(
  'CreatedJob',
  Type.Object(
    { ...jobFields, quote: ref(Quote), payment: nullable(ref(Payment)) },
    { description: 'A job as it was created, with the quote that it was priced by.' },
  ),
);

export const Replica = named(
  'Replica',
  Type.Object({
    id: id('replica'),
    workerId: id('worker'),
    workerName: Type.String(),
    ownerName: Type.String(),
    state: oneOf(replicaStates),
    machineClass: Type.String({ description: 'The runner digest, with the architecture where that counts.' }),
    commitment: nullable(sha256),
    digest: nullable(sha256),
    metric: nullable(Type.String()),
    claimedAt: instant,
    committedAt: nullable(instant),
    revealedAt: nullable(instant),
    usage: nullable(Type.Object({ wallMs: count, cpuMs: count, peakBytes: count })),
    paid: nullable(money),
  }),
);

export const Unit = named(
  'Unit',
  Type.Object({
    id: id('unit'),
    ordinal: count,
    kind: oneOf(['work', 'merge']),
    state: oneOf(unitStates),
    agreedDigest: nullable(sha256),
    metric: nullable(Type.String()),
    replicas: Type.Array(ref(Replica)),
  }),
);

export const LogLine = named(
  'LogLine',
  Type.Object({
    position: Type.String(),
    unitId: id('unit'),
    replicaId: id('replica'),
    stream: oneOf(['stdout', 'stderr', 'system']),
    text: Type.String(),
    at: instant,
  }),
);

export const Results = named(
  'Results',
  Type.Object({
    digest: sha256,
    files: Type.Array(ref(TreeFile), { maxItems: limits.resultFiles }),
    merged: Type.Boolean({ description: 'Whether the files come from the merge unit; else they lie under NNNN/.' }),
  }),
);

export const Change = named(
  'Change',
  Type.Object(
    {
      position: cursor,
      jobId: nullable(id('job')),
      kind: Type.String(),
      data: Type.Object({}, { additionalProperties: true }),
      at: instant,
    },
    { description: 'One event of a stream: something changed, read it again.' },
  ),
);

export const DisputeRequest = named(
  'DisputeRequest',
  closed({ reason: Type.String({ minLength: 1, maxLength: 2000 }) }),
);

export const ResolveRequest = named(
  'ResolveRequest',
  closed({
    outcome: oneOf(['release', 'refund', 'split']),
    refundMinor: Type.Optional(Type.String({ pattern: '^\\d{1,18}$', description: 'For a split: what goes back.' })),
    reason: Type.String({ minLength: 1, maxLength: 2000 }),
  }),
);

export const Dispute = named(
  'Dispute',
  Type.Object({
    id: id('dispute'),
    jobId: id('job'),
    state: oneOf(['open', 'resolved']),
    reason: Type.String(),
    outcome: nullable(oneOf(['release', 'refund', 'split'])),
    openedAt: instant,
    resolvedAt: nullable(instant),
  }),
);

export const JobPage = named('JobPage', page(ref(Job)));
export const UnitPage = named('UnitPage', page(ref(Unit)));
export const LogPage = named('LogPage', page(ref(LogLine)));

export type Job = Static<typeof Job>;
export type CreatedJob = Static<typeof CreatedJob>;
export type Unit = Static<typeof Unit>;
export type Replica = Static<typeof Replica>;
export type LogLine = Static<typeof LogLine>;
export type Results = Static<typeof Results>;
export type Change = Static<typeof Change>;
export type Dispute = Static<typeof Dispute>;
