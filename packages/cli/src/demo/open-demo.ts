/** The demo's market and its four workers of four owners, one of whom lies on some units. */

import { join } from 'node:path';
import { createClient } from '@assay/client';
import { openDemoMarket, systemClock, type DemoMarket } from '@assay/server';
import { openWorker, type Lie, type Worker } from '@assay/worker';
import { printError } from '../terminal.ts';
import { dockerSandbox, wasmSandbox, type DemoSandbox } from './demo-sandbox.ts';

export interface Demo {
  readonly market: DemoMarket;
  readonly sandbox: Pick<DemoSandbox, 'jobs' | 'text'>;
  close(): Promise<void>;
}

export interface DemoSettings {
  readonly stateDir: string;
  readonly consoleFolder: string;
  readonly windowSeconds: number;
  readonly port: number;
  /** Taken beside the usual ones. */
  readonly runners: readonly string[];
  /** The connection profile of a Fabric network. */
  readonly fabricProfile?: string;
  readonly sandbox: 'wasm' | 'docker';
  /** An engine that runs already. */
  readonly dockerSocket?: string;
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

/** Opens the sandboxes, the market, then the workers. Refuses as `dockerSandbox`. */
export async function openDemo(settings: DemoSettings): Promise<Demo> {
  const { dockerSocket } = settings;
  const options = { folder: join(settings.stateDir, 'sandbox'), note, runners: settings.runners };
  const sandbox =
    settings.sandbox === 'wasm'
      ? wasmSandbox(options)
      : await dockerSandbox({ ...options, ...(dockerSocket !== undefined && { socketPath: dockerSocket }) });
  const undo: (() => Promise<unknown>)[] = [() => sandbox.close()];
  const close = async (): Promise<void> => {
    for (const step of undo.splice(0).toReversed()) await step();
  };
  try {
    const market = await openDemoMarket({ ...settings, providers: owners, logLevel: 'error' });
    undo.push(() => market.close());
    await sandbox.sweep();
    const workers: Worker[] = [];
    undo.push(() => Promise.all(workers.map((worker) => worker.stop())));
    for (const index of market.providers.keys()) workers.push(await openOne(settings, market, sandbox, index));
    return { market, sandbox, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function openOne(
  settings: DemoSettings,
  { url, providers }: DemoMarket,
  sandbox: DemoSandbox,
  index: number,
): Promise<Worker> {
  const { name: person, apiKey } = providers[index] ?? { name: '', apiKey: '' };
  const name = `${person}-laptop`;
  await createClient({ baseUrl: url, auth: { kind: 'apiKey', key: apiKey } }).createPayoutAccount({ region: 'eu' });
  return openWorker(
    {
      url,
      apiKey,
      name,
      stateDir: join(settings.stateDir, 'workers', name),
      log: (text) => note(`${name}: ${text}`),
      driver: sandbox.driverOf(index),
      score: 1000 + index,
      ...(person === liar && { lie }),
    },
    systemClock,
  );
}
