/**
 * The sandbox's child process for Python: loads the interpreter, closes the gate, runs one unit, hands out what it
 * wrote, and waits to be killed. `node main.mjs <runtime folder> snapshot|run`.
 */

import { constants, readFileSync } from 'node:fs';
import { sendFrames, waitForTheEnd } from '../channel.ts';
import { sources } from '../determinism.ts';
import type { MemoryFiles } from '../files.ts';
import { installGate, type Gate } from '../gate.ts';
import { furnish, handOut } from '../furnish.ts';
import { readUnit, remark, say, sendDone, sendReady, workFolder } from '../unit.ts';
import { frameKinds, type GuestUnit } from '../wire.ts';
import { pythonPolicy } from './imports.ts';
import { ordersPath, prelude, warmUp } from './prelude.ts';

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

function output(stream: 'stdout' | 'stderr'): Output {
  return {
    write(bytes) {
      say(stream, bytes);
      return bytes.length;
    },
  };
}

function giveOrders(python: Interpreter, unit: GuestUnit): void {
  const { entryPoint, args, environment, randomSeed } = unit;
  python.FS.mkdirTree('/assay');
  python.FS.writeFile(ordersPath, encoder.encode(JSON.stringify({ entryPoint, args, environment, randomSeed })));
  python.setStdin({ read: () => 0 });
  python.setStdout(output('stdout'));
  python.setStderr(output('stderr'));
}

/** The exit code that the prelude leaves with, 134 (as after SIGABRT) where the interpreter itself broke down. */
function runSealed(python: Interpreter, gate: Gate, memoryBytes: number): number {
  // oxlint-disable-next-line no-underscore-dangle -- the interpreter's own name
  const module = python._module;
  const script = module.stringToNewUTF8(prelude);
  gate.seal(memoryBytes);
  try {
    // oxlint-disable-next-line no-underscore-dangle -- a function of CPython
    module._PyRun_SimpleString(script);
    return 134;
  } catch (error) {
    const thrown = error as { name?: string; status?: unknown; message?: string };
    if (thrown.name === 'ExitStatus' && typeof thrown.status === 'number') return thrown.status & 0xff;
    const what = gate.broken() === undefined ? 'the interpreter stopped' : 'the sandbox ended the job for calling';
    remark(`${what}: ${gate.broken() ?? thrown.message ?? 'unknown'}`);
    return 134;
  }
}

async function makeSnapshot(runtime: string): Promise<void> {
  const pinned = sources();
  pinned.pinEntropy('snapshot');
  pinned.pinClock(0);
  installGate(pythonPolicy, pinned.randomFill);
  const python = await load(runtime, undefined);
  python.runPython(warmUp);
  sendFrames(frameKinds.data, python.makeMemorySnapshot());
  sendDone();
}

async function runUnit(runtime: string): Promise<void> {
  const origin = sources();
  const gate = installGate(pythonPolicy, origin.randomFill);
  const python = await load(runtime, readFileSync(`${runtime}/snapshot.bin`));
  sendReady();
  const unit = readUnit();
  giveOrders(python, unit);
  furnish(python.FS, unit, origin.randomFill);
  if (unit.randomSeed !== null) origin.pinEntropy(`unit ${unit.randomSeed}`);
  if (unit.epochMs !== null) origin.pinClock(unit.epochMs);
  const code = runSealed(python, gate, unit.memoryBytes);
  handOut(python.FS, unit, code, gate.broken() !== undefined);
}

const [runtime = '', mode] = process.argv.slice(2);
if (mode === 'snapshot') await makeSnapshot(runtime);
else await runUnit(runtime);
waitForTheEnd();
