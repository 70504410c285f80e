/** Who is signed in. A link that carries a one-time ticket (`#ticket=…`) signs in by itself. */

import { Refusal } from '@assay/core';
import type { Session } from '@assay/client';
import { useMutation, useQuery, useQueryClient, type QueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { market } from './market.ts';

/** Where the cache keeps the session. */
export const sessionKey = ['session'] as const;

/** Remembers that somebody signed in here, so that a stranger's first visit need not ask and be refused. */
const mark = 'assay-signed-in';

function remember(session: Session): Session {
  window.localStorage.setItem(mark, 'yes');
  return session;
}

function ticketInAddress(): string | undefined {
  return new URLSearchParams(window.location.hash.slice(1)).get('ticket') ?? undefined;
}

/** Takes the ticket out of the address so that it does not stay in the history. */
function takeTicket(): string | undefined {
  const ticket = ticketInAddress();
  if (ticket !== undefined) window.history.replaceState(null, '', window.location.pathname);
  return ticket;
}

async function currentSession(): Promise<Session | null> {
  const ticket = takeTicket();
  try {
    if (ticket !== undefined) return remember(await market.redeemTicket(ticket));
    if (window.localStorage.getItem(mark) === null) return null;
    return await market.currentSession();
  } catch (error) {
    // A spent ticket is no obstacle for somebody who is signed in already.
    if (ticket !== undefined && error instanceof Refusal) return currentSession();
    if (error instanceof Refusal && error.status === 401) {
      window.localStorage.removeItem(mark);
      return null;
    }
    throw error;
  }
}

/** What another account read is gone with it, before anybody else's pages are drawn. */
function enter(queries: QueryClient, session: Session | null): Session | null {
  const before = queries.getQueryData<Session | null>(sessionKey);
  if (before?.account.id !== session?.account.id) {
    queries.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== sessionKey[0] });
  }
  return session;
}

/** The session, `null` when nobody is signed in. */
export function useSession() {
  const queries = useQueryClient();
  return useQuery({
    queryKey: sessionKey,
    queryFn: async () => enter(queries, await currentSession()),
    staleTime: Infinity,
  });
}

/** A link with a ticket that is followed while the console is open loads no page: it changes the address alone. */
export function useTicketLinks(): void {
  const queries = useQueryClient();
  useEffect(() => {
    const look = (): void => {
      if (ticketInAddress() !== undefined) void queries.invalidateQueries({ queryKey: sessionKey });
    };
    window.addEventListener('hashchange', look);
    return () => window.removeEventListener('hashchange', look);
  }, [queries]);
}

export function useSignIn() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (credentials: { email: string; password: string }) => market.signIn(credentials),
    onSuccess: (session) => queries.setQueryData(sessionKey, enter(queries, remember(session))),
  });
}

export function useSignOut() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async () => {
      await market.signOut().catch((error: unknown) => {
        // The session was over already.
        if (!(error instanceof Refusal && error.status === 401)) throw error;
      });
    },
    onSuccess: () => {
      window.localStorage.removeItem(mark);
      queries.clear();
      queries.setQueryData(sessionKey, null);
    },
  });
}
