/** What this driver can run: each language with the files that make its runtime and the guest that runs it. */

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createRequire, stripTypeScriptTypes } from 'node:module';
import { dirname, join } from 'node:path';
import { limits } from '@assay/core';

export const pythonRunner = 'platform-runner:python-3.14';
export const rRunner = 'platform-runner:r';
export const wasiRunner = 'platform-runner:wasi';

export type LanguageName = 'python' | 'r' | 'wasi';

export interface Language {
  readonly name: LanguageName;
  readonly runner: string;
  /** For people. */
  readonly title: string;
  /** The npm package of the interpreter and, by their name in the staged folder, its files. */
  readonly interpreter?: { readonly package: string; readonly files: Readonly<Record<string, string>> };
  /** The guest's modules, of which `<name>/main` is started. */
  readonly guest: readonly string[];
  /** Whether the started interpreter is kept as an image of its memory. */
  readonly snapshot: boolean;
  /** Resident memory of a process that has nothing to do yet, with a margin. */
  readonly overheadBytes: number;
  /** More flags for its V8. */
  readonly v8Flags: readonly string[];
}

const shared = ['channel', 'determinism', 'room', 'unit', 'wire'];
const emscripten = [...shared, 'files', 'furnish', 'gate', 'rehearsal', 'streams'];
const webrImage = (folder: string, name: string) => ({
  [`r/${name}.gz`]: `vfs/usr/lib/R/${folder}${name}.data.gz`,
  [`r/${name}.json`]: `vfs/usr/lib/R/${folder}${name}.js.metadata`,
});

export const languages: readonly Language[] = [
  {
    name: 'python',
    runner: pythonRunner,
    title: 'Python 3.14',
    interpreter: {
      package: 'pyodide',
      files: Object.fromEntries(
        ['pyodide.mjs', 'pyodide.asm.mjs', 'pyodide.asm.wasm', 'python_stdlib.zip'].map((name) => [
          `pyodide/${name}`,
          name,
        ]),
      ),
    },
    guest: [...emscripten, ...'imports interpreter main prelude rehearsal'.split(' ').map((name) => `python/${name}`)],
    snapshot: true,
    overheadBytes: limits.sandboxRuntimeBytes,
    v8Flags: [],
  },
  {
    name: 'r',
    runner: rRunner,
    title: 'R 4.6',
    interpreter: {
      package: 'webr',
      files: {
        'r/R.js': 'R.js',
        'r/R.wasm': 'R.wasm',
        'r/libRblas.so': 'libRblas.so',
        'r/libRlapack.so': 'libRlapack.so',
        ...webrImage('library/', 'parallel'),
        ...webrImage('library/grDevices/', 'afm'),
        ...webrImage('library/grDevices/', 'enc'),
        ...webrImage('', 'share'),
      },
    },
    guest: [...emscripten, 'r/imports', 'r/interpreter', 'r/main', 'r/rehearsal', 'r/snapshot'],
    snapshot: true,
    overheadBytes: limits.sandboxRuntimeBytesR,
    v8Flags: [],
  },
  {
    name: 'wasi',
    runner: wasiRunner,
    title: 'WASI programs',
    guest: [
      ...shared,
      'gate',
      ...'bytes descriptors disk file-calls instructions main memory module nan path-calls paths preview1 sections value-types'
        .split(' ')
        .map((name) => `wasi/${name}`),
    ],
    snapshot: false,
    overheadBytes: limits.sandboxRuntimeBytes,
    // One compiler for all code: with two, how deep calls can go depends on when the second one was done. This one costs
    // more at a function's first call than the other, and makes faster code.
    v8Flags: ['--no-liftoff'],
  },
];

/** The files of a staged runtime by name, as they come from their packages. */
export type Sources = ReadonlyMap<string, Uint8Array>;

export async function readSources(language: Language): Promise<Sources> {
  const sources = new Map<string, Uint8Array>();
  if (language.interpreter) {
    const folder = dirname(createRequire(import.meta.url).resolve(language.interpreter.package));
    for (const [name, file] of Object.entries(language.interpreter.files)) {
      sources.set(name, await readFile(join(folder, file)));
    }
  }
  for (const name of language.guest) {
    const typed = await readFile(join(import.meta.dirname, 'guest', `${name}.ts`), 'utf8');
    sources.set(`guest/${name}.mjs`, Buffer.from(withoutTypes(typed)));
  }
  return sources;
}

/** Over everything that decides a result's bytes. */
export function digestOf(sources: Sources): string {
  const content = createHash('sha256');
  for (const [name, bytes] of sources) content.update(`${name} ${bytes.length}\n`).update(bytes);
  return content.digest('hex');
}

/** The module as JavaScript, so that no child needs a compiler at its start. */
function withoutTypes(typed: string): string {
  const warn = process.emitWarning;
  // Node calls this function experimental in a warning that would reach the terminal of everybody who starts a worker.
  process.emitWarning = () => {};
  try {
    return stripTypeScriptTypes(typed).replaceAll(/(from '\.{1,2}\/[a-z0-9/-]+)\.ts'/g, "$1.mjs'");
  } finally {
    process.emitWarning = warn;
  }
}
