/** `bench ledger`: both engines, each beside what bounds it: signatures for the one, the plain client for the other. */

import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, homedir, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  benchGateway,
  benchLedger,
  ledgerKeyFromSeed,
  openFabricLedger,
  startNetwork,
  stopNetwork,
} from '@assay/ledger';
import { systemClock } from '@assay/server';
import { databaseName, migrate, openDatabase, roles, startEmbeddedPostgres, type Database } from '@assay/store';
import { embeddedRows, signatureRows, type Row } from './ledger-embedded.ts';

export interface LedgerBenchSettings {
  readonly submissions: number;
  readonly clients: number;
  readonly runs: number;
  readonly json: boolean;
  readonly only: (typeof engines)[number] | undefined;
  readonly tools: string;
}

/** Reads the command line; throws with the name of what is not known. */
export function readLedgerOptions(args: readonly string[]): LedgerBenchSettings {
  const { values } = parseArgs({
    args: [...args],
    options: {
      submissions: { type: 'string', default: '1000' },
      clients: { type: 'string', default: '200' },
      runs: { type: 'string', default: '3' },
      json: { type: 'boolean', default: false },
      only: { type: 'string' },
      tools: { type: 'string', default: join(homedir(), '.cache', 'assay', 'tools') },
    },
  });
  const whole = (name: 'submissions' | 'clients' | 'runs'): number => {
    if (!/^[1-9]\d{0,5}$/.test(values[name])) throw new Error(`--${name} takes a whole number from 1 on`);
    return Number(values[name]);
  };
  const only = engines.find((engine) => engine === values.only);
  if (values.only !== only) throw new Error(`--only takes ${engines.join(' or ')}`);
  return { ...values, only, submissions: whole('submissions'), clients: whole('clients'), runs: whole('runs') };
}

/** What is measured: both engines, or one of them. */
const engines = ['embedded', 'fabric'] as const;

const nowMs = (): number => performance.now();
const key = ledgerKeyFromSeed(new Uint8Array(32));

/** Measures row after row, so that none disturbs another. */
export async function runLedgerBench(settings: LedgerBenchSettings, print: (line: string) => void): Promise<void> {
  const [load = 0] = loadavg();
  const folder = await mkdtemp(join(tmpdir(), 'assay-bench-'));
  const machine = `${availableParallelism()} cores, load ${load.toFixed(1)} before`;
  try {
    const rows = await signatureRows(settings.runs, nowMs);
    if (settings.only !== 'fabric') {
      rows.push(...(await onDatabase(join(folder, 'embedded'), (db) => embeddedRows(db, settings.runs, nowMs))));
    }
    if (settings.only !== 'embedded') {
      const network = join(folder, 'fabric');
      rows.push(...(await onDatabase(join(folder, 'mirror'), (db) => fabricRows(db, network, settings))));
    }
    if (settings.json) print(JSON.stringify({ machine, settings, rows }, undefined, 2));
    else for (const line of [machine, ...rows.map(lineOf)]) print(line);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function lineOf({ name, rates }: Row): string {
  const sorted = rates.toSorted((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
  return `${name.padEnd(52)} ${String(median).padStart(7)}/s   (${rates.join(', ')})`;
}

async function onDatabase<T>(dataDir: string, run: (db: Database) => Promise<T>): Promise<T> {
  const postgres = await startEmbeddedPostgres({ dataDir, log: () => undefined });
  try {
    await migrate(postgres.connectionString(roles.owner, databaseName));
    const db = openDatabase({
      connectionString: postgres.connectionString(roles.app, databaseName),
      maxConnections: 8,
    });
    try {
      return await run(db);
    } finally {
      await db.close();
    }
  } finally {
    await postgres.stop();
  }
}

/**
 * The engine beside the plain client: same network, function, signer and number under way. The mirror, which only the engine
 * needs, is closed while the client alone is measured; who goes first changes from round to round.
 */
async function fabricRows(db: Database, folder: string, settings: LedgerBenchSettings): Promise<Row[]> {
  const { submissions, clients, runs } = settings;
  const { profile } = await startNetwork({ folder, tools: settings.tools, clock: systemClock });
  const raw: number[] = [];
  const engine: number[] = [];
  const measureRaw = async (): Promise<void> => {
    raw.push((await benchGateway({ profile, submissions, clients, clock: systemClock, nowMs })).perSecond);
  };
  const measureEngine = async (): Promise<void> => {
    const ledger = await openFabricLedger({ db, key, profile, clock: systemClock, onProblem: () => undefined });
    try {
      // Its answer comes when the mirror has caught up with what the client alone submitted.
      await benchLedger({ ledger, submissions: 1, batch: 1, clients: 1, nowMs });
      engine.push((await benchLedger({ ledger, submissions, batch: 1, clients, nowMs })).perSecond);
    } finally {
      await ledger.close();
    }
  };
  try {
    // The first round warms both up.
    for (let run = 0; run <= runs; run += 1) {
      for (const measure of run % 2 === 0 ? [measureRaw, measureEngine] : [measureEngine, measureRaw]) await measure();
    }
  } finally {
    await stopNetwork(folder, { erase: true });
  }
  return [
    { name: `Fabric, the gateway client alone, ${clients} at once`, rates: raw.slice(1) },
    { name: `Fabric, this engine, ${clients} at once`, rates: engine.slice(1) },
  ];
}
