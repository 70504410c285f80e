/** What a market's operators watch: queues, the ledger and how far it is followed, and what waits to be sent. */

import { ledgerFigures } from '@assay/ledger';
import { followerName, type ExchangeFigures } from '@assay/market';
import { outboxDepth, readBacklog, type Database } from '@assay/store';
import type { Figure, Metrics } from './metrics.ts';

export interface FigureSources {
  readonly db: Database;
  readonly exchange: { figures(): ExchangeFigures };
  /** How many streams of changes are open. */
  readonly streams: () => number;
}

const ofServer = [
  { name: 'assay_event_streams', help: 'Open streams of changes on this server.' },
  { name: 'assay_exchange_queued', help: 'Workers’ requests that wait for the next transaction.' },
  { name: 'assay_exchange_waiting', help: 'Workers’ requests that wait for work to come.' },
  { name: 'assay_exchange_ticks_total', help: 'Transactions of the exchange since this server started.', counts: true },
] as const satisfies readonly Figure[];

const ofLedger = [
  { name: 'assay_ledger_height', help: 'The number of the newest block.' },
  { name: 'assay_ledger_facts_total', help: 'Facts on the ledger.', counts: true },
  { name: 'assay_ledger_head_age_seconds', help: 'How long ago the newest block was made.' },
  { name: 'assay_ledger_lag_facts', help: 'Facts that the market has not acted on yet.' },
  { name: 'assay_ledger_lag_seconds', help: 'How long the oldest of them has waited.' },
] as const satisfies readonly Figure[];

const ofQueues = [
  { name: 'assay_queue_units', help: 'Units that want a worker.' },
  { name: 'assay_queue_replicas', help: 'Replicas that those units want.' },
  { name: 'assay_outbox_messages', help: 'Messages that are not sent, by kind and state.', labels: ['kind', 'state'] },
  {
    name: 'assay_outbox_oldest_seconds',
    help: 'How long the oldest of them has waited.',
    labels: ['kind', 'state'],
  },
] as const satisfies readonly Figure[];

/** Adds the figures; those of the database are the same on every server of a market. */
export function watchMarket(metrics: Metrics, { db, exchange, streams }: FigureSources): void {
  metrics.figures(ofServer, () => {
    const { queued, seated, ticks } = exchange.figures();
    return {
      assay_event_streams: streams(),
      assay_exchange_queued: queued,
      assay_exchange_waiting: seated,
      assay_exchange_ticks_total: ticks,
    };
  });
  metrics.figures(ofLedger, async () => {
    const { block, facts, headAgeMs, waiting, waitingMs } = await ledgerFigures(db, followerName);
    return {
      assay_ledger_height: block,
      assay_ledger_facts_total: facts,
      assay_ledger_head_age_seconds: headAgeMs / 1000,
      assay_ledger_lag_facts: waiting,
      assay_ledger_lag_seconds: waitingMs / 1000,
    };
  });
  metrics.figures(ofQueues, async () => {
    const [{ units, replicas }, outbox] = await Promise.all([readBacklog(db), outboxDepth(db)]);
    const labelled = (value: (one: (typeof outbox)[number]) => number) =>
      outbox.map((one) => ({ labels: { kind: one.kind, state: one.state }, value: value(one) }));
    return {
      assay_queue_units: units,
      assay_queue_replicas: replicas,
      assay_outbox_messages: labelled((one) => one.count),
      assay_outbox_oldest_seconds: labelled((one) => one.oldestMs / 1000),
    };
  });
}
