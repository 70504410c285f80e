/** The demo's market and its four workers of four owners, one of whom lies on some units. */

import { join } from 'node:path';
import { createClient } from '@assay/client';
import { openDemoMarket, systemClock, type DemoMarket } from '@assay/server';
import { localDriver, openWorker, type Lie, type Worker } from '@assay/worker';
import { printError } from '../terminal.ts';

export interface Demo {
  readonly market: DemoMarket;
  close(): Promise<void>;
}

export interface DemoSettings {
  readonly stateDir: string;
  readonly consoleFolder: string;
  readonly windowSeconds: number;
  readonly port: number;
  /** The connection profile of a Fabric network. */
  readonly fabricProfile?: string;
}

const owners = ['ada', 'boris', 'chen', 'mallory'] as const;
const liar = 'mallory';

/** Which units the liar lies on: one of a single unit, and of many the third and the seventh. */
function liesOn(kind: string, ordinal: number): boolean {
  return kind === 'work' && [0, 3, 7].includes(ordinal);
}

/** Replaces each figure in the files by one that looks as good and is false. */
const lie: Lie = ({ kind, ordinal }, files) => {
  if (!liesOn(kind, ordinal)) return undefined;
  const claimed = new Map<string, Uint8Array>();
  for (const [path, bytes] of files) {
    const text = new TextDecoder().decode(bytes);
    const forged = text.replaceAll(/3\.1\d+/g, '3.2718').replaceAll(/[Hh]ello/g, 'Goodbye');
    claimed.set(path, new TextEncoder().encode(forged));
  }
  return claimed;
};

function note(text: string): void {
  printError(`worker: ${text}`);
}

/** Opens the market, then the workers. */
export async function openDemo(settings: DemoSettings): Promise<Demo> {
  const { stateDir } = settings;
  const market = await openDemoMarket({ ...settings, providers: owners, logLevel: 'error' });
  const driver = localDriver({
    folder: join(stateDir, 'sandbox'),
    note,
    clock: systemClock,
    settings: { sandbox: 'wasm' },
  });
  const workers: Worker[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(workers.map((worker) => worker.stop()));
    await driver.close();
    await market.close();
  };
  try {
    await driver.sweep();
    for (const [index, owner] of market.providers.entries()) {
      const name = `${owner.name}-laptop`;
      await createClient({ baseUrl: market.url, auth: { kind: 'apiKey', key: owner.apiKey } }).createPayoutAccount({
        region: 'eu',
      });
      const worker = await openWorker(
        {
          url: market.url,
          apiKey: owner.apiKey,
          name,
          stateDir: join(stateDir, 'workers', name),
          log: (text) => note(`${name}: ${text}`),
          driver,
          score: 1000 + index,
          ...(owner.name === liar && { lie }),
        },
        systemClock,
      );
      workers.push(worker);
    }
    return { market, close };
  } catch (error) {
    await close();
    throw error;
  }
}
