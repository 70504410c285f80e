/**
 * The sandbox's child process for Python: loads the interpreter, closes the gate, runs one unit, hands out what it
 * wrote, and waits to be killed. `node main.mjs <runtime folder> snapshot|run|wait`.
 */

import { sendFrames, waitForTheEnd } from '../channel.ts';
import { sources, type Sources } from '../determinism.ts';
import { installGate, type Gate } from '../gate.ts';
import { furnish, handOut } from '../furnish.ts';
import { divertOutput } from '../streams.ts';
import { readUnit, remark, say, sendDone, sendReady } from '../unit.ts';
import { frameKinds, type GuestUnit } from '../wire.ts';
import { pythonPolicy } from './imports.ts';
import { evaluate, loadPython, openImage, startPython, type Interpreter } from './interpreter.ts';
import { ordersOf, ordersPath, settle, start } from './prelude.ts';
import { rehearse } from './rehearsal.ts';

function giveOrders({ FS }: Interpreter, unit: GuestUnit): void {
  FS.mkdirTree('/assay');
  FS.writeFile(ordersPath, new TextEncoder().encode(ordersOf(unit)));
}

/** The exit code that the prelude leaves with, 134 (as after SIGABRT) where the interpreter itself broke down. */
function runSealed(python: Interpreter, gate: Gate): number {
  try {
    evaluate(python, start);
    return 134;
  } catch (error) {
    const thrown = error as { name?: string; status?: unknown; message?: string };
    if (thrown.name === 'ExitStatus' && typeof thrown.status === 'number') return thrown.status & 0xff;
    const what = gate.broken() === undefined ? 'the interpreter stopped' : 'the sandbox ended the job for calling';
    remark(`${what}: ${gate.broken() ?? thrown.message ?? 'unknown'}`);
    return 134;
  }
}

async function makeSnapshot(runtime: string, origin: Sources): Promise<void> {
  installGate(pythonPolicy, origin.randomFill);
  const python = await startPython(runtime);
  evaluate(python, settle);
  sendFrames(frameKinds.data, python.HEAPU8);
  sendDone();
}

async function runUnit(runtime: string, origin: Sources, waits: boolean): Promise<void> {
  const gate = installGate(pythonPolicy, origin.randomFill);
  const image = openImage(`${runtime}/snapshot.bin`);
  const python = await loadPython(runtime, image);
  let isReady = false;
  divertOutput(python.FS, (stream, bytes) => {
    if (isReady) say(stream, bytes);
  });
  image.lay(python.HEAPU8);
  gate.seal();
  if (waits) rehearse(python, image);
  image.close();
  isReady = true;
  sendReady();
  const unit = readUnit();
  gate.bound(unit.memoryBytes);
  // The files that are laid bear the unit's own time, and none of it has passed when the unit starts.
  origin.pinFor(unit);
  giveOrders(python, unit);
  furnish(python.FS, unit, origin.randomFill);
  origin.pinFor(unit);
  const code = runSealed(python, gate);
  handOut(python.FS, unit, code, gate.broken() !== undefined);
}

const [runtime = '', mode] = process.argv.slice(2);
const origin = sources();
origin.pin('start');
if (mode === 'snapshot') await makeSnapshot(runtime, origin);
else await runUnit(runtime, origin, mode === 'wait');
waitForTheEnd();
