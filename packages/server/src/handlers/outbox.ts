/** Messages that wait for a person, for operators: sending one again leaves a line in the audit log. */

import { refuse } from '@assay/core';
import { addAudit, readHeldOutbox, resumeOutbox, type Database } from '@assay/store';
import type { HandlersOf } from '../api/handlers.ts';
import { limitOf, pageOf } from './paging.ts';

/** The handlers. */
export function outboxHandlers({ db }: { readonly db: Database }): HandlersOf<'listHeldMessages' | 'resumeMessage'> {
  return {
    async listHeldMessages({ query }) {
      const limit = limitOf(query);
      const rows = await readHeldOutbox(db, placeOf(query.after), limit + 1);
      const page = pageOf(rows, limit, (row) => String(row.id));
      const items = page.items.map(({ id, addedAt, ...row }) => ({
        message: String(id),
        ...row,
        addedAt: addedAt.toISOString(),
      }));
      return { ...page, items };
    },
    async resumeMessage({ body: { message, reason, absent = false } }, { caller }) {
      await db.transaction(async (tx) => {
        if (!(await resumeOutbox(tx, BigInt(message), absent))) {
          throw refuse('message.not_held', `message ${message} does not wait for a person`);
        }
        await addAudit(tx, { actor: caller.account, action: 'outbox.resume', ref: message, data: { reason, absent } });
      });
    },
  };
}

function placeOf(after: string | undefined): bigint {
  if (after === undefined) return 0n;
  if (!/^\d{1,18}$/.test(after)) throw refuse('request.malformed', 'after: is not a place in this list');
  return BigInt(after);
}
