/** Who is signed in. A link that carries a one-time ticket (`#ticket=…`) signs in by itself. */

import { Refusal } from '@assay/core';
import type { Session } from '@assay/client';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { market } from './market.ts';

const sessionKey = ['session'] as const;

/** Takes the ticket out of the address so that it does not stay in the history. */
function takeTicket(): string | undefined {
  const ticket = new URLSearchParams(window.location.hash.slice(1)).get('ticket') ?? undefined;
  if (ticket !== undefined) window.history.replaceState(null, '', window.location.pathname);
  return ticket;
}

async function currentSession(): Promise<Session | null> {
  const ticket = takeTicket();
  try {
    if (ticket !== undefined) return await market.redeemTicket(ticket);
    return await market.currentSession();
  } catch (error) {
    // A spent ticket is no obstacle for somebody who is signed in already.
    if (ticket !== undefined && error instanceof Refusal) return currentSession();
    if (error instanceof Refusal && error.status === 401) return null;
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
    onSuccess: (session) => queries.setQueryData(sessionKey, session),
  });
}

export function useSignOut() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => market.signOut(),
    onSuccess: () => {
      queries.clear();
      queries.setQueryData(sessionKey, null);
    },
  });
}
