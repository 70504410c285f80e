/** The payment provider over a bad line: calls fail before they arrive, answers get lost, the caller dies. */

import type { Outcome, PaymentProvider } from '@assay/core';
import type { FaultyDeps } from './faulty-database.ts';

export function faultyProvider({ host, turnstile, faults }: FaultyDeps, provider: PaymentProvider): PaymentProvider {
  const through =
    <Args extends unknown[], T>(name: string, call: (...args: Args) => Promise<Outcome<T>>) =>
    (...args: Args): Promise<Outcome<T>> => {
      host.checkAlive();
      return turnstile.pass(host.name, `bank ${name}`, async () => {
        host.checkAlive();
        const fate = faults.ofProvider();
        if (fate === 'crash_before') host.die();
        if (fate === 'lost_before') return { kind: 'unknown', message: '500 from the provider' };
        const outcome = await call(...args);
        if (fate === 'crash_after') host.die();
        return fate === 'lost_after' ? { kind: 'unknown', message: 'the answer was lost' } : outcome;
      });
    };
  return {
    ...provider,
    createPayment: through('createPayment', provider.createPayment),
    createPayout: through('createPayout', provider.createPayout),
    refund: through('refund', provider.refund),
    getPayment: through('getPayment', provider.getPayment),
    getPayout: through('getPayout', provider.getPayout),
    getRefund: through('getRefund', provider.getRefund),
    findByReference: through('findByReference', provider.findByReference),
  };
}
