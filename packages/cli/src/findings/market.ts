/** Whether the market can be reached, tells the same time, and knows the key. */

import { createClient } from '@assay/client';
import { Fault, limits, Refusal } from '@assay/core';
import { systemClock } from '../system-clock.ts';
import type { Finding } from './finding.ts';

const askMs = 10_000;

/** The findings about the market at `url`, as far as a key is there. */
export async function marketFindings(url: string, apiKey: string | undefined): Promise<Finding[]> {
  const reached = await reach(url);
  if (reached.some(({ state }) => state === 'problem')) return reached;
  const key = await knowsKey(url, apiKey);
  if (key.state === 'problem' || apiKey === undefined) return [...reached, key];
  const payout = await payoutFinding(url, apiKey);
  return payout ? [...reached, key, payout] : [...reached, key];
}

async function reach(url: string): Promise<Finding[]> {
  try {
    const answer = await fetch(new URL('/health', url), { signal: AbortSignal.timeout(askMs) });
    await answer.body?.cancel();
    if (!answer.ok) {
      return [{ what: 'market', state: 'problem', text: `${url} answers ${answer.status}`, fix: 'check the URL' }];
    }
    const aheadMs = systemClock.nowMs() - Date.parse(answer.headers.get('date') ?? '');
    return [{ what: 'market', state: 'ok', text: `${url} answers` }, clock(aheadMs)];
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : (error as Error);
    const fix = 'check the URL and the network; a worker only makes outgoing connections';
    return [{ what: 'market', state: 'problem', text: `${url} cannot be reached: ${cause.message}`, fix }];
  }
}

/** Requests are signed with the time; the header has whole seconds. */
function clock(aheadMs: number): Finding {
  if (Number.isNaN(aheadMs)) return { what: 'clock', state: 'missing', text: 'the market does not tell the time' };
  const text = `${Math.abs(Math.round(aheadMs / 1000))} s ${aheadMs > 0 ? 'ahead of' : 'behind'} the market`;
  return Math.abs(aheadMs) < limits.requestSkewMs / 2
    ? { what: 'clock', state: 'ok', text }
    : { what: 'clock', state: 'problem', text: `${text}: it would be refused`, fix: 'timedatectl set-ntp true' };
}

async function knowsKey(url: string, apiKey: string | undefined): Promise<Finding> {
  const fix = 'make a key with the scope "workers" in the console, under API keys';
  if (apiKey === undefined) return { what: 'API key', state: 'problem', text: 'none is given', fix };
  try {
    await createClient({ baseUrl: url, auth: { kind: 'apiKey', key: apiKey } }).listWorkers({ limit: 1 });
    return { what: 'API key', state: 'ok', text: 'the market takes it' };
  } catch (error) {
    if (!(error instanceof Refusal || error instanceof Fault)) throw error;
    return { what: 'API key', state: 'problem', text: `the market does not take it: ${error.message}`, fix };
  }
}

/** Whether the key's owner has an account to be paid on; undefined where the market does not tell. */
export async function payoutFinding(url: string, apiKey: string): Promise<Finding | undefined> {
  try {
    const { items } = await createClient({ baseUrl: url, auth: { kind: 'apiKey', key: apiKey } }).listPayoutAccounts();
    if (items.length > 0) return { what: 'payouts', state: 'ok', text: `go to ${items.map(placeOf).join(', ')}` };
    return {
      what: 'payouts',
      state: 'missing',
      text: 'no account to be paid on: what is earned waits at the market until there is one',
      fix:
        `curl -X POST ${url}/payout-accounts -H 'authorization: Bearer KEY' -H 'content-type: application/json' ` +
        `-H 'idempotency-key: my-payouts' -d '{"region":"eu"}' with the API key and your region`,
    };
  } catch (error) {
    // A market that does not tell hands out work all the same.
    if (error instanceof Refusal || error instanceof Fault) return undefined;
    throw error;
  }
}

const placeOf = ({ provider, region }: { readonly provider: string; readonly region: string }): string =>
  `${provider} in ${region}`;
