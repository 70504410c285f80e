/**
 * The sandbox's child process for WASI programs: checks the unit's module, runs it over files in memory, hands out what
 * it wrote, and waits to be killed. `node main.mjs <runtime folder> run`.
 */

import { readExactly, waitForTheEnd } from '../channel.ts';
import { sources, type Sources } from '../determinism.ts';
import { closeRoom } from '../gate.ts';
import { readUnit, remark, say, sendDone, sendEnded, sendOutputs, sendReady } from '../unit.ts';
import type { GuestUnit } from '../wire.ts';
import { ModuleRefused } from './bytes.ts';
import { filesBelow } from './paths.ts';
import { memoryDisk, type Disk, type FolderNode } from './disk.ts';
import { admitModule } from './module.ts';
import { preview1, ProgramExit } from './preview1.ts';

const pageBytes = 65_536;
const mostDescriptors = 1024;
/** As a shell answers: the file cannot be executed, and after an abort. */
const notExecutable = 126;
const aborted = 134;

/** The folder at `path` below `start`, made where it is missing. */
function folderAt(disk: Disk, start: FolderNode, path: readonly string[]): FolderNode {
  let folder = start;
  for (const name of path) {
    const node = folder.entries.get(name);
    folder = node?.kind === 'folder' ? node : disk.folder(folder, name);
  }
  return folder;
}

/** Lays the inputs; answers the bytes of the entry point. */
function furnish(disk: Disk, job: FolderNode, unit: GuestUnit): Uint8Array {
  let program: Uint8Array = new Uint8Array();
  for (const { path, sizeBytes } of unit.inputs) {
    const parts = path.split('/');
    const bytes = readExactly(sizeBytes);
    disk.file(folderAt(disk, job, parts.slice(0, -1)), parts.at(-1) ?? '', bytes, true);
    if (path === unit.entryPoint) program = bytes;
  }
  folderAt(disk, job, unit.outputDir.split('/').filter(Boolean));
  disk.bound(unit.scratchBytes, unit.scratchFiles);
  return program;
}

/** Runs the program to its end; answers its exit code. */
function run(program: Uint8Array, unit: GuestUnit, disk: Disk, preopened: [string, FolderNode][], origin: Sources) {
  const host = preview1({
    args: [unit.entryPoint, ...unit.args],
    environment: { HOME: '/job', TMPDIR: '/tmp', TZ: 'UTC', LANG: 'C.UTF-8', ...unit.environment },
    disk,
    preopened,
    mostDescriptors,
    randomFill: origin.randomFill,
    clock: origin.clock,
    isPinned: origin.isPinned,
    say,
  });
  try {
    const mostPages = Math.floor(unit.memoryBytes / pageBytes);
    const admitted = admitModule(program, { calls: new Set(Object.keys(host.imports)), mostPages });
    const module = new WebAssembly.Module(admitted);
    const { Instance, Memory } = WebAssembly;
    closeRoom();
    const { exports } = new Instance(module, { wasi_snapshot_preview1: host.imports });
    const { memory, _start: start } = exports;
    if (!(memory instanceof Memory) || typeof start !== 'function') {
      throw new ModuleRefused('it exports no memory or no _start');
    }
    host.bind(memory);
    start();
    return 0;
  } catch (error) {
    return codeOf(error);
  }
}

function codeOf(thrown: unknown): number {
  if (thrown instanceof ProgramExit) return thrown.code;
  const { name, message } = thrown as Error;
  if (name === 'ModuleRefused' || name === 'CompileError' || name === 'LinkError') {
    remark(`the program does not run here: ${message}`);
    return notExecutable;
  }
  remark(`the program stopped: ${message}`);
  return aborted;
}

const origin = sources();
sendReady();
const unit = readUnit();
origin.pinFor(unit);
const disk = memoryDisk(() => BigInt(Math.round(origin.clock('real') * 1000)) * 1000n);
const job = disk.folder(disk.root, 'job');
const temporary = disk.folder(disk.root, 'tmp');
const program = furnish(disk, job, unit);
const preopened: [string, FolderNode][] = [
  ['.', job],
  ['/job', job],
  ['/tmp', temporary],
];
sendEnded(false, run(program, unit, disk, preopened, origin));
const output = unit.outputDir.split('/').filter(Boolean);
sendOutputs(filesBelow(outputFolder(job, output)));
sendDone();
waitForTheEnd();

/** What the output folder is now; an empty one where the program replaced it. */
function outputFolder(start: FolderNode, path: readonly string[]): FolderNode {
  let folder = start;
  for (const name of path) {
    const node = folder.entries.get(name);
    if (node?.kind !== 'folder') return memoryDisk(() => 0n).root;
    folder = node;
  }
  return folder;
}
