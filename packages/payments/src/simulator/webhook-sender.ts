/** Delivers the simulated bank's events, signed as Stripe signs them, again and again until they are taken. */

import { createHmac } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type { BankState, KeptEvent } from './bank-books.ts';
import type { FaultScript } from './fault-script.ts';

/** Where and how events go. */
export interface WebhookTerms {
  readonly secret: string;
  /** Waits before the second, third, … try; then the event is given up. */
  readonly retryDelaysMs: readonly number[];
  readonly timeoutMs: number;
}

/** The sender of one bank. */
export interface WebhookSender {
  /** Where to send; without an address events wait. */
  setUrl(url: string | undefined): void;
  /** Looks for events to send. */
  wake(): void;
  /** Lets withheld events go. */
  release(): void;
  /** Resolves when nothing is being sent or waits for its next try. */
  idle(): Promise<void>;
  stop(): Promise<void>;
}

/** The header that makes `body` authentic at a time. */
export function signatureHeader(body: string, secret: string, atMs: number): string {
  const seconds = Math.floor(atMs / 1000);
  const signature = createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex');
  return `t=${seconds},v1=${signature}`;
}

/** Starts a sender over the bank's events; `changed` is called when an event's state has changed. */
export function webhookSender(
  bank: BankState,
  terms: WebhookTerms,
  faults: FaultScript,
  nowMs: () => number,
  changed: () => void,
): WebhookSender {
  const busy = new Map<string, Promise<void>>();
  const stopping = new AbortController();
  let url: string | undefined;
  let heldBack: KeptEvent | undefined;

  const deliver = async (event: KeptEvent, times: number): Promise<void> => {
    for (let sent = 0; sent < times; sent += 1) {
      while (event.state === 'waiting' && !stopping.signal.aborted) {
        event.attempts += 1;
        const taken = await post(url ?? '', event.body, terms, nowMs(), stopping.signal);
        if (taken) break;
        const delayMs = terms.retryDelaysMs[event.attempts - 1];
        if (delayMs === undefined) event.state = 'given_up';
        else await pause(delayMs, stopping.signal);
      }
    }
    // What was taken need not be kept; what was given up stays for whoever looks.
    if (event.state === 'waiting' && !stopping.signal.aborted) bank.events.splice(bank.events.indexOf(event), 1);
    changed();
  };
  const launch = (event: KeptEvent, times = 1): void => {
    const work = deliver(event, times).finally(() => busy.delete(event.id));
    busy.set(event.id, work);
  };
  const launchAfter = (first: KeptEvent, late: KeptEvent): void => {
    const work = (busy.get(first.id) ?? Promise.resolve()).then(() => launch(late));
    busy.set(late.id, work);
  };
  const wake = (): void => {
    if (url === undefined || stopping.signal.aborted) return;
    const due = bank.events.filter((event) => event.state === 'waiting' && !busy.has(event.id) && event !== heldBack);
    for (const event of due) {
      const fault = event.attempts === 0 ? faults.takeEvent(typeOf(event)) : undefined;
      if (fault === 'withhold') event.state = 'withheld';
      else if (fault === 'reorder') heldBack = event;
      else {
        launch(event, fault === 'duplicate' ? 2 : 1);
        if (heldBack) launchAfter(event, heldBack);
        heldBack = undefined;
      }
    }
  };
  return {
    setUrl(next) {
      url = next;
      wake();
    },
    wake,
    release() {
      for (const event of bank.events.filter((each) => each.state === 'withheld')) {
        event.state = 'waiting';
        launch(event);
      }
    },
    async idle() {
      for (wake(); busy.size > 0; wake()) await Promise.all(busy.values());
    },
    async stop() {
      stopping.abort();
      while (busy.size > 0) await Promise.all(busy.values());
    },
  };
}

function typeOf(event: KeptEvent): string {
  return (JSON.parse(event.body) as { type: string }).type;
}

async function post(url: string, body: string, terms: WebhookTerms, atMs: number, stop: AbortSignal): Promise<boolean> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json; charset=utf-8',
        'stripe-signature': signatureHeader(body, terms.secret, atMs),
      },
      body,
      signal: AbortSignal.any([stop, AbortSignal.timeout(terms.timeoutMs)]),
    });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

async function pause(ms: number, stop: AbortSignal): Promise<void> {
  await setTimeout(ms, undefined, { signal: stop }).catch(() => undefined);
}
