/** Streams of changes. */

import type { AccountId, JobId } from '@assay/core';
import type { Database } from '@assay/store';
import type { FastifyReply } from 'fastify';
import type { Call, HandlersOf } from '../api/handlers.ts';
import { viewerOf, type Caller } from '../auth/caller.ts';
import type { ChangeHub, Watched } from '../live/change-hub.ts';
import { sendEvents, streamCounts, streamStart } from '../live/event-stream.ts';
import { visibleJob } from './jobs.ts';

export interface EventDeps {
  readonly db: Database;
  readonly hub: ChangeHub;
}

/** The handlers. */
export function eventHandlers({ db, hub }: EventDeps): HandlersOf<'events' | 'jobEvents'> {
  const counts = streamCounts();
  const stream = (call: Call, caller: Caller, watched: Watched, after?: string): Promise<FastifyReply> => {
    const start = streamStart(call.request, after);
    const leave = counts.enter(caller.account);
    try {
      return sendEvents(call.reply, hub.watch(watched, start), leave);
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
  };
}
