/** The account of whoever is signed in, as its page sees it: where it is signed in, and its password. */

import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { market } from './market.ts';

const sessionsKey = ['sessions'] as const;

/** The most sessions that the page shows. */
export const mostSessions = 200;

/** The newest sessions. */
export function useSessions() {
  return useQuery({
    queryKey: sessionsKey,
    queryFn: async () => (await market.listSessions({ limit: mostSessions })).items,
  });
}

/** What may end sessions; they are read again also where it failed, since one may be over already. */
function useEnding<Input, Output>(act: (input: Input) => Promise<Output>) {
  const cache = useQueryClient();
  return useMutation({ mutationFn: act, onSettled: () => cache.invalidateQueries({ queryKey: sessionsKey }) });
}

export function useEndSession() {
  return useEnding((id: string) => market.endSession(id));
}

export function useEndOtherSessions() {
  return useEnding(() => market.endOtherSessions());
}

export function useChangePassword() {
  return useEnding((change: { password: string; newPassword: string }) => market.changePassword(change));
}
