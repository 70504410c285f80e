/** The common moves of the simulated bank: ids, movements, events. Every change to its books goes through here. */

import { randomUUID } from 'node:crypto';
import { Stripe } from 'stripe';
import { wireJson, type BankState, type WireMovement } from './bank-books.ts';

/** How the bank behaves. */
export interface BankTerms {
  readonly livemode: boolean;
  readonly minimumCharge: bigint;
  /** Fee of a charge in thousandths of its amount, and in minor units on top. */
  readonly feePermille: bigint;
  readonly feeFixed: bigint;
  /** How long a charge stays pending before it can be transferred. */
  readonly settlementSeconds: number;
  /** How long search does not see what was made: it is behind the lists. */
  readonly searchLagSeconds: number;
}

/** The bank's state with the means to change it. */
export interface BankDesk {
  readonly bank: BankState;
  readonly terms: BankTerms;
  nowSeconds(): number;
  newId(prefix: string): string;
  /** Books a movement on the platform's balance. */
  move(
    type: string,
    source: string,
    amount: bigint,
    currency: string,
    fee?: bigint,
    availableOn?: number,
  ): WireMovement;
  /** Notes an event about an object, to be sent to the webhook. */
  emit(type: string, object: object): void;
  /** Notes a thin event of the v2 API. */
  emitThin(type: string, related: { id: string; type: string; url: string }): void;
}

function newId(prefix: string): string {
  return `${prefix}_${randomUUID().replaceAll('-', '')}`;
}

/** A desk over `bank`. `nowMs` is the bank's clock, `notice` hears of each new event. */
export function bankDesk(bank: BankState, terms: BankTerms, nowMs: () => number, notice: () => void): BankDesk {
  const nowSeconds = (): number => Math.floor(nowMs() / 1000);
  const keep = (id: string, event: object): void => {
    bank.events.push({ id, body: wireJson(event), state: 'waiting', attempts: 0 });
    notice();
  };
  return {
    bank,
    terms,
    nowSeconds,
    newId,
    move(type, source, amount, currency, fee = 0n, availableOn = nowSeconds()) {
      const created = nowSeconds();
      const id = newId('txn');
      const status = availableOn > created ? 'pending' : 'available';
      const movement: WireMovement = {
        id,
        object: 'balance_transaction',
        type,
        amount,
        fee,
        net: amount - fee,
        currency,
        created,
        available_on: availableOn,
        source,
        status,
      };
      bank.movements[id] = movement;
      return movement;
    },
    emit(type, object) {
      const id = newId('evt');
      keep(id, {
        id,
        object: 'event',
        api_version: Stripe.API_VERSION,
        created: nowSeconds(),
        data: { object },
        livemode: terms.livemode,
        pending_webhooks: 1,
        request: null,
        type,
      });
    },
    emitThin(type, related) {
      const id = newId('evt');
      const created = new Date(nowMs()).toISOString();
      keep(id, { id, object: 'v2.core.event', type, created, livemode: terms.livemode, related_object: related });
    },
  };
}
