/** The gateway to the ledger, and the webhooks of payment providers. */

import { Type } from 'typebox';
import { Invoked, InvokeRequest, Queried, queryQuery } from '../schemas/ledger.ts';
import { ref } from '../schemas/named.ts';
import { region } from '../schemas/scalars.ts';
import { route } from './route.ts';

/** Calls of contracts, and what banks tell. */
export const ledgerRoutes = {
  invoke: route({
    method: 'POST',
    path: '/chaincode/invoke',
    tag: 'ledger',
    summary: 'Submit a transaction to one of the contracts.',
    access: { scope: 'ledger', roles: ['operator', 'arbiter'] },
    idempotent: 'key',
    body: ref(InvokeRequest),
    status: 200,
    reply: ref(Invoked),
    refuses: ['ledger.refused', 'ledger.conflict', 'ledger.unknown_function', 'ledger.unavailable'],
  }),
  query: route({
    method: 'GET',
    path: '/chaincode/query',
    tag: 'ledger',
    summary: 'Run a read-only function of one of the contracts.',
    access: { scope: 'ledger', roles: ['operator', 'arbiter', 'auditor'] },
    query: queryQuery,
    status: 200,
    reply: ref(Queried),
    refuses: ['ledger.refused', 'ledger.unknown_function', 'ledger.unavailable'],
  }),
  paymentWebhook: route({
    method: 'POST',
    path: '/payment/webhook/:region',
    tag: 'payments',
    summary: 'What a payment provider tells us; checked over its raw bytes and only stored.',
    access: 'webhook',
    idempotent: 'nature',
    upload: 'application/json',
    rawBody: true,
    params: Type.Object({ region }),
    status: 200,
    reply: Type.Object({ received: Type.Boolean() }),
    refuses: ['webhook.unverified', 'payment.region_unavailable', 'request.too_large'],
  }),
};
