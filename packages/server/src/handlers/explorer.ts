/** What shows the chain. On a private channel it shows nothing: its members read it from their own peers. */

import { assert, parseId, refuse, type Ledger, type Sha256Hex } from '@assay/core';
import {
  blockDetail,
  channelOf,
  findOnLedger,
  historyOfWorker,
  listBlocks,
  listFacts,
  signatureOf,
  transactionAt,
  transactionById,
  transactionsOf,
  type PlacedTransaction,
} from '@assay/ledger';
import type { Database } from '@assay/store';
import type { HandlersOf } from '../api/handlers.ts';
import { viewerOf, type Caller } from '../auth/caller.ts';
import {
  presentBlock,
  presentBlockLine,
  presentFact,
  presentHead,
  presentProof,
  presentTransaction,
  presentTransactionLine,
  presentWorkerChange,
} from '../present/ledger.ts';
import { jobIdOf } from './jobs.ts';
import { limitOf, pageOf } from './paging.ts';

export interface ExplorerDeps {
  readonly db: Database;
  readonly ledger: Ledger;
}

type Explorer =
  | 'ledgerHead'
  | 'listBlocks'
  | 'getBlock'
  | 'listTransactions'
  | 'getTransactionAt'
  | 'getTransaction'
  | 'listLedgerFacts'
  | 'workerHistory'
  | 'searchLedger'
  | 'getProof';

/** The channel whose blocks every account of the market may look at. */
const publicChannel = 'public-marketplace';

/** Refuses `ledger.private` where the chain is that of another channel, and while it is not known. */
export async function requirePublic(db: Database): Promise<void> {
  const channel = await channelOf(db);
  if (channel === publicChannel) return;
  if (channel === null) throw refuse('ledger.not_found', 'the chain has no blocks yet', {});
  throw refuse('ledger.private', 'the chain is that of a private channel; its members read it from their peers', {});
}

/** The handlers. */
export function explorerHandlers({ db, ledger }: ExplorerDeps): HandlersOf<Explorer> {
  return {
    // Hashes and a signature: they tell nothing of what is in the chain.
    ledgerHead: async () => presentHead(await ledger.head()),
    ...chainHandlers({ db, ledger }),
    async listLedgerFacts({ query }) {
      await requirePublic(db);
      const limit = limitOf(query);
      const job = query.job === undefined ? null : jobIdOf(query.job);
      const before = query.after === undefined ? null : positionOf(query.after);
      const page = pageOf(await listFacts(db, job, before, limit + 1), limit, (fact) => fact.position.toString());
      return { ...page, items: page.items.map(presentFact) };
    },
    async workerHistory({ params, query }, { caller }) {
      await requirePublic(db);
      const worker = parseId('worker', params.id);
      assert(worker !== undefined, 'the schema has checked the id');
      const limit = limitOf(query);
      const changes = await historyOfWorker(db, worker, placeOf(query.after), limit + 1);
      const page = pageOf(changes, limit, (change) => `${change.block}-${change.txIndex}`);
      const { all } = viewerOf(caller);
      return { ...page, items: page.items.map((change) => presentWorkerChange(change, all)) };
    },
    async searchLedger({ query }) {
      await requirePublic(db);
      return findOnLedger(db, query.q.trim());
    },
    async getProof({ params }) {
      await requirePublic(db);
      return presentProof(await ledger.prove(params.txId as Sha256Hex));
    },
  };
}

type Chain = 'listBlocks' | 'getBlock' | 'listTransactions' | 'getTransactionAt' | 'getTransaction';

function chainHandlers({ db }: ExplorerDeps): HandlersOf<Chain> {
  const show = async (placed: PlacedTransaction, caller: Caller) =>
    presentTransaction(placed, await signatureOf(db, placed.record), viewerOf(caller).all);
  return {
    async listBlocks({ query }) {
      await requirePublic(db);
      const limit = limitOf(query);
      const before = query.after === undefined ? null : positionOf(query.after);
      const page = pageOf(await listBlocks(db, before, limit + 1), limit, (block) => block.number.toString());
      return { ...page, items: page.items.map(presentBlockLine) };
    },
    async getBlock({ params }) {
      await requirePublic(db);
      return presentBlock(await blockDetail(db, positionOf(params.number)));
    },
    async listTransactions({ params, query }, { caller }) {
      await requirePublic(db);
      const { number } = await blockDetail(db, positionOf(params.number));
      const limit = limitOf(query);
      const rows = await transactionsOf(db, number, Number(query.after ?? -1), limit + 1);
      const page = pageOf(rows, limit, (row) => row.txIndex.toString());
      const { all } = viewerOf(caller);
      return { ...page, items: page.items.map((row) => presentTransactionLine(row, all)) };
    },
    async getTransactionAt({ params }, { caller }) {
      await requirePublic(db);
      const place = { block: positionOf(params.number), txIndex: Number(params.index) };
      return show(await transactionAt(db, place), caller);
    },
    async getTransaction({ params }, { caller }) {
      await requirePublic(db);
      return show(await transactionById(db, params.txId), caller);
    },
  };
}

/** A position that the schema has checked; one that no chain reaches is not there. */
export function positionOf(text: string): bigint {
  const position = BigInt(text);
  if (position >= 2n ** 63n) throw refuse('ledger.not_found', 'the chain has no such block', {});
  return position;
}

/** The `next` of a page of changes, which the schema has checked. */
function placeOf(text: string | undefined): { block: bigint; txIndex: number } | null {
  const [block, txIndex] = text?.split('-') ?? [];
  return block === undefined || txIndex === undefined ? null : { block: BigInt(block), txIndex: Number(txIndex) };
}
