/** Where the command finds a market and the key to it: the environment, else the file that a running demo leaves. */

import { readFileSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { refuse } from '@assay/core';

/** The checkout that this command belongs to. */
export const checkout: string = fileURLToPath(new URL('../../..', import.meta.url));

export interface Access {
  readonly url: string;
  readonly apiKey: string;
  /** A demo's arbiter is another person than its customer: nobody decides their own dispute. */
  readonly arbiterApiKey?: string;
}

/** The state of programs that are started here: databases, objects, keys. */
export function defaultStateDir(): string {
  return process.env['ASSAY_STATE_DIR'] ?? join(checkout, '.assay');
}

/** Where `deploy/tools/build` puts outside programs. */
export function toolsDir(): string {
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  return process.env['ASSAY_TOOLS_DIR'] ?? join(cache, 'assay', 'tools');
}

/** Where a service of the whole machine keeps its state. */
const machineStateDir = '/var/lib/assay';

/** The state of workers that are services: root's are the machine's. */
export function workerStateDir(): string {
  if (process.env['ASSAY_STATE_DIR'] !== undefined) return process.env['ASSAY_STATE_DIR'];
  return process.getuid?.() === 0 && process.platform === 'linux' ? machineStateDir : defaultStateDir();
}

/** Where workers of this machine may have their state. */
export function workerStateDirs(): readonly string[] {
  return [...new Set([defaultStateDir(), workerStateDir()])];
}

/** For the console's build, whose bundler would leave its compiled code among the temporary files. */
export function buildEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, NODE_DISABLE_COMPILE_CACHE: '1' };
}

/** Where a running demo writes how to reach it. */
export function accessFile(stateDir: string): string {
  return join(stateDir, 'access.json');
}

/** What the environment says of a market and a key, each for itself. */
export function saidAccess(): { readonly url: string | undefined; readonly apiKey: string | undefined } {
  return { url: process.env['ASSAY_URL'], apiKey: process.env['ASSAY_API_KEY'] };
}

/** The user as Windows names them: `DESK\dora`. */
export function windowsUser(): string {
  return `${process.env['USERDOMAIN'] ?? ''}\\${userInfo().username}`;
}

/** Who this command speaks as; refuses `auth.required` with what to do. */
export function readAccess(): Access {
  const url = process.env['ASSAY_URL'];
  const apiKey = process.env['ASSAY_API_KEY'];
  if (url !== undefined && apiKey !== undefined) return { url, apiKey };
  // A key from the demo's file is not for another market.
  if (url !== undefined) throw refuse('auth.required', 'ASSAY_URL needs ASSAY_API_KEY beside it');
  try {
    const parsed: unknown = JSON.parse(readFileSync(accessFile(defaultStateDir()), 'utf8'));
    if (isAccess(parsed)) return apiKey === undefined ? parsed : { url: parsed.url, apiKey };
  } catch {
    // No file: the refusal below says what to do.
  }
  throw refuse(
    'auth.required',
    `no market is known: start one with ./assay demo (it leaves its key in ${accessFile(defaultStateDir())}; ASSAY_STATE_DIR moves that), or set ASSAY_URL and ASSAY_API_KEY`,
  );
}

function isAccess(value: unknown): value is Access {
  return (
    typeof value === 'object' &&
    value !== null &&
    'url' in value &&
    typeof value.url === 'string' &&
    'apiKey' in value &&
    typeof value.apiKey === 'string'
  );
}
