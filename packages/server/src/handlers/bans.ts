/** Banning and lifting bans, for operators: each leaves a line in the audit log. */

import { parseId, refuse, type AccountId, type Refusal, type WorkerId } from '@assay/core';
import { addAudit, ban, liftBan, readBans, type Database } from '@assay/store';
import type { HandlersOf } from '../api/handlers.ts';
import { limitOf, pageOf } from './paging.ts';

/** The handlers. */
export function banHandlers({ db }: { readonly db: Database }): HandlersOf<'listBans' | 'ban' | 'liftBan'> {
  return {
    async listBans({ query }) {
      const limit = limitOf(query);
      const page = pageOf(await readBans(db, query.after ?? null, limit + 1), limit, (row) => row.subject);
      return { ...page, items: page.items.map((row) => ({ ...row, bannedAt: row.bannedAt.toISOString() })) };
    },
    async ban({ body: { subject: text, reason } }, { caller }) {
      const subject = subjectOf(text);
      await db.transaction(async (tx) => {
        const outcome = await ban(tx, subject, reason);
        if (outcome === 'unknown') throw nobody(subject);
        const line = { actor: caller.account, action: 'ban.add', ref: subject, data: { reason } };
        if (outcome === 'banned') await addAudit(tx, line);
      });
    },
    async liftBan({ body: { subject: text, reason } }, { caller }) {
      const subject = subjectOf(text);
      await db.transaction(async (tx) => {
        if (!(await liftBan(tx, subject))) throw refuse('ban.not_found', `${subject} is not banned`);
        await addAudit(tx, { actor: caller.account, action: 'ban.lift', ref: subject, data: { reason } });
      });
    },
  };
}

function nobody(subject: AccountId | WorkerId): Refusal {
  return subject.startsWith('acc_')
    ? refuse('account.not_found', 'no such account')
    : refuse('worker.not_found', 'no such worker');
}

function subjectOf(text: string): AccountId | WorkerId {
  const subject = parseId('account', text) ?? parseId('worker', text);
  if (subject === undefined) throw refuse('request.malformed', 'a ban is about an account or a worker');
  return subject;
}
