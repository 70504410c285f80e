/** The store of the exchange of work over PostgreSQL. */

import {
  refuse,
  type JobId,
  type Upload,
  type WorkerId,
  type WorkerRow,
  type WorkStore,
  type WorkTx,
} from '@assay/core';
import type { Database, Tx } from '../database.ts';
import { addBreaches, breachedJobs, weighBreach } from './work-breaches.ts';
import { soloServer } from './solo-server.ts';
import { glimpse, offered, openDesks, silentDesks } from './work-desks.ts';
import {
  holdersOf,
  lateJobs,
  lockJobs,
  markFailed,
  markVerified,
  mergeInputs,
  openJobs,
  openMerge,
  readJobs,
  uploaded,
} from './work-jobs.ts';
import { createUnitCache, type UnitTurn } from './unit-cache.ts';
import { createVerdictMemory, type VerdictTurn } from './verdict-memory.ts';
import { advanceJobs, sendWake, wakeChannel } from './work-progress.ts';
import { impatientUnits, lockUnits, takePool } from './work-units.ts';
import { jobsWithOpenVerdicts, openVerdicts, submitVerdicts } from './work-verdicts.ts';
import { writeChanges } from './work-write.ts';

/** What the money side does, in the same transaction, when the work of a job ends. */
export interface JobEndings {
  /** The job is verified and `releaseDueAt` ends its challenge window: escrow and ledger follow. */
  verified(tx: Tx, job: JobId, releaseDueAt: Date): Promise<void>;
  /** The job reached no verdict: everything goes back to the customer. */
  failed(tx: Tx, job: JobId, failure: { readonly code: string; readonly text: string }): Promise<void>;
}

export interface WorkStoreDeps {
  readonly db: Database;
  /** Names this server to the others, so that it does not wake itself. */
  readonly server: string;
  readonly challengeWindowMs: number;
  readonly endings: JobEndings;
}

/** The store of one server. */
export function createWorkStore(deps: WorkStoreDeps): WorkStore {
  const { db, server } = deps;
  const solo = soloServer(db);
  const cache = createUnitCache();
  const memory = createVerdictMemory();
  return {
    async transaction(run) {
      await solo.claim();
      for (;;) {
        const done = await tryTurn(run);
        if (done) return done.value;
        await solo.takeAway();
      }
    },
    workers: (ids) => readWorkers(db, ids),
    jobs: (ids) => readJobs(db, ids),
    openJobs: (limit) => openJobs(db, limit),
    mergeInputs: (job) => mergeInputs(db, job),
    recordUpload: (upload) => recordUpload(db, upload),
    listen: (onWake) =>
      db.listen(wakeChannel, (payload) => {
        if (payload === '') return onWake('all');
        const told = JSON.parse(payload) as { from?: string; workers?: WorkerId[]; units?: boolean; all?: boolean };
        if (told.all) return onWake('all');
        if (told.from !== server) onWake({ workers: told.workers ?? [], units: told.units ?? false });
      }),
  };

  /** One transaction; undefined when another server counts on being alone. */
  async function tryTurn<T>(run: (tx: WorkTx) => Promise<T>): Promise<{ readonly value: T } | undefined> {
    const open: { turn?: UnitTurn; verdicts?: VerdictTurn } = {};
    try {
      const done = await db.transaction(async (tx) => {
        // Not the first try: that one lost a race.
        open.turn?.end();
        delete open.turn;
        delete open.verdicts;
        const isAlone = await solo.enter(tx);
        if (isAlone === undefined) return undefined;
        open.turn = cache.open(isAlone);
        open.verdicts = memory.turn();
        return { value: await run(workTx(tx, open.turn, open.verdicts, deps)) };
      });
      open.turn?.keep();
      open.verdicts?.keep();
      return done;
    } finally {
      open.turn?.end();
    }
  }
}

/** The operations of one open transaction. */
function workTx(tx: Tx, turn: UnitTurn, verdicts: VerdictTurn, deps: Omit<WorkStoreDeps, 'db'>): WorkTx {
  return {
    openDesks: (workers, requests) => openDesks(tx, workers, requests),
    silentDesks: (silenceMs, limit) => silentDesks(tx, silenceMs, limit),
    lockUnits: (units, nowMs, late) => lockUnits(tx, turn, { units, nowMs, late }),
    takePool: (query) => takePool(tx, turn, query),
    impatientUnits: (patienceMs, limit) => impatientUnits(tx, turn, patienceMs, limit),
    async lockJobs(jobs) {
      const locked = await lockJobs(tx, jobs);
      verdicts.noteJobs(locked);
      return locked;
    },
    lateJobs: (ageMs, limit) => lateJobs(tx, ageMs, limit),
    glimpse: (replicas, nowMs) => glimpse(tx, replicas, nowMs),
    offered: (replicas) => offered(tx, replicas),
    uploaded: (pairs) => uploaded(tx, pairs),
    openVerdicts: (job, limit) => openVerdicts(tx, { units: turn, verdicts }, job, limit),
    jobsWithOpenVerdicts: (ageMs, limit) => jobsWithOpenVerdicts(tx, ageMs, limit),
    async write(changes) {
      turn.note(changes);
      await writeChanges(tx, changes);
    },
    advance(change) {
      verdicts.noteAdvance(change);
      return advanceJobs(tx, change);
    },
    wake: (wake) => sendWake(tx, deps.server, wake),
    submitVerdicts(batches) {
      verdicts.noteSubmitted(batches);
      return submitVerdicts(tx, batches);
    },
    openMerge: (job, unit) => openMerge(tx, job, unit),
    async verifyJob(job) {
      const due = await markVerified(tx, job, deps.challengeWindowMs);
      if (due) await deps.endings.verified(tx, job, due);
    },
    breachedJobs: (limit) => breachedJobs(tx, limit),
    addBreaches: (breaches) => addBreaches(tx, breaches),
    weighBreach: (breached, proven) => weighBreach(tx, breached, proven),
    async failJob(job, failure) {
      turn.distrust();
      const workers = await holdersOf(tx, job);
      if (!(await markFailed(tx, job, failure))) return [];
      await deps.endings.failed(tx, job, failure);
      return workers;
    },
  };
}

async function readWorkers(tx: Tx, ids: readonly WorkerId[]): Promise<WorkerRow[]> {
  return tx.query<WorkerRow>({ name: 'work.workers', text: workerRows }, [ids]);
}

const workerRows = `SELECT worker.id, public_key AS "publicKey", banned_at IS NOT NULL AS banned, owner_id AS owner,
    destination AS "payoutAccount", hub, worker.region, machine
  FROM worker LEFT JOIN payout_account
    ON account_id = owner_id AND payout_account.region = worker.region AND disabled_at IS NULL
  WHERE worker.id = ANY($1) AND removed_at IS NULL`;

/** An output may be stored while its replica is leased or waits to reveal. */
async function recordUpload(tx: Tx, { worker, replica, sha256, sizeBytes }: Upload): Promise<void> {
  const [row] = await tx.query<{ state: string }>('SELECT state FROM replica WHERE id = $1 AND worker_id = $2', [
    replica,
    worker,
  ]);
  if (!row) throw refuse('replica.not_found', 'this worker has no such replica', { replica });
  if (row.state !== 'leased' && row.state !== 'committed') {
    throw refuse('replica.wrong_state', `a ${row.state} replica takes no outputs`, { replica, state: row.state });
  }
  await tx.query(
    `INSERT INTO object_upload (replica_id, sha256, size_bytes) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
    [replica, sha256, sizeBytes],
  );
}
