/** The market as the pages see it: one client, one cache, and a hook for each thing that is read or done. */

import { createClient, type Job } from '@assay/client';
import { Fault, Refusal } from '@assay/core';
import { verifyReceipt } from '@assay/verify';
import { QueryClient, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { Bundle } from './bundle.ts';

/** Calls go to the page's own origin with the session's cookie. */
export const market = createClient({ baseUrl: '', auth: { kind: 'cookie' } });

export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      retry: (count, error) => !(error instanceof Refusal) && count < 3 && !(error instanceof Fault && !error.retry),
      staleTime: 5_000,
    },
  },
});

/** Reads every page of a list, up to a bound that a browser can still show. */
async function all<Item>(
  read: (from: { after?: string }) => Promise<{ items: readonly Item[]; next: string | null }>,
  most = 2_000,
): Promise<Item[]> {
  const items: Item[] = [];
  let cursor: string | null = null;
  do {
    const page = await read(cursor === null ? {} : { after: cursor });
    items.push(...page.items);
    cursor = page.next;
  } while (cursor !== null && items.length < most);
  return items;
}

export function useJobs() {
  return useQuery({ queryKey: ['jobs'], queryFn: async () => (await market.listJobs({ limit: 100 })).items });
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

export function useMoney(jobId: string) {
  return useQuery({
    queryKey: ['job', jobId, 'money'],
    queryFn: () => all((from) => market.listMoney(jobId, from)),
  });
}

export function useFacts(jobId: string) {
  return useQuery({
    queryKey: ['job', jobId, 'facts'],
    queryFn: () => all((from) => market.listFacts(jobId, from)),
  });
}

export function useLogs(jobId: string) {
  return useQuery({
    queryKey: ['job', jobId, 'logs'],
    queryFn: () => all((from) => market.listLogs(jobId, from)),
  });
}

export function useResults(jobId: string, enabled: boolean) {
  return useQuery({ queryKey: ['job', jobId, 'results'], queryFn: () => market.getResults(jobId), enabled });
}

/** The receipt as a file to keep, checked here by the same rules as `assay verify`. */
export function useReceipt(jobId: string, enabled: boolean) {
  return useQuery({
    queryKey: ['job', jobId, 'receipt'],
    queryFn: async () => {
      const text = await (await fetch(receiptUrl(jobId), { credentials: 'same-origin' })).text();
      const outcome = verifyReceipt(text);
      const verdict = outcome.ok
        ? { ok: true, text: 'Checked in this browser: every part of it holds.' }
        : { ok: false, text: `${outcome.part} does not hold: ${outcome.message}` };
      return { url: receiptUrl(jobId), sizeBytes: text.length, verdict };
    },
    enabled,
    staleTime: Infinity,
  });
}

function receiptUrl(jobId: string): string {
  return `/jobs/${jobId}/receipt`;
}

export function resultUrl(jobId: string, path: string): string {
  return `/jobs/${jobId}/results/${path.split('/').map(encodeURIComponent).join('/')}`;
}

export function resultsZipUrl(jobId: string): string {
  return `/jobs/${jobId}/results.zip`;
}

export function useLedgerHead() {
  return useQuery({ queryKey: ['ledger', 'head'], queryFn: () => market.ledgerHead() });
}

export function useBlocks() {
  return useQuery({ queryKey: ['ledger', 'blocks'], queryFn: async () => (await market.listBlocks()).items });
}

/** The price of a bundle whose manifest was read here. */
export function useQuote(bundle: Bundle) {
  return useQuery({
    queryKey: ['quote', bundle.name, bundle.zip.size],
    queryFn: () => market.createQuote(bundle.manifest as Record<string, unknown>),
    enabled: bundle.manifest !== undefined,
    staleTime: 0,
  });
}

export function useCreateJob(onProgress: (sent: number, total: number) => void) {
  return useMutation({ mutationFn: (zip: Blob): Promise<Job> => market.createJob(zip, { onProgress }) });
}

/** What changes one job; its queries are read again afterwards. */
function useJobAction<Input>(jobId: string, act: (input: Input) => Promise<unknown>) {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: act,
    onSuccess: () => cache.invalidateQueries({ queryKey: ['job', jobId] }),
  });
}

export function usePay(jobId: string) {
  return useJobAction(jobId, () => market.payJob(jobId, { method: 'pm_card_visa' }));
}

export function useCancel(jobId: string) {
  return useJobAction(jobId, () => market.cancelJob(jobId));
}

export function useDispute(jobId: string) {
  return useJobAction(jobId, (reason: string) => market.disputeJob(jobId, reason));
}
