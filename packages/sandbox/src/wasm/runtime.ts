/**
 * The interpreter as the sandbox's child reads it: staged once into a folder that the child's user can read and not
 * write, with a snapshot of the started interpreter, every file checked by SHA-256 before it is trusted.
 */

import { createHash, randomBytes } from 'node:crypto';
import { chmod, copyFile, lstat, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire, stripTypeScriptTypes } from 'node:module';
import { dirname, join } from 'node:path';
import { Fault } from '@assay/core';
import { spawnChild } from './child.ts';
import { frameReader } from '../capture/frames.ts';
import { frameKinds } from './guest/wire.ts';
import { reachable, safeCacheFolder } from './staging.ts';

export interface Runtime {
  /** Over the interpreter and what runs around a job in it: what decides a result's bytes. */
  readonly digest: string;
  readonly folder: string;
  /** The Node that runs the child. */
  readonly node: string;
  /** Whom the child runs as, where this process may choose. */
  readonly identity: { readonly uid: number; readonly gid: number } | undefined;
}

const pyodideFiles = ['pyodide.mjs', 'pyodide.asm.mjs', 'pyodide.asm.wasm', 'python_stdlib.zip'];
const guestFiles = ['channel', 'determinism', 'files', 'gate', 'imports', 'main', 'prelude', 'wire'];
/** A user of its own: `nobody` runs the embedded database, and a job that broke out must not reach that by its user. */
const sandboxUser = { uid: 65_533, gid: 65_533 };
const snapshotMemoryBytes = 512 * 1024 * 1024;

/**
 * The staged runtime under `cacheDir` (or, for root, under a folder that everybody can reach), built where it is
 * missing or damaged. Faults `sandbox.unavailable` when it cannot be built.
 */
export async function prepareRuntime(cacheDir: string, note: (text: string) => void): Promise<Runtime> {
  const identity = process.getuid?.() === 0 ? sandboxUser : undefined;
  const base = await safeCacheFolder(cacheDir, identity !== undefined);
  const sources = await readSources();
  const stageNode = identity !== undefined && !(await reachable(process.execPath));
  const content = createHash('sha256');
  for (const [name, bytes] of sources) content.update(`${name} ${bytes.length}\n`).update(bytes);
  const digest = content.digest('hex');
  const key = createHash('sha256').update(`${digest} ${process.version} ${stageNode}`).digest('hex');
  const folder = join(base, `python-${key.slice(0, 16)}`);
  const runtime = { digest, folder, node: stageNode ? join(folder, 'node') : process.execPath, identity };
  const fault = await damage(folder);
  if (fault === undefined) return runtime;
  if (fault !== 'missing') note(`the sandbox's runtime is rebuilt: ${fault}`);
  await build(runtime, sources, stageNode);
  const remaining = await damage(folder);
  if (remaining === undefined) return runtime;
  throw new Fault('sandbox.unavailable', `the runtime in ${folder} is not sound: ${remaining}`, { retry: false });
}

async function readSources(): Promise<Map<string, Uint8Array>> {
  const pyodide = dirname(createRequire(import.meta.url).resolve('pyodide'));
  const sources = new Map<string, Uint8Array>();
  for (const name of pyodideFiles) sources.set(`pyodide/${name}`, await readFile(join(pyodide, name)));
  for (const name of guestFiles) {
    const typed = await readFile(join(import.meta.dirname, 'guest', `${name}.ts`), 'utf8');
    sources.set(`guest/${name}.mjs`, Buffer.from(withoutTypes(typed)));
  }
  return sources;
}

/** The module as JavaScript, so that no child needs a compiler at its start. */
function withoutTypes(typed: string): string {
  const warn = process.emitWarning;
  // Node calls this function experimental in a warning that would reach the terminal of everybody who starts a worker.
  process.emitWarning = () => {};
  try {
    return stripTypeScriptTypes(typed).replaceAll(/(from '\.\/[a-z-]+)\.ts'/g, "$1.mjs'");
  } finally {
    process.emitWarning = warn;
  }
}

/** What is wrong with a staged folder: 'missing', a sentence, or undefined where it is sound. */
async function damage(folder: string): Promise<string | undefined> {
  let listed: Record<string, string>;
  try {
    listed = JSON.parse(await readFile(join(folder, 'stage.json'), 'utf8')) as Record<string, string>;
  } catch {
    return (await lstat(folder).catch(() => undefined)) ? 'it has no list of files' : 'missing';
  }
  const owner = process.getuid?.();
  for (const [name, sha256] of Object.entries(listed)) {
    const path = join(folder, name);
    const state = await lstat(path).catch(() => undefined);
    if (!state?.isFile()) return `${name} is missing`;
    if (owner !== undefined && (state.uid !== owner || (state.mode & 0o022) !== 0)) return `${name} is not ours alone`;
    const actual = createHash('sha256')
      .update(await readFile(path))
      .digest('hex');
    if (actual !== sha256) return `${name} does not have its SHA-256`;
  }
  return listed['snapshot.bin'] === undefined ? 'it has no snapshot' : undefined;
}

async function build(runtime: Runtime, sources: Map<string, Uint8Array>, stageNode: boolean): Promise<void> {
  const building = `${runtime.folder}.building-${randomBytes(6).toString('hex')}`;
  try {
    for (const name of ['', 'pyodide', 'guest']) {
      await mkdir(join(building, name), { recursive: true });
      await chmod(join(building, name), 0o755);
    }
    const listed: Record<string, string> = {};
    const put = async (name: string, bytes: Uint8Array) => {
      await writeFile(join(building, name), bytes);
      await chmod(join(building, name), 0o444);
      listed[name] = createHash('sha256').update(bytes).digest('hex');
    };
    for (const [name, bytes] of sources) await put(name, bytes);
    if (stageNode) {
      await copyFile(process.execPath, join(building, 'node'));
      await chmod(join(building, 'node'), 0o555);
      listed['node'] = createHash('sha256')
        .update(await readFile(process.execPath))
        .digest('hex');
    }
    const node = stageNode ? join(building, 'node') : process.execPath;
    await put('snapshot.bin', await takeSnapshot({ ...runtime, folder: building, node }));
    await put('stage.json', Buffer.from(JSON.stringify(listed, null, 1)));
    await install(building, runtime.folder);
  } finally {
    await rm(building, { recursive: true, force: true });
  }
}

/** Moves the finished folder into place; a sound one that another process put there first is kept. */
async function install(building: string, folder: string): Promise<void> {
  if ((await damage(folder)) !== undefined) await rm(folder, { recursive: true, force: true });
  await rename(building, folder).catch(async (error: unknown) => {
    if ((await readdir(folder).catch(() => [])).length === 0) throw error;
  });
}

/** Starts the interpreter once, behind the same walls as a unit, and takes its memory. */
async function takeSnapshot(runtime: Runtime): Promise<Uint8Array> {
  const child = spawnChild(runtime, { memoryBytes: snapshotMemoryBytes, cpuSeconds: 120, mode: 'snapshot' });
  const reader = frameReader();
  const parts: Uint8Array[] = [];
  let done = false;
  try {
    for await (const chunk of child.frames) {
      for (const frame of reader.push(chunk as Uint8Array)) {
        if (frame.kind === frameKinds.data) parts.push(frame.payload);
        done ||= frame.kind === frameKinds.done;
      }
      if (done) break;
    }
  } finally {
    await child.destroy();
  }
  if (done && parts.length > 0) return Buffer.concat(parts);
  const message = `the interpreter did not start: ${child.stderrTail().trim().slice(-1000)}`;
  throw new Fault('sandbox.unavailable', message, { retry: true });
}
