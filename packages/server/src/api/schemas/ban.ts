/** Bans: who may not order, and who may not work. */

import { idPattern } from '@assay/core';
import { Type, type Static } from 'typebox';
import { closed, named } from './named.ts';
import { instant, printable } from './scalars.ts';

const subject = Type.String({
  pattern: `${idPattern('account')}|${idPattern('worker')}`,
  description: 'An account, which may not order or pay any more, or a worker, which gets no work any more.',
});

export const BanRequest = named(
  'BanRequest',
  closed({ subject, reason: Type.String({ minLength: 1, maxLength: 500, pattern: printable }) }),
);

export const Ban = named('Ban', Type.Object({ subject, reason: Type.String(), bannedAt: instant }));
export type Ban = Static<typeof Ban>;
