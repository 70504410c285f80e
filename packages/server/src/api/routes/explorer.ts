/** The explorer of the ledger: blocks, transactions, facts, histories and proofs. */

import { limits } from '@assay/core';
import { Type } from 'typebox';
import {
  Block,
  BlockLine,
  BlockPage,
  FactPage,
  Found,
  InclusionProof,
  LedgerTransaction,
  SignedHead,
  TransactionPage,
  WorkerChangePage,
} from '../schemas/ledger.ts';
import { ref } from '../schemas/named.ts';
import { id, position, sha256 } from '../schemas/scalars.ts';
import { anyRole, route } from './route.ts';

/** On a channel that is public to its market, what is on the chain is for every account of it. */
const access = { scope: 'ledger', roles: anyRole } as const;

const limit = Type.Optional(Type.Integer({ minimum: 1, maximum: limits.pageItems }));
const txIndex = Type.String({ pattern: '^\\d{1,9}$' });

/** Facts that others can check. */
export const explorerRoutes = {
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
    summary: 'Blocks, newest first.',
    access,
    query: Type.Object({ after: Type.Optional(position), limit }),
    status: 200,
    reply: ref(BlockPage),
    refuses: ['ledger.private', 'ledger.not_found', 'ledger.unavailable'],
  }),
  getBlock: route({
    method: 'GET',
    path: '/ledger/blocks/:number',
    tag: 'ledger',
    summary: 'One block: its header, its hashes and the signed head that it made.',
    access,
    params: Type.Object({ number: position }),
    status: 200,
    reply: ref(Block),
    refuses: ['ledger.private', 'ledger.not_found'],
  }),
  listTransactions: route({
    method: 'GET',
    path: '/ledger/blocks/:number/transactions',
    tag: 'ledger',
    summary: 'The transactions of one block, in order.',
    access,
    params: Type.Object({ number: position }),
    query: Type.Object({ after: Type.Optional(txIndex), limit }),
    status: 200,
    reply: ref(TransactionPage),
    refuses: ['ledger.private', 'ledger.not_found'],
  }),
  getTransactionAt: route({
    method: 'GET',
    path: '/ledger/blocks/:number/transactions/:index',
    tag: 'ledger',
    summary: 'One transaction by its place; also those that do not count.',
    access,
    params: Type.Object({ number: position, index: txIndex }),
    status: 200,
    reply: ref(LedgerTransaction),
    refuses: ['ledger.private', 'ledger.not_found'],
  }),
  getTransaction: route({
    method: 'GET',
    path: '/ledger/transactions/:txId',
    tag: 'ledger',
    summary: 'One transaction by its id.',
    access,
    params: Type.Object({ txId: sha256 }),
    status: 200,
    reply: ref(LedgerTransaction),
    refuses: ['ledger.private', 'ledger.not_found'],
  }),
  listLedgerFacts: route({
    method: 'GET',
    path: '/ledger/facts',
    tag: 'ledger',
    summary: 'Facts, newest first: all of them, or those about one job.',
    access,
    query: Type.Object({ after: Type.Optional(position), limit, job: Type.Optional(id('job')) }),
    status: 200,
    reply: ref(FactPage),
    refuses: ['ledger.private', 'ledger.not_found'],
  }),
  workerHistory: route({
    method: 'GET',
    path: '/ledger/workers/:id/history',
    tag: 'ledger',
    summary: 'Every change of a worker’s record, newest first, with the counters after it.',
    access,
    params: Type.Object({ id: id('worker') }),
    query: Type.Object({
      after: Type.Optional(
        Type.String({ pattern: '^\\d{1,18}-\\d{1,9}$', description: 'The `next` of the page before.' }),
      ),
      limit,
    }),
    status: 200,
    reply: ref(WorkerChangePage),
    refuses: ['ledger.private'],
  }),
  searchLedger: route({
    method: 'GET',
    path: '/ledger/search',
    tag: 'ledger',
    summary: 'What a block number, a hash, a transaction id, a job id or a worker id names.',
    access,
    query: Type.Object({ q: Type.String({ minLength: 1, maxLength: 100 }) }),
    status: 200,
    reply: ref(Found),
    refuses: ['ledger.private', 'ledger.not_found'],
  }),
  getProof: route({
    method: 'GET',
    path: '/ledger/proofs/:txId',
    tag: 'ledger',
    summary: 'The proof that a transaction is part of the chain; `assay verify` checks it offline.',
    access,
    params: Type.Object({ txId: sha256 }),
    status: 200,
    reply: ref(InclusionProof),
    refuses: ['ledger.private', 'ledger.not_found'],
  }),
  ledgerEvents: route({
    method: 'GET',
    path: '/ledger/events',
    tag: 'ledger',
    summary: 'Server-sent events: each new block; resumes by Last-Event-ID or `after`, which are block numbers.',
    access,
    query: Type.Object({ after: Type.Optional(position) }),
    status: 200,
    media: 'text/event-stream',
    reply: ref(BlockLine),
    refuses: ['ledger.private'],
  }),
};
