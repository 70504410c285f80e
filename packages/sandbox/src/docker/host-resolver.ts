/**
 * Finds hosts without taking anything from the rest of this process: the system's own look-up occupies one of the few threads
 * that all look-ups of a process share, for as long as a name server likes, and cannot be given up.
 */

import { Resolver } from 'node:dns/promises';
import { bounds } from './bounds.ts';

export interface HostResolver {
  /** All addresses of the host, of both families; faults where it has none or nobody answers in time. */
  resolve(host: string): Promise<readonly string[]>;
  /** Gives up what is under way, which then faults. */
  cancel(): void;
}

/** Asks the name servers of this machine, or these (`address:port`). */
export function hostResolver(servers?: readonly string[]): HostResolver {
  const resolver = new Resolver({ timeout: bounds.resolveTryMs, tries: bounds.resolveTries });
  if (servers) resolver.setServers(servers);
  return {
    async resolve(host) {
      const answers = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
      const found = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
      if (found.length === 0) throw new Error(`${host} has no address`);
      return found;
    },
    cancel: () => resolver.cancel(),
  };
}
