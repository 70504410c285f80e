/** Who is signed in. A link that carries a one-time ticket (`#ticket=…`) signs in by itself. */

import { Refusal } from '@assay/core';
import type { Session } from '@assay/client';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { market } from './market.ts';

/** Where the cache keeps the session. */
export const sessionKey = ['session'] as const;

/** Remembers that somebody signed in here, so that a stranger's first visit need not ask and be refused. */
const mark = 'assay-signed-in';

function remember(session: Session): Session {
  window.localStorage.setItem(mark, 'yes');
  return session;
}

/** Takes the ticket out of the address so that it does not stay in the history. */
function takeTicket(): string | undefined {
  const ticket = new URLSearchParams(window.location.hash.slice(1)).get('ticket') ?? undefined;
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

/** The session, `null` when nobody is signed in. */
export function useSession() {
  return useQuery({ queryKey: sessionKey, queryFn: currentSession, staleTime: Infinity });
}

export function useSignIn() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (credentials: { email: string; password: string }) => market.signIn(credentials),
    onSuccess: (session) => queries.setQueryData(sessionKey, remember(session)),
  });
}

export function useSignOut() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => market.signOut(),
    onSuccess: () => {
      window.localStorage.removeItem(mark);
      queries.clear();
      queries.setQueryData(sessionKey, null);
    },
  });
}
