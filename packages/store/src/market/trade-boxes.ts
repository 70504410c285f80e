/** Outbox, inbox and trail in the words of the market. */

import type { Inbox, InboxMessage, Outbox, OutboxMessage, Trail } from '@assay/core';
import { addAudit } from '../audit.ts';
import { addChange } from '../change-feed.ts';
import { checkpoint, moveCheckpoint } from '../checkpoint.ts';
import type { Tx } from '../database.ts';
import { claimInbox, finishInbox, receiveInbox } from '../inbox.ts';
import { addToOutbox, claimOutbox, finishOutbox } from '../outbox.ts';

/** The outbox of one transaction. */
export function outbox(tx: Tx): Outbox {
  return {
    async add(message) {
      await addToOutbox(tx, message);
    },
    async claim({ kinds, limit, ref }) {
      return (await claimOutbox(tx, kinds, limit, undefined, ref)) as readonly OutboxMessage[];
    },
    finish: (message, result) => finishOutbox(tx, message, result),
  };
}

/** The inbox of one transaction. */
export function inbox(tx: Tx): Inbox {
  return {
    receive: (message) => receiveInbox(tx, message),
    claim: async (limit): Promise<readonly InboxMessage[]> => await claimInbox(tx, limit),
    finish: (message, kind) => finishInbox(tx, message, { kind }),
  };
}

/** Positions, changes and the audit log of one transaction. */
export function trail(tx: Tx): Trail {
  return {
    checkpoint: (name) => checkpoint(tx, name),
    moveCheckpoint: (name, position) => moveCheckpoint(tx, name, position),
    change: ({ kind, job, account, data }) => addChange(tx, { kind, jobId: job, accountId: account, data }),
    audit: (event) => addAudit(tx, event),
    async nowMs() {
      const [row] = await tx.query<{ at: Date }>('SELECT assay_now() AS at');
      return row?.at.getTime() ?? 0;
    },
  };
}
