/** R's WebAssembly module with a Module object of our own: no worker, no channel, and nothing that evaluates JavaScript. */

/* oxlint-disable no-underscore-dangle -- the names of R's own functions */

import { constants, readFileSync } from 'node:fs';
import { compileFunction } from 'node:vm';
import { gunzipSync } from 'node:zlib';
import type { MemoryFiles } from '../files.ts';
import { divertOutput, type Speak } from '../streams.ts';
import { workFolder } from '../unit.ts';

/** The exports of R's module that the guest calls; each name is the C function's with an underscore before it. */
export interface Interpreter {
  readonly FS: MemoryFiles;
  readonly HEAPU8: Uint8Array;
  readonly HEAPU32: Uint32Array;
  _malloc(size: number): number;
  _fflush(stream: number): number;
  _setenv(name: number, value: number, overwrite: number): number;
  _clearenv(): number;
  _Rf_initialize_R(argc: number, argv: number): number;
  _setup_Rmainloop(): void;
  _run_Rmainloop(): void;
  _R_setStartTime(): void;
  _R_set_command_line_arguments(argc: number, argv: number): void;
  _R_ParseEvalString(code: number, environment: number): number;
  /** Where the pointer to R's global environment lies. */
  readonly _R_GlobalEnv: number;
}

/** What R is told about its surroundings, before and during a unit. */
export const baseEnvironment = {
  HOME: workFolder,
  LANG: 'C.UTF-8',
  TZ: 'UTC',
  TZDIR: '/usr/lib/R/share/zoneinfo',
  R_HOME: '/usr/lib/R',
  TMPDIR: '/tmp',
} as const;

/** R opens it when it starts and reads it when it runs: `R --file=…`. */
export const scriptPath = '/tmp/.script';

/** Parts of R that its module does not hold itself: the folder in the package, where R looks for it, what is taken. */
export const images = [
  { name: 'parallel', at: '/usr/lib/R/library/parallel', prefix: '/' },
  { name: 'afm', at: '/usr/lib/R/library/grDevices/afm', prefix: '/' },
  { name: 'enc', at: '/usr/lib/R/library/grDevices/enc', prefix: '/' },
  { name: 'share', at: '/usr/lib/R/share', prefix: '/zoneinfo/' },
] as const;

interface Listing {
  readonly files: readonly { readonly filename: string; readonly start: number; readonly end: number }[];
}

/** Loads the module and lays its files; R itself is not started. */
export async function loadR(runtime: string, speak: Speak): Promise<Interpreter> {
  const room = globalThis as unknown as { Module: Record<string, unknown> };
  const settings = {
    noInitialRun: true,
    noExitRuntime: true,
    noImageDecoding: true,
    noAudioDecoding: true,
    noWasmDecoding: true,
    thisProgram: 'R',
    locateFile: (name: string) => `${runtime}/r/${name}`,
    stdin: () => null,
    preRun: [] as (() => void)[],
    // R turns its event loop through these; a script that reads the console finds its end.
    webr: Object.freeze({ handleEvents() {}, setPrompt() {}, dataViewer() {}, readConsole: () => 0 }),
  };
  settings.preRun.push(() => {
    Object.assign(room.Module['ENV'] as object, baseEnvironment, { USER: 'job', LOGNAME: 'job', _: undefined });
  });
  room.Module = settings;
  (process as unknown as { binding: unknown }).binding = () => ({ fs: constants });
  await new Promise<void>((resolve, reject) => {
    Object.assign(settings, { onRuntimeInitialized: resolve, onAbort: reject });
    const start = compileFunction(readFileSync(`${runtime}/r/R.js`, 'utf8'), ['require', '__dirname', '__filename']);
    start(nodeModule, `${runtime}/r`, `${runtime}/r/R.js`);
  });
  const r = settings as unknown as Interpreter;
  mountImages(r.FS, runtime);
  divertOutput(r.FS, speak);
  r.FS.writeFile(scriptPath, new Uint8Array());
  return r;
}

/** Starts R in a module that was loaded; R opens its script, which is still empty. */
export function startR(r: Interpreter): void {
  const args = ['R', '--no-echo', '--no-readline', '--vanilla', `--file=${scriptPath}`];
  r._Rf_initialize_R(args.length, cStrings(r, args));
  r._setup_Rmainloop();
}

/** All that the interpreter's glue may have of Node: files of the staged folder, until the gate closes. */
function nodeModule(name: string): object {
  if (name === 'node:fs') return { readFileSync, constants };
  throw new Error(`the interpreter asks for ${name}`);
}

function mountImages(files: MemoryFiles, runtime: string): void {
  for (const { name, at, prefix } of images) {
    const listing = JSON.parse(readFileSync(`${runtime}/r/${name}.json`, 'utf8')) as Listing;
    const bytes = gunzipSync(readFileSync(`${runtime}/r/${name}.gz`));
    for (const { filename, start, end } of listing.files) {
      if (!filename.startsWith(prefix)) continue;
      const path = at + filename;
      files.mkdirTree(path.slice(0, path.lastIndexOf('/')));
      files.writeFile(path, bytes.subarray(start, end));
    }
  }
}

/** A C string in R's memory. */
export function cString(r: Interpreter, text: string): number {
  const bytes = new TextEncoder().encode(text);
  const at = r._malloc(bytes.length + 1);
  r.HEAPU8.set(bytes, at);
  r.HEAPU8[at + bytes.length] = 0;
  return at;
}

/** A C array of strings, as `argv` is. */
export function cStrings(r: Interpreter, texts: readonly string[]): number {
  const at = r._malloc(4 * (texts.length + 1));
  const pointers = texts.map((text) => cString(r, text));
  for (const [index, pointer] of [...pointers, 0].entries()) r.HEAPU32[at / 4 + index] = pointer;
  return at;
}

/** Evaluates one expression of our own; an error in it is an error of ours. */
export function evaluate(r: Interpreter, expression: string): void {
  const environment = r.HEAPU32[r._R_GlobalEnv / 4] ?? 0;
  r._R_ParseEvalString(cString(r, expression), environment);
}
