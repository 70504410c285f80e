/** `assay worker join`, `check` and `leave`: from nothing to a service in one line, and back. */

import { mkdir, readdir, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from '@assay/client';
import { Fault, limits, refuse, Refusal } from '@assay/core';
import {
  holderOf,
  managerFault,
  readApiKey,
  readSettingsFile,
  readWorkerId,
  workerFolder,
  workerFolders,
  writeApiKey,
  writeSettingsFile,
  type SettingsFile,
} from '@assay/worker';
import { UsageError, type Arguments, type Option } from '../arguments.ts';
import type { Command } from '../command.ts';
import { saidAccess, workerStateDir } from '../config.ts';
import { allWell, tellFindings } from '../findings/finding.ts';
import { print, printError, shellWord } from '../terminal.ts';
import { systemClock } from '../system-clock.ts';
import { givenApiKey } from '../worker/api-key-source.ts';
import { copyAllowlist, ownImagesDir } from '../worker/own-images.ts';
import { selfTest } from '../worker/self-test.ts';
import { install, planText, uninstall } from '../worker/service-manager.ts';
import { settingOptions, settingsWith } from '../worker/setting-flags.ts';
import { giveTo, ownUser, planOf } from '../worker/this-service.ts';
import { onlyWorker, whichWorker } from '../worker/which-worker.ts';

const name: Option = { kind: 'text', doc: 'what people call this device; by default its host name' };
const which: Option = { kind: 'text', doc: 'which worker; may be left out where there is one' };
const keyFile: Option = { kind: 'text', doc: 'a file with the API key of the provider; - reads standard input' };

export const workerJoinCommand: Command = {
  usage: 'worker join URL [--name NAME] [--key-file FILE] [--print] [--no-service] [SETTING…]',
  options: {
    name,
    'key-file': keyFile,
    print: { kind: 'flag', doc: 'show the service instead of installing anything' },
    'no-service': { kind: 'flag', doc: 'store everything, install no service' },
    ...settingOptions,
  },
  positionals: ['URL'],
  run: joinMarket,
};

/** The market's URL; a key in the clear is for this machine only. */
function marketUrl(text: string): string {
  if (!URL.canParse(text)) throw new UsageError(`"${text}" is not a URL`);
  const url = new URL(text);
  const local = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && local)) {
    throw new UsageError('the URL of a market begins with https://, or anybody on the way could read the key');
  }
  if (url.username !== '' || url.password !== '') throw new UsageError('the URL of a market holds no password');
  if (url.pathname !== '/') throw new UsageError(`a market has no path: say ${url.origin}`);
  return url.origin;
}

async function joinMarket(args: Arguments): Promise<number> {
  const url = marketUrl(args.positional(0) ?? '');
  const device = args.text('name') ?? hostname();
  const stateDir = workerStateDir();
  const folder = workerFolder(stateDir, device);
  const known = await readSettingsFile(folder);
  const { url: _, name: __, ...kept } = known ?? { url, name: device };
  const settings = settingsWith(args, kept);
  const plan = planOf(device, stateDir, settings);
  if (args.flag('print')) {
    if (plan === undefined) throw refuse('config.invalid', `no manager of services is known for ${process.platform}`);
    print(planText(plan));
    return 0;
  }
  const given = await givenApiKey(args.text('key-file'), known === undefined);
  const stored = known?.url === url ? await readApiKey(folder) : undefined;
  const apiKey = given ?? stored;
  if (apiKey === undefined) throw refuse('auth.required', 'give the API key with --key-file FILE, or in ASSAY_API_KEY');
  const user = args.flag('no-service') ? undefined : ownUser();
  const findings = await selfTest({ stateDir, settings, url, apiKey, ...(user !== undefined && { user }) });
  tellFindings(findings, false);
  if (!allWell(findings)) {
    printError('assay: nothing was stored or installed; mend what is marked ✗ and say the same again');
    return 1;
  }
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const otherImages = user !== undefined && (await copyAllowlist(folder, settings.images_dir));
  const images = user === undefined ? {} : { images_dir: ownImagesDir(folder) };
  const file: SettingsFile = { url, name: device, ...settings, ...images };
  const changed = otherImages || apiKey !== stored || JSON.stringify(known) !== JSON.stringify(file);
  if (changed) {
    await writeApiKey(folder, apiKey);
    await writeSettingsFile(folder, file);
  }
  print(`${device} belongs to ${url}. Its key, settings and state lie in ${folder}.`);
  if (args.flag('no-service')) return startByHand(stateDir, device);
  return serve({ device, stateDir, folder, user, changed, plan });
}

interface Serving {
  readonly device: string;
  readonly stateDir: string;
  readonly folder: string;
  readonly user: string | undefined;
  readonly changed: boolean;
  readonly plan: ReturnType<typeof planOf>;
}

async function serve({ device, stateDir, folder, user, changed, plan }: Serving): Promise<number> {
  const fault = managerFault(process.platform);
  if (plan === undefined || fault !== undefined) {
    print(`${fault ?? 'No manager of services is known here'}, so no service was installed.`);
    return startByHand(stateDir, device);
  }
  if (user !== undefined) giveTo(user, folder, [stateDir, dirname(folder)]);
  const anew = await install(plan, changed);
  print(anew ? `The service ${plan.id} runs.` : `The service ${plan.id} was there; nothing has changed.`);
  if (process.platform === 'linux' && user === undefined) {
    print('It ends when you sign out, unless you say: loginctl enable-linger');
  }
  print('assay worker status tells what it does; assay worker leave undoes all of this.');
  return 0;
}

function startByHand(stateDir: string, device: string): number {
  print(`Start it by hand: ASSAY_STATE_DIR=${shellWord(stateDir)} ./assay worker --name ${shellWord(device)}`);
  return 0;
}

export const workerCheckCommand: Command = {
  usage: 'worker check [--name NAME] [--key-file FILE] [--json] [SETTING…]',
  options: { name: which, 'key-file': keyFile, json: { kind: 'flag', doc: 'print JSON' }, ...settingOptions },
  positionals: [],
  async run(args) {
    const named = args.text('name');
    const stored = named === undefined ? await onlyWorker() : undefined;
    const stateDir = stored === undefined ? workerStateDir() : dirname(dirname(stored));
    const folder = stored ?? workerFolder(stateDir, named ?? hostname());
    const { url, name: _, ...kept } = (await readSettingsFile(folder)) ?? { url: undefined, name };
    const apiKey = (await givenApiKey(args.text('key-file'), false)) ?? (await readApiKey(folder));
    const market = saidAccess().url ?? url;
    const findings = await selfTest({ stateDir, settings: settingsWith(args, kept), url: market, apiKey });
    tellFindings(findings, args.flag('json'));
    return allWell(findings) ? 0 : 1;
  },
};

export const workerLeaveCommand: Command = {
  usage: 'worker leave [--name NAME] [--force]',
  options: { name: which, force: { kind: 'flag', doc: 'also where results are lost that the market has not seen' } },
  positionals: [],
  run: leaveMarket,
};

async function leaveMarket(args: Arguments): Promise<number> {
  const folder = await whichWorker(args);
  const settings = await readSettingsFile(folder);
  const device = settings?.name ?? basename(folder);
  const stateDir = dirname(dirname(folder));
  const plan = settings && planOf(device, stateDir, settings);
  if (plan && (await uninstall(plan))) print(`The service ${plan.id} is gone.`);
  const holder = await holderOf(folder);
  if (holder !== undefined) await endProcess(holder, folder);
  const unsaid = await readdir(join(folder, 'replicas')).catch(() => []);
  if (unsaid.length > 0 && !args.flag('force')) {
    const text = `${unsaid.length} results in ${folder} were not revealed: start the worker once more, or say --force`;
    throw refuse('worker.unsaid', text);
  }
  if (settings) await tellMarket(folder, settings.url);
  await rm(folder, { recursive: true, force: true });
  if ((await workerFolders(stateDir)).length === 0) await rm(join(stateDir, 'check'), { recursive: true, force: true });
  print(`${device} has left${settings ? ` ${settings.url}` : ''}; ${folder} is removed.`);
  return 0;
}

/** Ends a worker that somebody started by hand, as Ctrl-C does: it gives back what runs. Faults `worker.running`. */
async function endProcess(pid: number, folder: string): Promise<void> {
  const inTheWay = (why: string) =>
    new Fault('worker.running', `process ${pid} works in ${folder}${why}: end it first`, { retry: true });
  // There a signal ends a process at once, in no order.
  if (process.platform === 'win32') throw inTheWay('');
  try {
    process.kill(pid, 'SIGTERM');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw inTheWay(' and belongs to somebody else');
  }
  print(`Process ${pid} gives back what runs and ends.`);
  const lateMs = systemClock.nowMs() + 3 * limits.workerStopMs;
  while ((await holderOf(folder)) === pid) {
    if (systemClock.nowMs() > lateMs) throw inTheWay(' and does not end');
    await sleep(100);
  }
}

/** Frees the worker's place in its account. A market that is away or gone keeps nobody from leaving. */
async function tellMarket(folder: string, url: string): Promise<void> {
  const worker = await readWorkerId(folder);
  if (worker === undefined) return;
  try {
    const key = await readApiKey(folder);
    if (key !== undefined) await createClient({ baseUrl: url, auth: { kind: 'apiKey', key } }).removeWorker(worker);
  } catch (error) {
    if (!(error instanceof Refusal || error instanceof Fault)) throw error;
    const mend = `assay workers remove ${worker} frees its place there`;
    if (error.code !== 'worker.not_found') print(`${url} was not told (${error.message}): ${mend}.`);
  }
}
