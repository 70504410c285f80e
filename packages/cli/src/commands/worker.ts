/** `assay worker`: this machine works for a market until Ctrl-C. */

import { constants, hostname, setPriority } from 'node:os';
import { detectGpu, openWorker, readApiKey, readSettingsFile, workerFolder, workerFolders } from '@assay/worker';
import { readAccess, type Access } from '../access.ts';
import type { Arguments } from '../arguments.ts';
import type { Command } from '../command.ts';
import { saidAccess, workerStateDir } from '../config.ts';
import { interruption } from '../interruption.ts';
import { systemClock } from '../system-clock.ts';
import { print } from '../terminal.ts';
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
  const { url, apiKey } = await accessOf(folder, joined);
  // Whoever sits at this machine comes first; what is started inherits it.
  setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
  const gpu = await detectGpu();
  const worker = await openWorker(
    { url, apiKey, name, stateDir: folder, settings, log: print, ...(gpu.name !== null && { gpu: gpu.name }) },
    systemClock,
  );
  print(`${name} works for ${url} as ${worker.workerId}. Ctrl-C gives back what runs and ends.`);
  await Promise.race([stop.promise, worker.done]);
  await worker.stop();
  stop.release();
  return 0;
}

/** The name of the one worker of this machine that joined a market. */
async function onlyMember(stateDir: string): Promise<string | undefined> {
  const files = await Promise.all((await workerFolders(stateDir)).map(readSettingsFile));
  const [only, ...more] = files.filter((file) => file !== undefined);
  return more.length === 0 ? only?.name : undefined;
}

/** Whom the worker speaks to and as: the environment says it, else what it joined, else a demo that runs. */
async function accessOf(folder: string, joined: string | undefined): Promise<Access> {
  const said = saidAccess();
  if (joined === undefined || said.url !== undefined) return readAccess();
  const apiKey = said.apiKey ?? (await readApiKey(folder));
  return apiKey === undefined ? readAccess() : { url: joined, apiKey };
}
