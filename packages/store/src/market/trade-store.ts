/** The books of the market over PostgreSQL. */

import type { JobId, TradeChannel, TradeStore, TradeTx } from '@assay/core';
import type { Database, Tx } from '../database.ts';
import { checkBooks, standings } from './trade-checks.ts';
import { inbox, outbox, trail } from './trade-boxes.ts';
import { disputeBook } from './trade-disputes.ts';
import { earningBook } from './trade-earnings.ts';
import { jobBook } from './trade-jobs.ts';
import { moneyBook } from './trade-money.ts';
import { readReceiptSource } from './trade-receipts.ts';
import { transferBook } from './trade-transfers.ts';
import type { JobEndings } from './work-store.ts';

const channels: Readonly<Record<TradeChannel, string>> = { outbox: 'outbox', inbox: 'inbox', facts: 'ledger_fact' };

/** The store over `db`. */
export function createTradeStore(db: Database): TradeStore {
  return {
    transaction: (run) => db.transaction((tx) => run(tradeTx(tx))),
    listen: (channel, wake) => db.listen(channels[channel], wake),
    checkBooks: () => checkBooks(db),
    standings: (after, limit) => standings(db, after, limit),
    receiptSource: (job) => readReceiptSource(db, job),
  };
}

/** All books of one open transaction. */
export function tradeTx(tx: Tx): TradeTx {
  return {
    jobs: jobBook(tx),
    transfers: transferBook(tx),
    money: moneyBook(tx),
    earnings: earningBook(tx),
    disputes: disputeBook(tx),
    outbox: outbox(tx),
    inbox: inbox(tx),
    trail: trail(tx),
  };
}

/** What the market does with the money when the work of a job ends. */
export interface WorkEndings {
  verified(tx: TradeTx, job: JobId, releaseDueAtMs: number): Promise<void>;
  failed(tx: TradeTx, job: JobId): Promise<void>;
}

/** Lets the exchange of work call the market's rules in its own transaction. */
export function tradeEndings(endings: WorkEndings): JobEndings {
  return {
    verified: (tx, job, releaseDueAt) => endings.verified(tradeTx(tx), job, releaseDueAt.getTime()),
    failed: (tx, job) => endings.failed(tradeTx(tx), job),
  };
}
