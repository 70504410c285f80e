/** What the environment says: a market and a key to it, and where the command keeps and finds its files. */

import { homedir, userInfo } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout that this command belongs to. */
export const checkout: string = fileURLToPath(new URL('../../..', import.meta.url));

/** The state of programs that are started here: databases, objects, keys. */
export function defaultStateDir(): string {
  return process.env['ASSAY_STATE_DIR'] ?? join(checkout, '.assay');
}

/** Where `deploy/tools/build` puts outside programs. */
export function toolsDir(): string {
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  return process.env['ASSAY_TOOLS_DIR'] ?? join(cache, 'assay', 'tools');
}

/** Where commands keep compiled code for each other; undefined without a home, or where the working directory would decide. */
export function compiledDir(): string | undefined {
  const cache = process.env['XDG_CACHE_HOME'] ?? join(process.env['HOME'] ?? '', '.cache');
  return isAbsolute(cache) ? join(cache, 'assay', 'compiled') : undefined;
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

/** Runners that a demo takes beside the usual ones. */
export function saidRunners(): readonly string[] {
  return (process.env['ASSAY_RUNNERS'] ?? '').split(',').flatMap((name) => name.trim() || []);
}

/** The user as Windows names them: `DESK\dora`. */
export function windowsUser(): string {
  return `${process.env['USERDOMAIN'] ?? ''}\\${userInfo().username}`;
}
