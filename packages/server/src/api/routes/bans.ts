/** What operators do about those who attack the market. */

import { Ban, BanRequest } from '../schemas/ban.ts';
import { ref } from '../schemas/named.ts';
import { page, pageQuery } from '../schemas/scalars.ts';
import { route } from './route.ts';

export const banRoutes = {
  listBans: route({
    method: 'GET',
    path: '/bans',
    tag: 'accounts',
    summary: 'Accounts and workers that are banned, and why.',
    access: { scope: 'account', roles: ['operator', 'auditor'] },
    query: pageQuery,
    status: 200,
    reply: page(ref(Ban)),
    refuses: [],
  }),
  ban: route({
    method: 'POST',
    path: '/bans',
    tag: 'accounts',
    summary: 'Ban an account from ordering, or a worker from working; it stays banned for its first reason.',
    access: { scope: 'account', roles: ['operator'] },
    idempotent: 'nature',
    body: ref(BanRequest),
    status: 204,
    refuses: ['account.not_found', 'worker.not_found'],
  }),
  liftBan: route({
    method: 'POST',
    path: '/bans/lift',
    tag: 'accounts',
    summary: 'End a ban.',
    access: { scope: 'account', roles: ['operator'] },
    idempotent: 'nature',
    body: ref(BanRequest),
    status: 204,
    refuses: ['ban.not_found'],
  }),
};
