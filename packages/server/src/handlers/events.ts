/** Streams of changes. */

import { refuse, Refusal, type AccountId, type JobId } from '@assay/core';
import type { BlockSummary } from '@assay/ledger';
import type { Database } from '@assay/store';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Call, HandlersOf } from '../api/handlers.ts';
import { viewerOf, type Caller } from '../auth/caller.ts';
import type { BlockHub } from '../live/block-hub.ts';
import type { ChangeHub, Watched } from '../live/change-hub.ts';
import { changeText, lastEvent, sendEvents, streamCounts, streamStart } from '../live/event-stream.ts';
import { presentBlockLine } from '../present/ledger.ts';
import { positionOf, requirePublic } from './explorer.ts';
import { visibleJob } from './jobs.ts';

export interface EventDeps {
  readonly db: Database;
  readonly hub: ChangeHub;
  readonly blocks: BlockHub;
}

/** The handlers. */
export function eventHandlers({ db, hub, blocks }: EventDeps): HandlersOf<'events' | 'jobEvents' | 'ledgerEvents'> {
  const counts = streamCounts();
  const stream = (call: Call, caller: Caller, watched: Watched, after?: string): Promise<FastifyReply> => {
    const start = streamStart(call.request, after);
    const leave = counts.enter(caller.account);
    try {
      const mayStay = () => isSame(call.request, caller);
      return sendEvents(call.reply, hub.watch(watched, start), { textOf: changeText, mayStay, leave });
    } catch (error) {
      leave();
      throw error;
    }
  };
  return {
    async events({ query }, call) {
      const { account, all } = viewerOf(call.caller);
      return stream(call, call.caller, all ? {} : { accountId: account as AccountId }, query.after);
    },
    async jobEvents({ params, query }, call) {
      const job = await visibleJob(db, call.caller, params.id);
      const jobId = job.id as JobId;
      // Somebody who only worked on the job is told what concerns their own account.
      const watched = job.owned ? { jobId } : { jobId, accountId: call.caller.account };
      return stream(call, call.caller, watched, query.after);
    },
    async ledgerEvents({ query }, { request, reply, caller }) {
      await requirePublic(db);
      const after = blockCursor(lastEvent(request, query.after));
      const leave = counts.enter(caller.account);
      try {
        const mayStay = () => isSame(request, caller);
        return await sendEvents(reply, await blocks.watch(after), { textOf: blockText, mayStay, leave });
      } catch (error) {
        leave();
        throw error;
      }
    },
  };
}

/** Whether the request would be let in again, to see the same: not after signing out or without the key. */
async function isSame(request: FastifyRequest, caller: Caller): Promise<boolean> {
  try {
    const [now, then] = [await request.readmit?.(), viewerOf(caller)];
    return now !== undefined && now.account === then.account && viewerOf(now).all === then.all;
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  }
}

function blockCursor(text: string | undefined): bigint | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,19}$/.test(text)) throw refuse('request.malformed', 'not the number of a block', { after: text });
  return positionOf(text);
}

function blockText(block: BlockSummary): string {
  return `id: ${block.number}\nevent: block\ndata: ${JSON.stringify(presentBlockLine(block))}\n\n`;
}
