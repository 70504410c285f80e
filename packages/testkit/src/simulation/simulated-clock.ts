/** Time that only the simulation moves: one clock for the database, the bank, the devices and, but for its error, each server. */

import type { Database } from '@assay/store';

export interface SimulatedClock {
  nowMs(): number;
  pass(ms: number): Promise<void>;
}

/** A clock that stands at `startMs`, in `admin`'s database as well. */
export async function simulatedClock(admin: Database, startMs: number): Promise<SimulatedClock> {
  let nowMs = startMs;
  const store = (): Promise<unknown> =>
    admin.query(
      {
        name: 'simulation.set_time',
        text: `UPDATE public.simulated_time SET at = 'epoch'::timestamptz + $1::bigint * interval '1 millisecond'`,
      },
      [nowMs],
    );
  await store();
  return {
    nowMs: () => nowMs,
    async pass(ms) {
      nowMs += ms;
      await store();
    },
  };
}
