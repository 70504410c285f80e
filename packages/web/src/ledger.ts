/**
 * The ledger as the explorer's pages see it. Under the key `ledger` lies what new blocks change; under `chain` what
 * stays as it is for ever.
 */

import type { Found, LedgerTransaction } from '@assay/client';
import { useMutation, useQuery } from '@tanstack/react-query';
import { market } from './market.ts';
import { checkProof } from './shown.ts';

/** Rows of one page of the explorer. */
const pageRows = 20;
const forEver = { staleTime: Infinity } as const;

/** A page of a list that grows at its beginning: the first changes, later ones only move on. */
function listKey(name: string, before: string | undefined) {
  return before === undefined ? ['ledger', name] : ['chain', name, before];
}

function from(before: string | undefined) {
  return { limit: pageRows, ...(before === undefined ? {} : { after: before }) };
}

export function useLedgerHead() {
  return useQuery({ queryKey: ['ledger', 'head'], queryFn: () => market.ledgerHead() });
}

export function useBlocks(before: string | undefined) {
  return useQuery({ queryKey: listKey('blocks', before), queryFn: () => market.listBlocks(from(before)) });
}

export function useBlock(number: string) {
  return useQuery({ queryKey: ['chain', 'block', number], queryFn: () => market.getBlock(number), ...forEver });
}

export function useTransactions(number: string, after: string | undefined) {
  return useQuery({
    queryKey: ['chain', 'block', number, 'transactions', after],
    queryFn: () => market.listTransactions(number, from(after)),
    ...forEver,
  });
}

/** Where a transaction is looked up: by its id or by its place. */
export type Whereabouts = { readonly txId: string } | { readonly number: string; readonly index: string };

export function useTransaction(where: Whereabouts) {
  return useQuery({
    queryKey: ['chain', 'transaction', where],
    queryFn: () =>
      'txId' in where ? market.getTransaction(where.txId) : market.getTransactionAt(where.number, where.index),
    ...forEver,
  });
}

export function useLedgerFacts(before: string | undefined) {
  return useQuery({ queryKey: listKey('facts', before), queryFn: () => market.listLedgerFacts(from(before)) });
}

export function useJobHistory(jobId: string, before: string | undefined) {
  return useQuery({
    queryKey: listKey(`job ${jobId}`, before),
    queryFn: () => market.listLedgerFacts({ ...from(before), job: jobId }),
  });
}

export function useWorkerHistory(workerId: string, before: string | undefined) {
  return useQuery({
    queryKey: listKey(`worker ${workerId}`, before),
    queryFn: () => market.workerHistory(workerId, from(before)),
  });
}

/** The proof as a file to keep, checked here by the same rules as `assay verify`, and against what is shown. */
export function useProof(shown: LedgerTransaction) {
  const { txId, provable } = shown;
  return useQuery({
    queryKey: ['chain', 'proof', txId],
    queryFn: async ({ signal }) => {
      const text = await market.getProofText(txId, { signal });
      return { text, verdict: checkProof(shown, text) };
    },
    enabled: provable,
    ...forEver,
  });
}

/** Looks up what somebody typed. */
export function useSearch(onFound: (found: Found) => void) {
  return useMutation({ mutationFn: (text: string) => market.searchLedger(text), onSuccess: onFound });
}
