/** How many replicas a second real sandboxes run and verify: from a filled pool in one go, and without end. */

import { freemem } from 'node:os';
import type { SandboxUnit } from '@assay/core';
import type { SandboxKind } from './sandbox-options.ts';
import { rowOf, type Row } from './sandbox-report.ts';
import { pause, replica, restMs, type PreparingDriver } from './sandbox-starts.ts';

const mebibyte = 1024 * 1024;
/** What a waiting sandbox takes of the memory, rounded up. */
const waitingBytes = { runc: 40 * mebibyte, runsc: 128 * mebibyte, wasm: 320 * mebibyte } as const;

/** As many as asked for, but no more than half of the memory holds that is free now. */
export function poolFor(kind: SandboxKind, pool: number): number {
  return Math.max(redundancy, Math.min(pool, Math.floor(freemem() / 2 / waitingBytes[kind])));
}

const redundancy = 3;
const lanes = 4;
const sustainedMs = 8000;

type WithDriver = (cells: number, use: (driver: PreparingDriver) => Promise<void>) => Promise<void>;

/** Two rows: what `cells` waiting sandboxes give in one go, and what can be kept up. `withDriver` closes what it lends. */
export async function* rateRows(
  name: string,
  goal: number | undefined,
  cells: number,
  unit: SandboxUnit,
  withDriver: WithDriver,
): AsyncGenerator<Row> {
  yield await rowOf(`${name} verified replicas, ${cells} from a filled pool`, goal, async () => {
    const most = cells - (cells % redundancy);
    let rate = 0;
    await withDriver(cells, async (driver) => {
      const { begun, startedAt } = await verified(driver, unit, (already) => already < most);
      rate = begun / secondsSince(startedAt);
    });
    return { rate };
  });
  yield await rowOf(`${name} verified replicas, sustained`, undefined, async () => {
    const counts: { begun: number; startedAt: number }[] = [];
    await withDriver(lanes, async (driver) => {
      const until = performance.now() + sustainedMs;
      counts.push(await verified(driver, unit, () => performance.now() < until));
    });
    // All that was started is removed by now, which is part of what it costs.
    const [{ begun, startedAt } = { begun: 0, startedAt: 0 }] = counts;
    return { rate: begun / secondsSince(startedAt) };
  });
}

function secondsSince(startedAt: number): number {
  return (performance.now() - startedAt) / 1000;
}

/** Fills the pool, then runs units while `goesOn`, each by several replicas that must agree on their digest. */
async function verified(
  driver: PreparingDriver,
  unit: SandboxUnit,
  goesOn: (begun: number) => boolean,
): Promise<{ readonly begun: number; readonly startedAt: number }> {
  await driver.prepare(unit);
  await pause(restMs);
  const digests = new Map<number, string[]>();
  let begun = 0;
  const startedAt = performance.now();
  const lane = async () => {
    // A unit that was begun gets all its replicas.
    while (begun % redundancy > 0 || goesOn(begun)) {
      const number = Math.floor(begun / redundancy);
      begun += 1;
      const { digest } = await replica(driver, unit);
      digests.set(number, [...(digests.get(number) ?? []), digest]);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  const agreed = [...digests.values()].filter((one) => one.length === redundancy && new Set(one).size === 1);
  if (agreed.length * redundancy !== begun) throw new Error('replicas of one unit differ');
  return { begun, startedAt };
}
