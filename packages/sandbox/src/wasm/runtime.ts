/**
 * The interpreter as the sandbox's child reads it: staged once into a folder that the child's user can read and not
 * write, with a snapshot of the started interpreter, every file checked by SHA-256 before it is trusted.
 */

import { createHash, randomBytes } from 'node:crypto';
import { chmod, copyFile, lstat, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '@assay/core';
import { boundsFault, spawnChild } from './child.ts';
import { frameReader } from '../capture/frames.ts';
import { frameKinds } from './guest/wire.ts';
import { kernelWalls, type KernelWalls } from './kernel-walls.ts';
import { digestOf, readSources, type Language, type Sources } from './languages.ts';
import { reachable, safeCacheFolder } from './staging.ts';

export interface Runtime {
  /** Over the interpreter and what runs around a job in it: what decides a result's bytes. */
  readonly digest: string;
  readonly folder: string;
  /** The module that the child starts with, below the folder. */
  readonly main: string;
  /** What the process needs for itself, beside the unit's memory. */
  readonly overheadBytes: number;
  readonly v8Flags: readonly string[];
  /** The Node that runs the child. */
  readonly node: string;
  readonly walls: KernelWalls;
  /** Whom the child runs as, where this process may choose. */
  readonly identity: { readonly uid: number; readonly gid: number } | undefined;
}

/** A user of its own: `nobody` runs the embedded database, and a job that broke out must not reach that by its user. */
const sandboxUser = { uid: 65_533, gid: 65_533 };

/**
 * The staged runtime under `cacheDir` (or, for root, under a folder that everybody can reach), built where it is
 * missing or damaged. Faults `sandbox.unavailable` when it cannot be built.
 */
export async function prepareRuntime(
  language: Language,
  cacheDir: string,
  note: (text: string) => void,
): Promise<Runtime> {
  const identity = process.getuid?.() === 0 ? sandboxUser : undefined;
  const base = await safeCacheFolder(cacheDir, identity !== undefined);
  const sources = await readSources(language);
  const stageNode = identity !== undefined && !(await reachable(process.execPath));
  const digest = digestOf(sources);
  const key = createHash('sha256').update(`${digest} ${process.version} ${stageNode}`).digest('hex');
  const folder = join(base, `${language.name}-${key.slice(0, 16)}`);
  const main = `guest/${language.name}/main.mjs`;
  const node = stageNode ? join(folder, 'node') : process.execPath;
  const walls = await kernelWalls(identity);
  const bounded = await boundsFault({ walls, identity });
  if (bounded !== undefined) throw new Fault('sandbox.unavailable', bounded, { retry: false });
  const { overheadBytes, v8Flags } = language;
  const runtime = { digest, folder, main, overheadBytes, v8Flags, node, identity, walls };
  const fault = await damage(folder, language.snapshot);
  if (fault === undefined) return runtime;
  if (fault !== 'missing') note(`the sandbox's runtime for ${language.title} is rebuilt: ${fault}`);
  await build(runtime, sources, stageNode, language.snapshot);
  const remaining = await damage(folder, language.snapshot);
  if (remaining === undefined) return runtime;
  throw new Fault('sandbox.unavailable', `the runtime in ${folder} is not sound: ${remaining}`, { retry: false });
}

/** What is wrong with a staged folder: 'missing', a sentence, or undefined where it is sound. */
async function damage(folder: string, snapshot: boolean): Promise<string | undefined> {
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
  return snapshot && listed['snapshot.bin'] === undefined ? 'it has no snapshot' : undefined;
}

async function build(runtime: Runtime, sources: Sources, stageNode: boolean, snapshot: boolean): Promise<void> {
  const building = `${runtime.folder}.building-${randomBytes(6).toString('hex')}`;
  try {
    for (const name of foldersOf(sources)) {
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
    if (snapshot) await put('snapshot.bin', await takeSnapshot({ ...runtime, folder: building, node }));
    await put('stage.json', Buffer.from(JSON.stringify(listed, null, 1)));
    await install(building, runtime.folder, snapshot);
  } finally {
    await rm(building, { recursive: true, force: true });
  }
}

/** Every folder that holds one of the files, outer ones first. */
function foldersOf(sources: Sources): string[] {
  const folders = new Set(['']);
  for (const name of sources.keys()) {
    const parts = name.split('/').slice(0, -1);
    for (const index of parts.keys()) folders.add(parts.slice(0, index + 1).join('/'));
  }
  return [...folders].toSorted();
}

/** Moves the finished folder into place; a sound one that another process put there first is kept. */
async function install(building: string, folder: string, snapshot: boolean): Promise<void> {
  if ((await damage(folder, snapshot)) !== undefined) await rm(folder, { recursive: true, force: true });
  await rename(building, folder).catch(async (error: unknown) => {
    if ((await readdir(folder).catch(() => [])).length === 0) throw error;
  });
}

/** Starts the interpreter once, behind the same walls as a unit, and takes its memory. */
async function takeSnapshot(runtime: Runtime): Promise<Uint8Array> {
  const child = spawnChild(runtime, { cpuSeconds: 120, mode: 'snapshot' });
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
