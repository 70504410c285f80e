/** The state folders of this machine's workers: which there are, their settings, and the key of their provider. */

import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault, parseId, refuse, type WorkerId } from '@assay/core';
import { writeDurably } from '../durable-file.ts';
import { readSettingsText, type SettingsFile } from './settings.ts';

const settingsName = 'settings.json';
const keyName = 'api-key';
const idName = 'worker.json';

/** The folder of the worker that people call `name`, under the state folder of this machine. */
export function workerFolder(stateDir: string, name: string): string {
  return join(stateDir, 'worker', name.replaceAll(/[^A-Za-z0-9._-]/g, '_').replace(/^\.+/, '_'));
}

/** The folders that there are. */
export async function workerFolders(stateDir: string): Promise<string[]> {
  const entries = await readdir(join(stateDir, 'worker'), { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map((entry) => join(stateDir, 'worker', entry.name));
}

async function textIn(folder: string, name: string): Promise<string | undefined> {
  return readFile(join(folder, name), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
}

/** The settings in a worker's folder; undefined where it never joined. Refuses `config.invalid`. */
export async function readSettingsFile(folder: string): Promise<SettingsFile | undefined> {
  const text = await textIn(folder, settingsName);
  return text === undefined ? undefined : readSettingsText(text, join(folder, settingsName));
}

export function writeSettingsFile(folder: string, settings: SettingsFile): Promise<void> {
  return writeDurably(join(folder, settingsName), `${JSON.stringify(settings, undefined, 2)}\n`);
}

export function writeApiKey(folder: string, key: string): Promise<void> {
  return writeDurably(join(folder, keyName), `${key}\n`);
}

/** The provider's key in a worker's folder. Faults `worker.key_unsafe` where others can read it. */
export async function readApiKey(folder: string): Promise<string | undefined> {
  const text = await textIn(folder, keyName);
  if (text === undefined) return undefined;
  const path = join(folder, keyName);
  const { mode } = await stat(path);
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    throw new Fault('worker.key_unsafe', `other users can read the API key ${path}; chmod it to 0600`, {
      retry: false,
    });
  }
  return apiKeyIn(text, path);
}

export function writeWorkerId(folder: string, workerId: WorkerId, publicKey: string): Promise<void> {
  return writeDurably(join(folder, idName), JSON.stringify({ workerId, publicKey }));
}

/** Who the worker of a folder was at its last start; undefined where it never started, or had another key than `publicKey`. */
export async function readWorkerId(folder: string, publicKey?: string): Promise<WorkerId | undefined> {
  const known = idFile((await textIn(folder, idName)) ?? '');
  return publicKey === undefined || known.publicKey === publicKey ? parseId('worker', known.workerId) : undefined;
}

/** The server tells the id again, so that a file which is none is as good as a missing one. */
function idFile(text: string): { readonly workerId?: unknown; readonly publicKey?: unknown } {
  try {
    return (JSON.parse(text) as object | null) ?? {};
  } catch {
    return {};
  }
}

/** The key in a text that holds nothing else; refuses `auth.required`. */
export function apiKeyIn(text: string, where: string): string {
  const key = text.trim();
  if (!/^[\u0021-\u007e]{8,200}$/.test(key)) throw refuse('auth.required', `${where} does not hold one API key`);
  return key;
}
