import { expect, test } from 'vitest';
import type {
  JobId,
  ReplicaId,
  UnitId,
  UnitRow,
  WorkChanges,
  WorkerId,
  AccountId,
  RequestId,
  Sha256Hex,
} from '@assay/core';
import { createUnitCache, type HeldUnit } from './unit-cache.ts';

const id = 'unt_1' as UnitId;
const replica = 'rep_1' as ReplicaId;

function unit(overrides: Partial<UnitRow> = {}): HeldUnit {
  const row: UnitRow = {
    id,
    job: 'job_1' as JobId,
    ordinal: 0,
    kind: 'work',
    position: 1n,
    state: 'open',
    planned: 3,
    wanted: 3,
    patienceOver: false,
    machineClass: null,
    overdue: false,
    ...overrides,
  };
  return { row, revealDueMs: null, replicas: [] };
}

const nothing: WorkChanges = {
  nowMs: 1000,
  leaseMs: 100,
  revealMs: 100,
  exchanges: [],
  lateOffers: [],
  desks: [],
  claims: [],
  renewed: [],
  commits: [],
  reveals: [],
  ends: [],
  units: [],
  decided: [],
};

const claim = {
  replica,
  attempt: 0,
  unit: id,
  job: 'job_1' as JobId,
  machineClass: 'm',
  runUntilMs: 0,
  worker: 'wrk_1' as WorkerId,
  owner: 'acc_1' as AccountId,
  payoutAccount: null,
  hub: null,
  networkBlock: null,
};

/** A memory in which a committed transaction has left the unit with one claimed replica. */
function filled() {
  const cache = createUnitCache();
  const turn = cache.open(true);
  turn.take([id]);
  turn.hold(unit()).row.wanted -= 1;
  turn.note({ ...nothing, claims: [claim] });
  turn.keep();
  turn.end();
  return cache;
}

test('what a transaction left is what the next one finds', () => {
  const turn = filled().open(true);
  turn.take([id]);
  expect(turn.unread([id])).toEqual([]);
  const { units, replicas } = turn.rows([id], 0);
  expect(units).toMatchObject([{ wanted: 2 }]);
  expect(replicas).toMatchObject([{ id: replica, state: 'leased' }]);
});

test('a transaction that failed leaves nothing', () => {
  const cache = filled();
  const failed = cache.open(true);
  failed.take([id]);
  failed.end();
  const next = cache.open(true);
  next.take([id]);
  expect(next.unread([id])).toEqual([id]);
});

test('whoever took a unit before another one did must read it once it has the lock', () => {
  const cache = filled();
  const early = cache.open(true);
  const late = cache.open(true);
  early.take([id]);
  late.take([id]);
  late.hold(unit({ wanted: 0 }));
  late.keep();
  late.end();
  expect(early.unread([id])).toEqual([id]);
});

test('the last taker’s word stands when commits are heard of in the wrong order', () => {
  const cache = filled();
  const first = cache.open(true);
  first.take([id]);
  const second = cache.open(true);
  second.take([id]);
  second.hold(unit({ wanted: 0 }));
  second.keep();
  second.end();
  first.keep();
  first.end();
  const next = cache.open(true);
  next.take([id]);
  expect(next.rows([id], 0).units).toMatchObject([{ wanted: 0 }]);
});

test('company, distrust and lateness all mean reading anew', () => {
  for (const spoil of ['company', 'distrust', 'late'] as const) {
    const cache = filled();
    if (spoil === 'company') cache.open(false).end();
    const open = cache.open(true);
    if (spoil === 'distrust') {
      open.distrust();
      open.end();
    }
    const turn = cache.open(true);
    turn.take([id], spoil === 'late' ? new Set([id]) : undefined);
    expect(turn.unread([id])).toEqual([id]);
  }
});

test('a transaction that was open when rows changed behind the memory leaves nothing', () => {
  const cache = filled();
  const open = cache.open(true);
  open.take([id]);
  const other = cache.open(true);
  other.distrust();
  open.keep();
  open.end();
  other.end();
  const next = cache.open(true);
  next.take([id]);
  expect(next.unread([id])).toEqual([id]);
});

test('a unit with a refused statement is read anew, so that nobody talks past a deadline', () => {
  const cache = filled();
  const turn = cache.open(true);
  turn.take([id]);
  turn.unread([id]);
  const exchange = {
    id: 'req_1' as RequestId,
    worker: 'wrk_1' as WorkerId,
    bodySha256: '' as Sha256Hex,
    offers: [],
    refused: [{ replica, code: 'replica.wrong_state' }],
    sentAtMs: 0,
    statementsRoot: '' as Sha256Hex,
    signature: '',
    leafHashes: '',
  };
  turn.note({ ...nothing, exchanges: [exchange] });
  turn.keep();
  turn.end();
  const next = cache.open(true);
  next.take([id]);
  expect(next.unread([id])).toEqual([id]);
});

test('a reveal that was opened is overdue when its time is over', () => {
  const cache = filled();
  const turn = cache.open(true);
  turn.take([id]);
  const { units } = turn.rows([id], 1000);
  const [row] = units;
  if (row) turn.note({ ...nothing, units: [{ row, opensReveal: true, wantsMore: false }] });
  turn.keep();
  turn.end();
  for (const [nowMs, overdue] of [
    [1100, false],
    [1101, true],
  ] as const) {
    const next = cache.open(true);
    next.take([id]);
    expect(next.rows([id], nowMs).units).toMatchObject([{ overdue }]);
    next.keep();
    next.end();
  }
});

test('a decided unit is handed out once and forgotten', () => {
  const cache = filled();
  const turn = cache.open(true);
  expect(turn.finish(id)).toMatchObject([{ id: replica }]);
  expect(turn.finish(id)).toBeUndefined();
});
