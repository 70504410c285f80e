/**
 * The sandbox's child process for R: loads the interpreter and all libraries that come with it, closes the gate, runs
 * one unit as `R --file=main.R --args …` would, hands out what it wrote, and waits to be killed.
 * `node main.mjs <runtime folder> snapshot|run|wait`.
 */

/* oxlint-disable no-underscore-dangle -- the names of R's own functions */

import { sendFrames, waitForTheEnd } from '../channel.ts';
import { sources, type Sources } from '../determinism.ts';
import { removeTree } from '../files.ts';
import { installGate, type Gate } from '../gate.ts';
import { furnish, handOut } from '../furnish.ts';
import { readUnit, remark, say, sendDone, sendReady, workFolder } from '../unit.ts';
import { frameKinds, type GuestUnit } from '../wire.ts';
import { rPolicy } from './imports.ts';
import {
  baseEnvironment,
  cString,
  cStrings,
  evaluate,
  loadR,
  scriptPath,
  startR,
  type Interpreter,
} from './interpreter.ts';
import { rehearse } from './rehearsal.ts';
import { loaderRecorder, restore, type Loaders } from './snapshot.ts';

/**
 * R loads a package's library when the package is first used, and LAPACK with the first decomposition. After the seal
 * nothing more is loaded, so all that comes with R is loaded before.
 */
const warmUp = `local({
  for (name in c('compiler', 'grid', 'parallel', 'splines', 'stats4', 'tools')) loadNamespace(name)
  invisible(solve(diag(2)))
})`;

/** The seeds of R are 32-bit integers. */
const largestSeed = 2_147_483_647;

/** The package that evaluates JavaScript and mounts folders of the machine, for honest scripts that ask for it. */
const bridgeFolder = '/usr/lib/R/library/webr';

function prepare(r: Interpreter, unit: GuestUnit): void {
  r.FS.chdir(workFolder);
  r.FS.writeFile(scriptPath, r.FS.readFile(`${workFolder}/${unit.entryPoint}`));
  const args = ['R', '--no-echo', '--vanilla', `--file=${unit.entryPoint}`, '--args', ...unit.args];
  r._R_set_command_line_arguments(args.length, cStrings(r, args));
  r._clearenv();
  const environment = { ...baseEnvironment, ...unit.environment };
  for (const [name, value] of Object.entries(environment)) r._setenv(cString(r, name), cString(r, value), 1);
}

/** The exit code that R leaves with, 134 (as after SIGABRT) where the interpreter itself broke down. */
function runSealed(r: Interpreter, gate: Gate, unit: GuestUnit): number {
  r._R_setStartTime();
  if (unit.randomSeed !== null) evaluate(r, `set.seed(${unit.randomSeed % largestSeed})`);
  try {
    r._run_Rmainloop();
    return 134;
  } catch (error) {
    const code = exitCode(error);
    if (code !== undefined) return flushed(r, code);
    const what = gate.broken() === undefined ? 'the interpreter stopped' : 'the sandbox ended the job for calling';
    remark(`${what}: ${gate.broken() ?? (error as Error).message}`);
    return 134;
  }
}

/** Files that the script left open are written out, as C's `exit` does. */
function flushed(r: Interpreter, code: number): number {
  try {
    r._fflush(0);
    return code;
  } catch (error) {
    return exitCode(error) ?? 134;
  }
}

function exitCode(thrown: unknown): number | undefined {
  const { name, status } = thrown as { name?: unknown; status?: unknown };
  return name === 'ExitStatus' && typeof status === 'number' ? status & 0xff : undefined;
}

/** What comes with R and is never a unit's, in files and in libraries. */
function warm(r: Interpreter): void {
  removeTree(r.FS, bridgeFolder);
  evaluate(r, warmUp);
}

async function makeSnapshot(runtime: string, origin: Sources): Promise<void> {
  const recorder = loaderRecorder(() => gate.memory());
  const gate = installGate(rPolicy, origin.randomFill, (name, original) => recorder.watch(name, original));
  const r = await loadR(runtime, say);
  startR(r);
  warm(r);
  const folder = r.FS.readdir('/tmp').find((name) => name.startsWith('Rtmp'));
  const open = r.FS.streams.filter((stream) => stream).length;
  if (folder === undefined || open !== 4) throw new Error('R did not come to rest');
  for (const part of recorder.image(r, folder)) sendFrames(frameKinds.data, part);
  sendDone();
}

async function runUnit(runtime: string, origin: Sources, waits: boolean): Promise<void> {
  const loaders: Partial<Loaders> = {};
  const gate = installGate(rPolicy, origin.randomFill, (name, original) => {
    if (isLoader(name)) loaders[name] = original;
    return original;
  });
  let isReady = false;
  const r = await loadR(runtime, (stream, bytes) => {
    if (isReady) say(stream, bytes);
  });
  const { folder, layImage, close } = restore(r, `${runtime}/snapshot.bin`, gate.memory(), loaders as Loaders);
  r.FS.mkdirTree(`/tmp/${folder}`);
  // The fourth descriptor is the script's, which R had opened.
  if (r.FS.open(scriptPath, 0).fd !== 3) throw new Error('the descriptors of the interpreter are not in order');
  removeTree(r.FS, bridgeFolder);
  gate.seal();
  if (waits) rehearse(r, layImage);
  close();
  isReady = true;
  sendReady();
  const unit = readUnit();
  gate.bound(unit.memoryBytes);
  // The files that are laid bear the unit's own time, and none of it has passed when the unit starts.
  origin.pinFor(unit);
  furnish(r.FS, unit, origin.randomFill);
  prepare(r, unit);
  origin.pinFor(unit);
  const code = runSealed(r, gate, unit);
  handOut(r.FS, unit, code, gate.broken() !== undefined);
}

function isLoader(name: string): name is keyof Loaders {
  return name === '_dlopen_js' || name === '_dlsym_js' || name === 'emscripten_resize_heap';
}

const [runtime = '', mode] = process.argv.slice(2);
const origin = sources();
origin.pin('start');
if (mode === 'snapshot') await makeSnapshot(runtime, origin);
else await runUnit(runtime, origin, mode === 'wait');
waitForTheEnd();
