/** Builds the console's static files when their sources changed since the last build. */

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Fault } from '@assay/core';
import { buildEnvironment, checkout } from './config.ts';

const folder = join(checkout, 'packages', 'web');
const built = join(folder, 'dist');
const stampName = '.built-from';

/** What goes into a build, beside the packages that the console imports. */
const sources = [
  'packages/web',
  'packages/core/src',
  'packages/verify/src',
  'packages/client/src',
  'package-lock.json',
];

async function addToHash(hash: ReturnType<typeof createHash>, path: string): Promise<void> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => undefined);
  if (entries === undefined) {
    hash.update(`${path.slice(checkout.length)}\0`).update(await readFile(path));
    return;
  }
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name === 'dist' || entry.name === 'node_modules') continue;
    await addToHash(hash, join(path, entry.name));
  }
}

async function fingerprint(): Promise<string> {
  const hash = createHash('sha256');
  for (const source of sources) await addToHash(hash, join(checkout, source));
  return hash.digest('hex');
}

/** The folder of the built console; builds it first when it is missing or stale. Faults `internal.fault`. */
export async function ensureConsole(onBuild: () => void): Promise<string> {
  const wanted = await fingerprint();
  const have = await readFile(join(built, stampName), 'utf8').catch(() => '');
  if (have === wanted) return built;
  onBuild();
  const scratch = await mkdtemp(join(folder, 'dist-'));
  try {
    await runVite(scratch);
    await writeFile(join(scratch, stampName), wanted);
    await rm(built, { recursive: true, force: true });
    await rename(scratch, built);
  } catch (cause) {
    await rm(scratch, { recursive: true, force: true });
    // Another process may have finished the same build in between.
    if ((await readFile(join(built, stampName), 'utf8').catch(() => '')) === wanted) return built;
    throw new Fault('internal.fault', `the console could not be built: ${String(cause)}`, { cause, retry: false });
  }
  return built;
}

async function runVite(outDir: string): Promise<void> {
  const vite = join(dirname(createRequire(join(folder, 'package.json')).resolve('vite/package.json')), 'bin/vite.js');
  const args = [vite, 'build', '--outDir', outDir, '--emptyOutDir', '--logLevel', 'error'];
  const child = spawn(process.execPath, args, {
    cwd: folder,
    env: buildEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString('utf8')).slice(-4000);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(output.trim() || `vite ended with ${String(code)}`);
}
