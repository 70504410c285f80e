/** Keeps what is on the page current: each change that the server reports makes its queries be read again. */

import { useQueryClient, type QueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { market, requestsMade } from './market.ts';
import { rounds } from './rounds.ts';
import { sessionKey } from './session.ts';

/** What a round reads again; only queries that are on the page are fetched. */
interface Touched {
  readonly jobs: Set<string>;
  everything: boolean;
  ledger: boolean;
}

const nothing = (): Touched => ({ jobs: new Set(), everything: false, ledger: false });

async function readAgain(queries: QueryClient, touched: Touched): Promise<void> {
  const again = (...queryKey: string[]) => queries.invalidateQueries({ queryKey });
  if (touched.everything) {
    await Promise.all([again('jobs'), again('job'), again('ledger')]);
    return;
  }
  await Promise.all([
    again('jobs'),
    ...(touched.ledger ? [again('ledger')] : []),
    ...[...touched.jobs].map((job) => again('job', job)),
  ]);
}

/** Whether the stream of changes of the account that is signed in is connected. */
export function useLiveUpdates(accountId: string | undefined): boolean {
  const queries = useQueryClient();
  const [connected, setConnected] = useState(false);
  useEffect(() => {
    if (accountId === undefined) return undefined;
    const stop = new AbortController();
    const mark = rounds(nothing, (touched) => readAgain(queries, touched), requestsMade);
    const onState = (state: 'open' | 'closed'): void => {
      if (stop.signal.aborted) return;
      setConnected(state === 'open');
      // What happened while nobody listened is read at once.
      if (state === 'open') mark((touched) => (touched.everything = true));
    };
    const follow = async (): Promise<void> => {
      for await (const change of market.events({ signal: stop.signal, onState })) {
        mark((touched) => {
          if (change.jobId !== null) touched.jobs.add(change.jobId);
          if (change.kind === 'fact') touched.ledger = true;
        });
      }
    };
    follow().catch(() => {
      if (stop.signal.aborted) return;
      setConnected(false);
      void queries.invalidateQueries({ queryKey: sessionKey });
    });
    return () => stop.abort();
  }, [accountId, queries]);
  return connected;
}
