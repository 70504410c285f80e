/** Keeps what is on the page current: each change that the server reports makes its queries be read again. */

import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { market } from './market.ts';

const gatherMs = 150;

/** Whether the stream of changes is connected. Changes within a moment are gathered into one round of reading. */
export function useLiveUpdates(enabled: boolean): boolean {
  const queries = useQueryClient();
  const [connected, setConnected] = useState(false);
  useEffect(() => {
    if (!enabled) return;
    const stop = new AbortController();
    const jobs = new Set<string>();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const flush = () => {
      timer = undefined;
      const touched = [...jobs];
      jobs.clear();
      void queries.invalidateQueries({ queryKey: ['jobs'] });
      void queries.invalidateQueries({ queryKey: ['ledger'] });
      for (const job of touched) void queries.invalidateQueries({ queryKey: ['job', job] });
    };
    const follow = async () => {
      const changes = market.events({ signal: stop.signal, onState: (state) => setConnected(state === 'open') });
      for await (const change of changes) {
        if (change.jobId !== null) jobs.add(change.jobId);
        timer ??= setTimeout(flush, gatherMs);
      }
    };
    void follow().catch(() => setConnected(false));
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [enabled, queries]);
  return connected;
}
