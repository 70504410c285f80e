/** Messages to the ledger and to payment providers that wait for a person. */

import { Type, type Static } from 'typebox';
import { closed, named, oneOf } from './named.ts';
import { instant, printable } from './scalars.ts';

const message = Type.String({ pattern: '^[1-9]\\d{0,17}$', description: 'Its number in the outbox.' });

export const HeldMessage = named(
  'HeldMessage',
  Type.Object({
    message,
    kind: oneOf(['ledger', 'payment', 'payout', 'refund', 'mail']),
    op: Type.String({ description: 'What it asks of its receiver.' }),
    ref: Type.String({ description: 'What it is about, such as a job.' }),
    inDoubt: Type.Boolean({
      description: 'A sending may have had its effect; the receiver is asked before anything is sent anew.',
    }),
    error: Type.String({ description: 'Why it is held.' }),
    addedAt: instant,
  }),
);
export type HeldMessage = Static<typeof HeldMessage>;

export const ResumeRequest = named(
  'ResumeRequest',
  closed({
    message,
    reason: Type.String({ minLength: 1, maxLength: 500, pattern: printable }),
    absent: Type.Optional(
      Type.Boolean({
        description:
          'Somebody made sure that the receiver has nothing of it: it may be sent although its key may be forgotten.',
      }),
    ),
  }),
);
