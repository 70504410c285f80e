/** `bench start`: what commands take from the first character to their end, also beside another checkout. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { waitedCpuMs } from './process-figures.ts';
import { machineLine, percentile } from './sandbox-report.ts';

export interface StartBenchOptions {
  /** How often each command is run; the median counts. */
  readonly runs: number;
  /** Another checkout, with its dependencies installed. */
  readonly beside: string | undefined;
  readonly json: boolean;
}

/** Reads the command line; throws with the name of what is not known. */
export function readStartOptions(args: readonly string[]): StartBenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      runs: { type: 'string', default: '7' },
      beside: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  if (!/^[1-9]\d?$/.test(values.runs)) throw new Error('--runs takes a whole number from 1 to 99');
  const { beside } = values;
  return { runs: Number(values.runs), beside: beside === undefined ? undefined : resolve(beside), json: values.json };
}

/** One that only prints, one of a customer, one of a worker's owner, one that needs the server's code, and a server's. */
const commands = ['help', 'jobs list', 'worker status', 'fabric status', 'server --settings'];

interface Variant {
  readonly name: string;
  readonly checkout: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Runs every command in every variant in turns, so that a slow minute of the machine slows all alike. */
export async function runStartBench(options: StartBenchOptions, print: (line: string) => void): Promise<void> {
  const [load = 0] = loadavg();
  const folder = await mkdtemp(join(tmpdir(), 'assay-bench-'));
  const market = createServer((_, response) => {
    response.setHeader('content-type', 'application/json').end('{"items":[],"next":null}');
  });
  try {
    market.listen(0, '127.0.0.1');
    await once(market, 'listening');
    const address = market.address();
    if (address === null || typeof address === 'string') throw new Error('the bench has no port');
    const variants = variantsOf(options, folder, `http://127.0.0.1:${address.port}`);
    if (!options.json) print(`${machineLine(load)}\nmedians of ${options.runs} runs, ms of CPU / ms that passed`);
    for (const command of commands) {
      const found = await measure(command, variants, options.runs);
      if (options.json) print(JSON.stringify({ command, ...found }));
      else print(`${command.padEnd(18)}  ${Object.entries(found).map(figure).join('  ')}`);
    }
  } finally {
    market.close();
    await rm(folder, { recursive: true, force: true });
  }
}

function variantsOf({ beside }: StartBenchOptions, folder: string, url: string): Variant[] {
  const checkout = fileURLToPath(new URL('../../../..', import.meta.url));
  const env = {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    HOME: folder,
    ASSAY_STATE_DIR: join(folder, 'state'),
    ASSAY_URL: url,
    ASSAY_API_KEY: 'none',
  };
  return [
    { name: 'this', checkout, env },
    { name: 'this without compiled code', checkout, env: { ...env, NODE_DISABLE_COMPILE_CACHE: '1' } },
    ...(beside === undefined ? [] : [{ name: 'beside', checkout: beside, env }]),
  ];
}

interface Figures {
  readonly cpuMs: number;
  readonly wallMs: number;
}

async function measure(
  command: string,
  variants: readonly Variant[],
  runs: number,
): Promise<Readonly<Record<string, Figures>>> {
  // The first run of each leaves compiled code for the others, and fills the system's cache of files.
  for (const variant of variants) await runOnce(command, variant);
  const samples = variants.map((variant) => ({ variant, cpu: [] as number[], wall: [] as number[] }));
  for (let run = 0; run < runs; run += 1) {
    for (const { variant, cpu, wall } of samples) {
      const { cpuMs, wallMs } = await runOnce(command, variant);
      cpu.push(cpuMs);
      wall.push(wallMs);
    }
  }
  const rows = samples.map(({ variant, cpu, wall }) => {
    const figures = { cpuMs: Math.round(percentile(cpu, 0.5)), wallMs: Math.round(percentile(wall, 0.5)) };
    return [variant.name, figures] as const;
  });
  return Object.fromEntries(rows);
}

function figure([name, { cpuMs, wallMs }]: readonly [string, Figures]): string {
  return `${name} ${cpuMs} / ${wallMs}`;
}

/** With what the wrapper `./assay` takes; throws when the command cannot be started. */
async function runOnce(command: string, { checkout, env }: Variant): Promise<Figures> {
  const cpuMs = waitedCpuMs(process.pid);
  const startedMs = performance.now();
  const child = spawn(join(checkout, 'assay'), command.split(' '), { cwd: checkout, env, stdio: 'ignore' });
  await once(child, 'close');
  return { cpuMs: waitedCpuMs(process.pid) - cpuMs, wallMs: performance.now() - startedMs };
}
