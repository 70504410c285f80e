/** `assay worker`: this machine works for a market until Ctrl-C. */

import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { constants, hostname, setPriority } from 'node:os';
import {
  detectGpu,
  openWorker,
  readApiKey,
  readSettingsFile,
  readWorkerId,
  workerFolder,
  type Worker,
} from '@assay/worker';
import { refuse } from '@assay/core';
import { demoAccess, readAccess, type Access } from '../access.ts';
import type { Arguments } from '../arguments.ts';
import type { Command } from '../command.ts';
import { saidAccess, workerStateDir } from '../config.ts';
import { payoutFinding } from '../findings/market.ts';
import { interruption } from '../interruption.ts';
import { systemClock } from '../system-clock.ts';
import { makeFolder } from '../make-folder.ts';
import { print, shellWord } from '../terminal.ts';
import { members } from '../worker/which-worker.ts';
import { settingOptions, settingsWith } from '../worker/setting-flags.ts';

export const workerCommand: Command = {
  usage: 'worker [--name NAME] [--capacity N] [--state DIR] [SETTING…]',
  options: {
    state: { kind: 'text', doc: 'the folder of all state; by default ASSAY_STATE_DIR' },
    name: { kind: 'text', doc: 'what people call this device; by default the one that joined, else the host name' },
    ...settingOptions,
  },
  positionals: [],
  run,
};

async function run(args: Arguments): Promise<number> {
  const stateDir = args.text('state') ?? workerStateDir();
  const name = args.text('name') ?? (await onlyMember(stateDir)) ?? hostname();
  const folder = workerFolder(stateDir, name);
  const file = await readSettingsFile(folder);
  const { url: joined, name: _, ...kept } = file ?? { url: undefined, name };
  const settings = settingsWith(args, kept);
  const stop = interruption();
  const { url, apiKey } = await accessOf(folder, name, joined);
  // Whoever sits at this machine comes first; what is started inherits it.
  setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
  const gpu = await detectGpu();
  const worker = await open({
    url,
    apiKey,
    name,
    stateDir: folder,
    settings,
    log: print,
    ...(gpu.name !== null && { gpu: gpu.name }),
  });
  print(`${name} works for ${url} as ${worker.workerId}. Ctrl-C gives back what runs and ends.`);
  const payouts = await payoutFinding(url, apiKey);
  if (payouts?.state === 'missing') print(`${payouts.text}; assay worker check says how to add it.`);
  await Promise.race([stop.promise, worker.done]);
  await worker.stop();
  stop.release();
  return 0;
}

/** The name of the one worker of this machine that joined a market. */
async function onlyMember(stateDir: string): Promise<string | undefined> {
  const [only, ...more] = await members(stateDir);
  return more.length === 0 ? only : undefined;
}

/** Starts the worker; where a first start fails before the market knows the device, nothing of it stays. */
async function open(options: Parameters<typeof openWorker>[0]): Promise<Worker> {
  const { stateDir: folder } = options;
  const fresh = !existsSync(folder);
  await makeFolder(folder);
  try {
    return await openWorker(options, systemClock);
  } catch (error) {
    if (fresh && (await readWorkerId(folder)) === undefined) await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** Whom the worker speaks to and as: the environment says it, else what it joined, else a demo that runs. */
async function accessOf(folder: string, name: string, joined: string | undefined): Promise<Access> {
  const said = saidAccess();
  if (said.url !== undefined) return readAccess();
  if (joined === undefined) return demoAccess() ?? notJoined(folder, name);
  const apiKey = said.apiKey ?? (await readApiKey(folder));
  if (apiKey === undefined) throw refuse('auth.required', `${folder} holds no API key: assay worker join ${joined}`);
  return { url: joined, apiKey };
}

async function notJoined(folder: string, name: string): Promise<never> {
  const others = await members(dirname(dirname(folder)));
  const known = others.length === 0 ? '' : `; those that have: ${others.map(shellWord).join(', ')}`;
  throw refuse(
    'auth.required',
    `${shellWord(name)} has joined no market${known}. assay worker join URL --name ${shellWord(name)} joins one, ` +
      'assay demo starts one here, and ASSAY_URL with ASSAY_API_KEY names one',
  );
}
