/** A market as `assay demo` has it, with the console built from its sources and four workers, one of whom lies. */

import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createClient, type Client } from '@assay/client';
import { openDemoMarket, systemClock, type DemoMarket } from '@assay/server';
import { localDriver, openWorker, type Lie, type Worker } from '@assay/worker';

const checkout = fileURLToPath(new URL('../../../../', import.meta.url));
const owners = ['ada', 'boris', 'chen', 'mallory'];

/** Long enough that a test can raise a dispute in it. */
const windowSeconds = 8;

/** A folder of examples/. */
export function exampleFolder(name: string): string {
  return join(checkout, 'examples', name);
}

async function buildConsole(outDir: string): Promise<void> {
  const folder = join(checkout, 'packages', 'web');
  const vite = join(dirname(createRequire(join(folder, 'package.json')).resolve('vite/package.json')), 'bin/vite.js');
  const args = [vite, 'build', '--outDir', outDir, '--emptyOutDir', '--logLevel', 'error'];
  // The test runner's own NODE_ENV would build the slow React.
  await promisify(execFile)(process.execPath, args, { cwd: folder, env: { ...process.env, NODE_ENV: 'production' } });
}

function forged(bytes: Uint8Array): Uint8Array {
  return new TextEncoder().encode(new TextDecoder().decode(bytes).replaceAll(/3\.1\d+/g, '3.2718'));
}

/** The liar's figure for one unit of many looks as good as the true one and is false. */
const lie: Lie = ({ kind, ordinal }, files) => {
  if (kind !== 'work' || ordinal !== 3) return undefined;
  return new Map([...files].map(([path, bytes]) => [path, forged(bytes)]));
};

async function openWorkers(market: DemoMarket, stateDir: string): Promise<Worker[]> {
  const driver = localDriver({
    folder: join(stateDir, 'sandbox'),
    note: () => undefined,
    clock: systemClock,
    settings: { sandbox: 'wasm' },
  });
  const workers: Worker[] = [];
  for (const owner of market.providers) {
    const client = createClient({ baseUrl: market.url, auth: { kind: 'apiKey', key: owner.apiKey } });
    await client.createPayoutAccount({ region: 'eu' });
    const name = `${owner.name}-laptop`;
    const worker = await openWorker(
      {
        url: market.url,
        apiKey: owner.apiKey,
        name,
        stateDir: join(stateDir, 'workers', name),
        log: () => undefined,
        driver,
        score: 1000,
        ...(owner.name === 'mallory' && { lie }),
      },
      systemClock,
    );
    workers.push(worker);
  }
  return workers;
}

export interface ConsoleMarket {
  readonly url: string;
  /** A client of the customer, who may also operate. */
  readonly customer: Client;
  signInLink(): Promise<string>;
  /** Stops the server and starts it again on the same port and data; workers hold on. */
  restart(whileAway: () => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

/** Builds the console and opens the market, with its workers unless a test has no jobs to run. */
export async function openConsoleMarket({ working = true } = {}): Promise<ConsoleMarket> {
  const stateDir = await mkdtemp(join(tmpdir(), 'assay-console-'));
  const consoleFolder = join(stateDir, 'console');
  await buildConsole(consoleFolder);
  const options = { stateDir, consoleFolder, windowSeconds, providers: owners, logLevel: 'silent' };
  let market = await openDemoMarket({ ...options, port: 0 });
  const workers = working ? await openWorkers(market, stateDir) : [];
  const { url } = market;
  const auth = { kind: 'apiKey', key: market.customer.apiKey } as const;
  return {
    url,
    customer: createClient({ baseUrl: url, auth }),
    signInLink: () => market.signInLink(),
    async restart(whileAway) {
      await market.close();
      await whileAway();
      market = await openDemoMarket({ ...options, port: Number(new URL(url).port) });
    },
    async close() {
      await Promise.all(workers.map((worker) => worker.stop()));
      await market.close();
      await rm(stateDir, { recursive: true, force: true });
    },
  };
}
