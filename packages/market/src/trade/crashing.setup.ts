/** Adapters that die: before or after the n-th call to the outside or the n-th transaction, as a killed process does. */

import type { Wrappers } from './trade-scene.setup.ts';

/** What a killed process leaves of the call: nothing but an exception that nobody handles. */
export class Crash extends Error {}

/** Decides at each call whether the process dies, and on which side of the call. */
export type Fate = () => 'before' | 'after' | undefined;

/** Dies at call number `n` and, like a dead process, at every call after it. */
export function fateAt(n: number, side: 'before' | 'after'): Fate {
  let calls = 0;
  return () => {
    calls += 1;
    if (calls < n) return undefined;
    return calls === n ? side : 'before';
  };
}

/** Puts `fate` around each call of the provider and the ledger and each transaction. */
export function crashing(fate: Fate): Wrappers {
  const dying =
    <Args extends unknown[], Result>(call: (...args: Args) => Promise<Result>) =>
    async (...args: Args): Promise<Result> => {
      const side = fate();
      if (side === 'before') throw new Crash('before');
      const result = await call(...args);
      if (side === 'after') throw new Crash('after');
      return result;
    };
  return {
    provider: (provider) => ({
      ...provider,
      createPayment: dying(provider.createPayment),
      createPayout: dying(provider.createPayout),
      refund: dying(provider.refund),
      getPayment: dying(provider.getPayment),
      getPayout: dying(provider.getPayout),
      getRefund: dying(provider.getRefund),
      findByReference: dying(provider.findByReference),
    }),
    ledger: (ledger) => ({
      ...ledger,
      submit: dying((submissions, as) => ledger.submit(submissions, as)),
      facts: dying((position, limit) => ledger.facts(position, limit)),
    }),
    store: (store) => ({
      ...store,
      transaction: dying(store.transaction),
    }),
  };
}
