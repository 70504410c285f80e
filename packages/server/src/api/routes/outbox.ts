/** What operators do about messages that could not be sent. */

import { ref } from '../schemas/named.ts';
import { HeldMessage, ResumeRequest } from '../schemas/outbox.ts';
import { page, pageQuery } from '../schemas/scalars.ts';
import { route } from './route.ts';

export const outboxRoutes = {
  listHeldMessages: route({
    method: 'GET',
    path: '/outbox/held',
    tag: 'outbox',
    summary: 'Messages to the ledger and to payment providers that wait for a person, and why.',
    access: { scope: 'account', roles: ['operator', 'auditor'] },
    query: pageQuery,
    status: 200,
    reply: page(ref(HeldMessage)),
    refuses: [],
  }),
  resumeMessage: route({
    method: 'POST',
    path: '/outbox/held/resume',
    tag: 'outbox',
    summary: 'Send a held message again, under the key that it always had.',
    access: { scope: 'account', roles: ['operator'] },
    idempotent: 'nature',
    body: ref(ResumeRequest),
    status: 204,
    refuses: ['message.not_held'],
  }),
};
