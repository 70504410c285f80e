/**
 * The sandbox's child process: loads the Python interpreter, closes the gate, runs one unit, hands out what it wrote,
 * and waits to be killed. `node main.mjs <runtime folder> snapshot|run`.
 */

import { constants, readFileSync } from 'node:fs';
import { readExactly, sendFrames, waitForTheEnd } from './channel.ts';
import { sources } from './determinism.ts';
import { limitFiles, regularFiles, type MemoryFiles } from './files.ts';
import { installGate, type Gate } from './gate.ts';
import { ordersPath, prelude, warmUp, workFolder } from './prelude.ts';
import { frameKinds, type GuestUnit } from './wire.ts';

interface Output {
  write(bytes: Uint8Array): number;
}

interface Interpreter {
  readonly FS: MemoryFiles;
  readonly _module: {
    stringToNewUTF8(text: string): number;
    _PyRun_SimpleString(at: number): number;
  };
  setStdin(options: { read: () => number }): void;
  setStdout(options: Output): void;
  setStderr(options: Output): void;
  makeMemorySnapshot(): Uint8Array;
  runPython(code: string): void;
}

interface LoadOptions {
  indexURL: string;
  lockFileContents: object;
  jsglobals: object;
  env: Record<string, string>;
  _makeSnapshot?: boolean;
  _loadSnapshot?: Uint8Array;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const emptyLock = {
  info: { abi_version: '2026_0', arch: 'wasm32', platform: 'emscripten', python: '3.14.2', version: '314.0.7' },
  packages: {},
};

async function load(runtime: string, snapshot: Uint8Array | undefined): Promise<Interpreter> {
  (process as unknown as { binding: unknown }).binding = () => ({ fs: constants });
  const { loadPyodide } = (await import(`${runtime}/pyodide/pyodide.mjs`)) as {
    loadPyodide(options: LoadOptions): Promise<Interpreter>;
  };
  return loadPyodide({
    indexURL: `${runtime}/pyodide/`,
    lockFileContents: emptyLock,
    jsglobals: Object.create(null),
    env: { HOME: workFolder, PYTHONHASHSEED: '0', PYTHONINSPECT: '', TZ: 'UTC', LANG: 'C.UTF-8' },
    ...(snapshot ? { _loadSnapshot: snapshot } : { _makeSnapshot: true }),
  });
}

function readUnit(): GuestUnit {
  const length = new DataView(readExactly(4).buffer).getUint32(0);
  return JSON.parse(decoder.decode(readExactly(length))) as GuestUnit;
}

function output(kind: 2 | 3): Output {
  return {
    write(bytes) {
      if (bytes.length > 0) sendFrames(kind, bytes);
      return bytes.length;
    },
  };
}

function furnish(python: Interpreter, unit: GuestUnit): void {
  const files = python.FS;
  files.mkdirTree(workFolder);
  files.mkdirTree('/assay');
  for (const input of unit.inputs) {
    const path = `${workFolder}/${input.path}`;
    files.mkdirTree(path.slice(0, path.lastIndexOf('/')));
    files.writeFile(path, readExactly(input.sizeBytes));
    files.chmod(path, 0o444);
  }
  files.mkdirTree(`${workFolder}/${unit.outputDir}`);
  const { entryPoint, args, environment, randomSeed } = unit;
  files.writeFile(ordersPath, encoder.encode(JSON.stringify({ entryPoint, args, environment, randomSeed })));
  for (const device of ['/dev/tty', '/dev/tty1']) {
    try {
      files.unlink(device);
    } catch {
      // This interpreter has no such device.
    }
  }
  python.setStdin({ read: () => 0 });
  python.setStdout(output(frameKinds.stdout));
  python.setStderr(output(frameKinds.stderr));
  limitFiles(files, unit.scratchBytes, unit.scratchFiles);
}

/** The exit code that the prelude leaves with, 134 (as after SIGABRT) where the interpreter itself broke down. */
function runSealed(python: Interpreter, gate: Gate): number {
  // oxlint-disable-next-line no-underscore-dangle -- the interpreter's own name
  const module = python._module;
  const script = module.stringToNewUTF8(prelude);
  gate.seal();
  try {
    // oxlint-disable-next-line no-underscore-dangle -- a function of CPython
    module._PyRun_SimpleString(script);
    return 134;
  } catch (error) {
    const thrown = error as { name?: string; status?: unknown; message?: string };
    if (thrown.name === 'ExitStatus' && typeof thrown.status === 'number') return thrown.status & 0xff;
    const what = gate.broken() === undefined ? 'the interpreter stopped' : 'the sandbox ended the job for calling';
    sendFrames(frameKinds.stderr, encoder.encode(`${what}: ${gate.broken() ?? thrown.message ?? 'unknown'}\n`));
    return 134;
  }
}

function sendEnded(broken: boolean, code: number): void {
  const payload = new Uint8Array(5);
  payload[0] = broken ? 1 : 0;
  new DataView(payload.buffer).setInt32(1, code);
  sendFrames(frameKinds.ended, payload);
}

function sendOutputs(files: MemoryFiles, folder: string): void {
  for (const { path, bytes } of regularFiles(files, folder)) {
    const name = encoder.encode(path);
    if (name.length > 1024) continue;
    const header = new Uint8Array(6 + name.length);
    new DataView(header.buffer).setUint16(0, Math.floor(bytes.length / 2 ** 32));
    new DataView(header.buffer).setUint32(2, bytes.length % 2 ** 32);
    header.set(name, 6);
    sendFrames(frameKinds.file, header);
    if (bytes.length > 0) sendFrames(frameKinds.data, bytes);
  }
}

async function makeSnapshot(runtime: string): Promise<void> {
  const pinned = sources();
  pinned.pinEntropy('snapshot');
  pinned.pinClock(0);
  installGate(pinned.randomFill);
  const python = await load(runtime, undefined);
  python.runPython(warmUp);
  sendFrames(frameKinds.data, python.makeMemorySnapshot());
  sendFrames(frameKinds.done, new Uint8Array());
}

async function runUnit(runtime: string): Promise<void> {
  const origin = sources();
  const gate = installGate(origin.randomFill);
  const python = await load(runtime, readFileSync(`${runtime}/snapshot.bin`));
  sendFrames(frameKinds.ready, new Uint8Array());
  const unit = readUnit();
  furnish(python, unit);
  if (unit.randomSeed !== null) origin.pinEntropy(`unit ${unit.randomSeed}`);
  if (unit.epochMs !== null) origin.pinClock(unit.epochMs);
  const code = runSealed(python, gate);
  const broken = gate.broken() !== undefined;
  sendEnded(broken, code);
  if (!broken) sendOutputs(python.FS, `${workFolder}/${unit.outputDir}`);
  sendFrames(frameKinds.done, new Uint8Array());
}

const [runtime = '', mode] = process.argv.slice(2);
if (mode === 'snapshot') await makeSnapshot(runtime);
else await runUnit(runtime);
waitForTheEnd();
