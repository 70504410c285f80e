/** The gateway to the ledger, and the webhooks of payment providers. */

import { limits } from '@assay/core';
import { Type } from 'typebox';
import {
  Block,
  BlockPage,
  InclusionProof,
  Invoked,
  InvokeRequest,
  Queried,
  queryQuery,
  SignedHead,
} from '../schemas/ledger.ts';
import { ref } from '../schemas/named.ts';
import { position, region, sha256 } from '../schemas/scalars.ts';
import { anyRole, route } from './route.ts';

const open = { scope: 'ledger', roles: anyRole } as const;

/** Facts that others can check. */
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
  ledgerHead: route({
    method: 'GET',
    path: '/ledger/head',
    tag: 'ledger',
    summary: 'The signed head of the chain; keep it to detect rewritten history.',
    access: 'public',
    status: 200,
    reply: ref(SignedHead),
    refuses: ['ledger.unavailable'],
  }),
  listBlocks: route({
    method: 'GET',
    path: '/ledger/blocks',
    tag: 'ledger',
    summary: 'Blocks in order.',
    access: open,
    query: Type.Object({
      after: Type.Optional(position),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: limits.pageItems })),
    }),
    status: 200,
    reply: ref(BlockPage),
    refuses: ['ledger.unavailable'],
  }),
  getBlock: route({
    method: 'GET',
    path: '/ledger/blocks/:number',
    tag: 'ledger',
    summary: 'One block.',
    access: open,
    params: Type.Object({ number: position }),
    status: 200,
    reply: ref(Block),
    refuses: ['ledger.not_found'],
  }),
  getProof: route({
    method: 'GET',
    path: '/ledger/proofs/:txId',
    tag: 'ledger',
    summary: 'The proof that a transaction is part of the chain.',
    access: open,
    params: Type.Object({ txId: sha256 }),
    status: 200,
    reply: ref(InclusionProof),
    refuses: ['ledger.not_found'],
  }),
  paymentWebhook: route({
    method: 'POST',
    path: '/payment/webhook/:region',
    tag: 'payments',
    summary: 'What a payment provider tells us; checked over its raw bytes and only stored.',
    access: 'public',
    idempotent: 'nature',
    upload: 'application/json',
    rawBody: true,
    params: Type.Object({ region }),
    status: 200,
    reply: Type.Object({ received: Type.Boolean() }),
    refuses: ['webhook.unverified', 'payment.region_unavailable', 'request.too_large'],
  }),
};
