/** New blocks as they come: what is shown of the chain's end is read again, and readers of screens are told. */

import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { market } from './market.ts';

/** Blocks may come many a second; the page is read again, and the newest told, once in this time. */
const gatherMs = 500;

/** The number of the newest block that came since the page was opened. */
export function useNewBlocks(): string | undefined {
  const queries = useQueryClient();
  const [newest, setNewest] = useState<string>();
  useEffect(() => {
    const stop = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let latest: string | undefined;
    const tell = (): void => {
      timer = undefined;
      setNewest(latest);
      void queries.invalidateQueries({ queryKey: ['ledger'] });
    };
    const soon = (): void => {
      timer ??= setTimeout(tell, gatherMs);
    };
    // What came between reading the page and listening is read at once.
    const onState = (state: 'open' | 'closed'): void => (state === 'open' ? soon() : undefined);
    const follow = async (): Promise<void> => {
      for await (const block of market.newBlocks({ signal: stop.signal, onState })) {
        latest = block.number;
        soon();
      }
    };
    // A refusal shows itself in what the page reads.
    follow().catch(() => undefined);
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [queries]);
  return newest;
}
