/** `assay demo`: the whole market on this machine, jobs from upload to payout, and one worker of four that lies. */

import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createClient } from '@assay/client';
import { limits, Refusal, refuse } from '@assay/core';
import { startNetwork, stopNetwork, systemClock } from '@assay/server';
import { UsageError, type Arguments } from '../arguments.ts';
import type { Command } from '../command.ts';
import { accessFile, checkout, defaultStateDir, saidRunners, toolsDir } from '../config.ts';
import { ensureConsole } from '../console-build.ts';
import { interruption } from '../interruption.ts';
import { makeFolder } from '../make-folder.ts';
import { paint, print, printError } from '../terminal.ts';
import { runDemoJobs } from '../demo/demo-jobs.ts';
import { openDemo, type Demo, type DemoSettings } from '../demo/open-demo.ts';

export const demoCommand: Command = {
  usage:
    'demo [--exit] [--port N] [--window SECONDS] [--sandbox wasm|docker] [--docker-socket PATH] ' +
    '[--ledger embedded|fabric] [--fresh]',
  options: {
    exit: { kind: 'flag', doc: 'end when the jobs are settled' },
    port: { kind: 'number', doc: 'the port of the market; 0 takes a free one', default: '8080' },
    window: { kind: 'number', doc: 'the challenge window in seconds; a real market waits 24 hours', default: '3' },
    sandbox: {
      kind: 'text',
      doc: 'where units run: wasm, or docker with jobs of science (./assay images build makes what they need)',
      default: 'wasm',
    },
    'docker-socket': {
      kind: 'text',
      doc: 'an engine for --sandbox docker; by default the machine’s or one of our own',
    },
    ledger: {
      kind: 'text',
      doc: 'what holds the facts: embedded, or fabric (a network of its own)',
      default: 'embedded',
    },
    fresh: { kind: 'flag', doc: 'forget earlier demos' },
  },
  positionals: [],
  run,
};

async function run(args: Arguments): Promise<number> {
  const port = wholeNumber(args, 'port', 65_535);
  const windowSeconds = wholeNumber(args, 'window', 30 * 86_400);
  const onFabric = ledgerOf(args) === 'fabric';
  const sandbox = sandboxOf(args);
  // A database belongs to one chain.
  const stateDir = join(defaultStateDir(), onFabric ? 'demo-fabric' : 'demo');
  if (args.flag('fresh')) await stopNetwork(join(stateDir, 'fabric'), { erase: true });
  if (args.flag('fresh')) await rm(stateDir, { recursive: true, force: true });
  await makeFolder(stateDir);
  const stop = interruption();
  const startedMs = performance.now();
  print('Opening a market on this machine: PostgreSQL, ledger, objects, a simulated bank, four workers.');
  const consoleFolder = await ensureConsole(() => print('Building the console (once).'));
  const settings = { stateDir, consoleFolder, windowSeconds, port, runners: saidRunners(), ...sandbox };
  const demo = await openOn(onFabric, settings).catch((error: unknown) => {
    stop.release();
    throw ofPort(error, port);
  });
  const ended = stop.promise.then(() => 'interrupted' as const);
  try {
    await writeAccess(demo);
    print(
      `Open after ${((performance.now() - startedMs) / 1000).toFixed(1)} s. Console: ${paint('bold', await demo.market.signInLink())}`,
    );
    print(
      `The challenge window is ${windowSeconds} s here, so that you need not wait: ${paint('bold', 'a real market waits 24 hours')}.`,
    );
    print(demo.sandbox.text);
    const client = createClient({
      baseUrl: demo.market.url,
      auth: { kind: 'apiKey', key: demo.market.customer.apiKey },
      // Its own database may be away for seconds, and comes back.
      attempts: limits.demoAttempts,
    });
    const examples = join(checkout, 'examples');
    const told = runDemoJobs({ client, stateDir, examples, jobs: demo.sandbox.jobs, signal: stop.signal });
    const outcome = await Promise.race([told, ended]);
    if (outcome === 'interrupted') return 130;
    // What did not complete can be looked at, too: a job that somebody disputed, for instance.
    if (!args.flag('exit')) {
      await lookAround(demo);
      await ended;
    }
    return outcome ? 0 : 1;
  } finally {
    print('Closing the market.');
    await rm(accessFile(defaultStateDir()), { force: true });
    await demo.close().catch((error: unknown) => printError(`assay: closing failed: ${String(error)}`));
    stop.release();
  }
}

function wholeNumber(args: Arguments, option: string, most: number): number {
  const value = args.number(option) ?? 0;
  if (Number.isInteger(value) && value <= most) return value;
  throw new UsageError(`--${option} takes a whole number from 0 to ${most}, not "${args.text(option) ?? ''}"`);
}

/** The server names the variable that sets its port; here a flag does. */
function ofPort(error: unknown, port: number): unknown {
  if (!(error instanceof Refusal) || error.details['variable'] !== 'ASSAY_PORT') return error;
  return refuse('config.invalid', `port ${port} is taken: choose another with --port, or 0 for any`);
}

function ledgerOf(args: Arguments): 'embedded' | 'fabric' {
  const wanted = args.text('ledger');
  if (wanted === 'embedded' || wanted === 'fabric') return wanted;
  throw new UsageError('--ledger takes embedded or fabric');
}

function sandboxOf(args: Arguments): Pick<DemoSettings, 'sandbox' | 'dockerSocket'> {
  const sandbox = args.text('sandbox');
  const dockerSocket = args.text('docker-socket');
  if (sandbox !== 'wasm' && sandbox !== 'docker') throw new UsageError('--sandbox takes wasm or docker');
  return { sandbox, ...(dockerSocket !== undefined && { dockerSocket }) };
}

/** Opens the demo, before it the Fabric network that it wants, which ends with it. */
async function openOn(onFabric: boolean, settings: DemoSettings): Promise<Demo> {
  if (!onFabric) return openDemo(settings);
  const folder = join(settings.stateDir, 'fabric');
  const network = await startNetwork({
    folder,
    tools: toolsDir(),
    clock: systemClock,
    progress: (text) => print(`Fabric: ${text}.`),
  });
  try {
    const demo = await openDemo({ ...settings, fabricProfile: network.profile });
    const close = async (): Promise<void> => {
      await demo.close();
      await stopNetwork(folder, { erase: false });
    };
    return { ...demo, close };
  } catch (error) {
    await stopNetwork(folder, { erase: false });
    throw error;
  }
}

/** Lets other commands on this machine speak to the demo. */
async function writeAccess(demo: Demo): Promise<void> {
  const { url, customer, arbiter } = demo.market;
  const text = JSON.stringify({ url, apiKey: customer.apiKey, arbiterApiKey: arbiter.apiKey });
  await writeFile(accessFile(defaultStateDir()), `${text}\n`, { mode: 0o600 });
}

async function lookAround(demo: Demo): Promise<void> {
  print(`\n${paint('bold', 'The market is open. Look around:')}`);
  print(`  ${await demo.market.signInLink()}`);
  print('  ./assay jobs list');
  print('  ./assay run examples/pi-monte-carlo --budget 5');
  print('  ./assay ledger verify');
  print('Ctrl-C ends it; the next ./assay demo goes on where this one ended.');
}
