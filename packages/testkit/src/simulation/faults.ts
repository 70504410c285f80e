/** What goes wrong, and when: drawn from the seed for each call, until all faults are switched off. */

import type { Prng } from './prng.ts';

/** How likely things are, per call. */
export interface FaultRates {
  /** The server dies at a call, before or after its effect. */
  readonly crash: number;
  /** The database's answer is lost, before or after the commit. */
  readonly connection: number;
  /** The payment provider fails before its effect, or its answer is lost after it. */
  readonly provider: number;
}

export type Fate = 'well' | 'crash_before' | 'crash_after' | 'lost_before' | 'lost_after';

export interface Faults {
  /** The fate of a call to the database. */
  ofTransaction(): Fate;
  /** The fate of a call to the payment provider. */
  ofProvider(): Fate;
  /** While true, the ledger's database does not answer. */
  ledgerIsDown: boolean;
  /** Nothing fails from now on. */
  end(): void;
}

export function faultsOf(random: Prng, rates: FaultRates): Faults {
  let ended = false;
  const draw = (crash: number, lost: number): Fate => {
    if (ended) return 'well';
    if (random.chance(crash)) return random.chance(0.5) ? 'crash_before' : 'crash_after';
    if (random.chance(lost)) return random.chance(0.5) ? 'lost_before' : 'lost_after';
    return 'well';
  };
  return {
    ofTransaction: () => draw(rates.crash, rates.connection),
    ofProvider: () => draw(rates.crash, rates.provider),
    ledgerIsDown: false,
    end() {
      ended = true;
      this.ledgerIsDown = false;
    },
  };
}
