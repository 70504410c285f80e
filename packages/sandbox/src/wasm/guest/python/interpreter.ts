/**
 * Python's WebAssembly module. To make the image it is loaded as Pyodide loads it; for a unit the bare module is loaded,
 * without the bridge to JavaScript, and gets the image as its memory.
 */

/* oxlint-disable no-underscore-dangle -- the interpreter's own names */

import { closeSync, constants, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import type { MemoryFiles } from '../files.ts';
import { workFolder } from '../unit.ts';

export interface Interpreter {
  readonly FS: MemoryFiles;
  readonly HEAPU8: Uint8Array;
  stringToNewUTF8(text: string): number;
  stackSave(): number;
  /** Zero, or -1 after an exception that nobody caught. */
  _PyRun_SimpleString(at: number): number;
}

interface LoadOptions {
  readonly indexURL: string;
  readonly lockFileContents: object;
  readonly jsglobals: object;
  readonly env: Readonly<Record<string, string>>;
  readonly _makeSnapshot: true;
  readonly _sysExecutable: string;
}

const environment = { HOME: workFolder, PYTHONHASHSEED: '0', PYTHONINSPECT: '', TZ: 'UTC', LANG: 'C.UTF-8' };
const emptyLock = {
  info: { abi_version: '2026_0', arch: 'wasm32', platform: 'emscripten', python: '3.14.2', version: '314.0.7' },
  packages: {},
};

/** Runs Python of our own in its `__main__`; an error in it is an error of ours. */
export function evaluate(python: Interpreter, code: string): void {
  if (python._PyRun_SimpleString(python.stringToNewUTF8(code)) !== 0) throw new Error('Python of our own failed');
}

/** Python as Pyodide starts it, with all that an image is to hold. */
export async function startPython(runtime: string): Promise<Interpreter> {
  lendFiles();
  const { loadPyodide } = (await import(`${runtime}/pyodide/pyodide.mjs`)) as {
    loadPyodide(options: LoadOptions): Promise<{ readonly _module: Interpreter }>;
  };
  const python = await loadPyodide({
    indexURL: `${runtime}/pyodide/`,
    lockFileContents: emptyLock,
    jsglobals: Object.create(null),
    env: environment,
    _makeSnapshot: true,
    // Else it were the guest's path on this machine, which would make each machine's image another.
    _sysExecutable: '/usr/bin/python',
  });
  return python._module;
}

/** The module with its files; it must be given an image before it is called. */
export async function loadPython(runtime: string, image: Image): Promise<Interpreter> {
  lendFiles();
  const { default: createModule } = (await import(`${runtime}/pyodide/pyodide.asm.mjs`)) as {
    default(settings: object): Promise<Interpreter>;
  };
  return createModule({
    noInitialRun: true,
    noExitRuntime: true,
    noImageDecoding: true,
    noAudioDecoding: true,
    noWasmDecoding: true,
    thisProgram: 'python',
    INITIAL_MEMORY: image.sizeBytes,
    stdin: () => null,
    // The bridge to JavaScript waits for its lock file before it starts, for ever.
    API: { config: {}, runtimeEnv: { IN_NODE: true, IN_NODE_ESM: true }, lockFilePromise: new Promise(() => {}) },
    preRun: [(module: Interpreter) => layLibrary(module, runtime)],
    instantiateWasm: (
      imports: WebAssembly.Imports,
      receive: (instance: WebAssembly.Instance, module: unknown) => void,
    ) => {
      void instantiate(runtime, imports).then(({ instance, module }) => receive(instance, module));
      return {};
    },
  });
}

async function instantiate(runtime: string, imports: WebAssembly.Imports) {
  const bridge = { Jsv_GetError_import: () => undefined, JsvError_Check: () => 0 };
  Object.assign(imports['env'] as object, bridge);
  return WebAssembly.instantiate(readFileSync(`${runtime}/pyodide/pyodide.asm.wasm`), imports);
}

function layLibrary({ FS, ENV }: Interpreter & { readonly ENV?: object }, runtime: string): void {
  for (const folder of ['site-packages', 'lib-dynload']) FS.mkdirTree(`/lib/python3.14/${folder}`);
  FS.writeFile('/lib/python314.zip', readFileSync(`${runtime}/pyodide/python_stdlib.zip`));
  FS.mkdirTree(workFolder);
  FS.chdir(workFolder);
  Object.assign(ENV ?? {}, environment);
}

/** All that the interpreter's glue needs of Node's inner parts. */
function lendFiles(): void {
  (process as unknown as { binding: unknown }).binding = () => ({ fs: constants });
}

/** The interpreter's memory as it stood before its unit. */
export interface Image {
  readonly sizeBytes: number;
  /** Puts the image into a memory of its size. */
  lay(memory: Uint8Array): void;
  close(): void;
}

export function openImage(path: string): Image {
  const file = openSync(path, 'r');
  const sizeBytes = fstatSync(file).size;
  return {
    sizeBytes,
    lay(memory) {
      if (memory.length !== sizeBytes) throw new Error('the memory has not the size of the image');
      for (let at = 0; at < sizeBytes;) at += readSync(file, memory, at, sizeBytes - at, at);
    },
    close: () => closeSync(file),
  };
}
