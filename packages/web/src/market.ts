/** The market as the pages see it: one client, one cache, and a hook for each thing that is read or done. */

import { createClient, type CreatedJob, type LogLine, type MoneyLine } from '@assay/client';
import { Fault, Refusal } from '@assay/core';
import type { ReceiptVerdict } from '@assay/verify';
import { QueryClient, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { Bundle } from './bundle.ts';
import { inWorker } from './in-worker.ts';
import { receiptOf } from './shown.ts';
import { mostJobs, mostRows } from './words.ts';

let made = 0;

/** How many requests the page has made. */
export function requestsMade(): number {
  return made;
}

/** Calls go to the page's own origin with the session's cookie. */
export const market = createClient({
  baseUrl: '',
  auth: { kind: 'cookie' },
  fetch(input, init) {
    made += 1;
    return window.fetch(input, init);
  },
});

export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      retry: (count, error) => !(error instanceof Refusal) && count < 3 && !(error instanceof Fault && !error.retry),
      staleTime: 5_000,
    },
  },
});

/** Reads every page of a list, up to what a page still shows. */
async function all<Item>(
  read: (from: { after?: string }) => Promise<{ items: readonly Item[]; next: string | null }>,
): Promise<Item[]> {
  const items: Item[] = [];
  let cursor: string | null = null;
  do {
    const page = await read(cursor === null ? {} : { after: cursor });
    items.push(...page.items);
    cursor = page.next;
  } while (cursor !== null && items.length < mostRows);
  return items;
}

export function useJobs() {
  return useQuery({ queryKey: ['jobs'], queryFn: async () => (await market.listJobs({ limit: mostJobs })).items });
}

export function useJob(jobId: string) {
  return useQuery({ queryKey: ['job', jobId], queryFn: () => market.getJob(jobId) });
}

export function useUnits(jobId: string) {
  return useQuery({
    queryKey: ['job', jobId, 'units'],
    queryFn: () => all((from) => market.listUnits(jobId, { limit: 200, ...from })),
  });
}

/** What payouts come to is told only to those whom they pay, so that it is asked for: often at first, then less. */
function untilPaidMs(lines: readonly MoneyLine[], readAtMs: number): number | false {
  const owed = lines.filter(({ kind, to }) => kind === 'settlement' && to.startsWith('owed to'));
  const paid = lines.filter(({ kind }) => kind === 'payout_paid');
  const [first] = owed;
  if (first === undefined || paid.length >= owed.length) return false;
  return Math.min(60_000, Math.max(1_000, (readAtMs - new Date(first.at).getTime()) / 4));
}

export function useMoney(jobId: string) {
  return useQuery({
    queryKey: ['job', jobId, 'money'],
    queryFn: () => all((from) => market.listMoney(jobId, from)),
    refetchInterval: ({ state }) => untilPaidMs(state.data ?? [], state.dataUpdatedAt),
  });
}

export function useFacts(jobId: string) {
  return useQuery({
    queryKey: ['job', jobId, 'facts'],
    queryFn: () => all((from) => market.listFacts(jobId, { limit: 200, ...from })),
  });
}

/** A log grows at its end: what was read stays, and only what came after it is asked for. */
export function useLogs(jobId: string) {
  const cache = useQueryClient();
  const queryKey = ['job', jobId, 'logs'];
  return useQuery({
    queryKey,
    queryFn: async () => {
      const lines = [...(cache.getQueryData<readonly LogLine[]>(queryKey) ?? [])];
      while (lines.length < mostRows) {
        const last = lines.at(-1);
        const page = await market.listLogs(jobId, { limit: 200, ...(last ? { after: last.position } : {}) });
        lines.push(...page.items);
        if (page.items.length < 200) break;
      }
      return lines;
    },
    structuralSharing: false,
  });
}

export function useResults(jobId: string, enabled: boolean) {
  return useQuery({
    queryKey: ['results', jobId],
    queryFn: () => market.getResults(jobId),
    enabled,
    staleTime: Infinity,
  });
}

/** The text of a small result file; null where it is not text. */
export function useResultText(jobId: string, path: string) {
  return useQuery({
    queryKey: ['results', jobId, path],
    queryFn: async () => {
      const bytes = await new Response(await market.getResultFile(jobId, path)).arrayBuffer();
      try {
        return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
      } catch {
        return null;
      }
    },
    staleTime: Infinity,
  });
}

/** The receipt as a file to keep, checked here by the same rules as `assay verify`. */
export function useReceipt(jobId: string, state: string, enabled: boolean) {
  return useQuery({
    queryKey: ['receipt', jobId, state],
    queryFn: async ({ signal }) => {
      const text = await market.getReceiptText(jobId, { signal });
      const worker = new Worker(new URL('./receipt-worker.ts', import.meta.url), { type: 'module' });
      const verdict = await inWorker<ReceiptVerdict>(worker, text, signal);
      return { sizeBytes: new Blob([text]).size, verdict: receiptOf(jobId, verdict) };
    },
    enabled,
    staleTime: Infinity,
    // The last facts are on the ledger a moment after the job's state changed.
    retry: (count, error) => count < 10 && error instanceof Refusal && error.code === 'result.not_ready',
    retryDelay: 500,
  });
}

export function receiptUrl(jobId: string): string {
  return `/jobs/${jobId}/receipt`;
}

export function resultUrl(jobId: string, path: string): string {
  return `/jobs/${jobId}/results/${path.split('/').map(encodeURIComponent).join('/')}`;
}

export function resultsZipUrl(jobId: string): string {
  return `/jobs/${jobId}/results.zip`;
}

/** The price of a bundle whose manifest was read here. */
export function useQuote(bundle: Bundle) {
  return useQuery({
    queryKey: ['quote', bundle.manifest],
    queryFn: () => market.createQuote(bundle.manifest),
    staleTime: 0,
    refetchOnWindowFocus: false,
  });
}

export function useCreateJob(onProgress: (sent: number, total: number) => void) {
  return useMutation({ mutationFn: (zip: Blob): Promise<CreatedJob> => market.createJob(zip, { onProgress }) });
}

/** What changes one job; its queries are read again afterwards. */
function useJobAction<Input>(jobId: string, act: (input: Input) => Promise<unknown>) {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: act,
    onSuccess: () => cache.invalidateQueries({ queryKey: ['job', jobId] }),
  });
}

/** Whether the market moves real money; it says so before it is offered any. */
export function usePaymentMode() {
  return useQuery({
    queryKey: ['payments'],
    queryFn: async ({ signal }) => (await market.health({ signal })).payments,
    staleTime: Infinity,
  });
}

/** Pays with the card that payment providers have for tests: only for markets that move no real money. */
export function usePayInTest(jobId: string) {
  return useJobAction(jobId, () => market.payJob(jobId, { method: 'pm_card_visa' }));
}

export function useCancel(jobId: string) {
  return useJobAction(jobId, () => market.cancelJob(jobId));
}

export function useDispute(jobId: string) {
  return useJobAction(jobId, (reason: string) => market.disputeJob(jobId, reason));
}
