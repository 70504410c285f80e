/** Quotes, jobs, disputes and what can be read about them. */

import { assert, parseId, refuse, type DisputeId, type JobId, type PaymentProvider, type Region } from '@assay/core';
import { factsOfJob } from '@assay/ledger';
import { readJob, readJobs, readLogs, readParties, readUnits, type Database, type JobView } from '@assay/store';
import type { HandlersOf } from '../api/handlers.ts';
import { viewerOf, type Caller } from '../auth/caller.ts';
import type { Market } from '../market-port.ts';
import { presentJob, presentLog, presentUnits } from '../present/job.ts';
import { presentFact } from '../present/ledger.ts';
import { presentMoneyLine } from '../present/money.ts';
import { presentDispute, presentPayment, presentQuote } from '../present/trade.ts';
import { limitOf, pageOf } from './paging.ts';

export interface JobDeps {
  readonly db: Database;
  readonly market: Market;
  readonly providers: { forRegion(region: Region): PaymentProvider };
}

type Acting = 'createQuote' | 'payJob' | 'cancelJob' | 'disputeJob' | 'resolveDispute';
type Reading = 'listJobs' | 'getJob' | 'listUnits' | 'listMoney' | 'listFacts' | 'listLogs';

/** The handlers that change something. */
export function actingHandlers({ db, market, providers }: JobDeps): HandlersOf<Acting> {
  return {
    createQuote: ({ body }) => presentQuote(market.quote(body.manifest)),
    async payJob({ params, body }, { caller }) {
      const job = jobIdOf(params.id);
      const method = body.method === undefined ? {} : { method: body.method };
      const payment = await market.payJob({ customer: caller.account, job, ...method });
      return presentPayment(payment, providers.forRegion(payment.region).name);
    },
    async cancelJob({ params }, { caller }) {
      const { id } = await market.cancelJob({ customer: caller.account, job: jobIdOf(params.id) });
      return presentJob(await visibleJob(db, caller, id));
    },
    async disputeJob({ params, body }, { caller }) {
      const request = { customer: caller.account, job: jobIdOf(params.id), reason: body.reason };
      return presentDispute(await market.disputeJob(request));
    },
    async resolveDispute({ params, body }, { caller }) {
      const dispute: DisputeId | undefined = parseId('dispute', params.id);
      assert(dispute !== undefined, 'the schema has checked the id');
      const { outcome, reason, refundMinor } = body;
      const refund = refundMinor === undefined ? {} : { refundMinor: BigInt(refundMinor) };
      const ruling = { dispute, arbiter: caller.account, outcome, reason, ...refund };
      return presentDispute(await market.resolveDispute(ruling));
    },
  };
}

/** The handlers that only read. */
export function readingHandlers({ db, market }: JobDeps): HandlersOf<Reading> {
  return {
    async listJobs({ query }, { caller }) {
      const limit = limitOf(query);
      const filter = { state: query.state ?? null, before: query.after ?? null, limit: limit + 1 };
      const page = pageOf(await readJobs(db, viewerOf(caller), filter), limit, (row) => row.id);
      return { ...page, items: page.items.map(presentJob) };
    },
    getJob: async ({ params }, { caller }) => presentJob(await visibleJob(db, caller, params.id)),
    async listUnits({ params, query }, { caller }) {
      const job = await visibleJob(db, caller, params.id);
      const limit = limitOf(query);
      const after = unitCursor(query.after);
      const { units, replicas } = await readUnits(db, viewerOf(caller), job.id, { after, limit: limit + 1 });
      const page = pageOf(units, limit, (unit) => `${unit.kind}-${unit.ordinal}`);
      return { ...page, items: presentUnits(page.items, replicas, job.currency) };
    },
    async listMoney({ params }, { caller }) {
      const job = await ownedJob(db, caller, params.id);
      const id = jobIdOf(job.id);
      const [lines, names] = await Promise.all([market.moneyTimeline(id), readParties(db, id)]);
      return { items: lines.map((line) => presentMoneyLine(line, names)), next: null };
    },
    async listFacts({ params, query }, { caller }) {
      const job = await visibleJob(db, caller, params.id);
      const limit = limitOf(query, 200);
      const facts = await factsOfJob(db, jobIdOf(job.id), positionOf(query.after), limit + 1);
      const page = pageOf(facts, limit, (fact) => fact.position.toString());
      return { ...page, items: page.items.map(presentFact) };
    },
    async listLogs({ params, query }, { caller }) {
      const job = await visibleJob(db, caller, params.id);
      const limit = limitOf(query, 200);
      const rows = await readLogs(db, viewerOf(caller), job.id, positionOf(query.after), limit);
      // A log grows: `next` is where to go on even when there is nothing more yet.
      return { items: rows.map(presentLog), next: rows.at(-1)?.position.toString() ?? query.after ?? null };
    },
  };
}

/** The job that the caller may see; refuses `job.not_found`, as for one that does not exist. */
export async function visibleJob(db: Database, caller: Caller, id: string): Promise<JobView> {
  const job = await readJob(db, viewerOf(caller), id);
  if (!job) throw refuse('job.not_found', 'no such job', { job: id });
  return job;
}

/** The job whose customer's side the caller is on: money, results and receipts are for nobody else. */
export async function ownedJob(db: Database, caller: Caller, id: string): Promise<JobView> {
  const job = await visibleJob(db, caller, id);
  if (!job.owned) throw refuse('job.not_found', 'no such job', { job: id });
  return job;
}

/** An id that the schema has checked. */
export function jobIdOf(text: string): JobId {
  const id: JobId | undefined = parseId('job', text);
  assert(id !== undefined, 'the schema has checked the id');
  return id;
}

function unitCursor(text: string | undefined): { kind: 'work' | 'merge'; ordinal: number } | null {
  if (text === undefined) return null;
  const [, kind, ordinal] = /^(work|merge)-(\d{1,9})$/.exec(text) ?? [];
  if (ordinal === undefined) throw refuse('request.malformed', 'not the `next` of a page of units', { after: text });
  return { kind: kind as 'work' | 'merge', ordinal: Number(ordinal) };
}

function positionOf(text: string | undefined): bigint {
  if (text === undefined) return 0n;
  if (!/^\d{1,18}$/.test(text)) throw refuse('request.malformed', 'not the `next` of a page', { after: text });
  return BigInt(text);
}
