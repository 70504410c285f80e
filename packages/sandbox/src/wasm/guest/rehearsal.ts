/**
 * In a process that waits, a unit of our own runs before the interpreter says that it is ready, so that V8 has compiled
 * what most units call first. No unit finds a trace of it: the memory is put back afterwards, and here all the rest.
 */

import { everyNode, type MemoryFiles } from './files.ts';

interface Rehearsing {
  readonly FS: MemoryFiles;
  readonly HEAPU8: Uint8Array;
  /** Where the stack of the interpreter's C stands. */
  stackSave?(): number;
}

/** Runs `work`, which removes its own files; throws where something of it would remain outside the memory. */
export function leavingNoTrace(interpreter: Rehearsing, work: () => void): void {
  const { FS } = interpreter;
  const { nextInode } = FS;
  const before = stateOf(interpreter);
  const times = [...everyNode(FS)].map((node) => ({ node, atime: node.atime, mtime: node.mtime, ctime: node.ctime }));
  work();
  FS.nextInode = nextInode;
  for (const { node, ...was } of times) Object.assign(node, was);
  if (stateOf(interpreter) !== before) throw new Error('the rehearsal left a trace');
}

/** What does not lie in the interpreter's memory and could tell of a rehearsal. */
function stateOf({ FS, HEAPU8, stackSave }: Rehearsing): string {
  const open = FS.streams.filter((stream) => stream).length;
  const names = ['/', '/tmp', FS.cwd()].map((folder) => FS.readdir(folder).join());
  const nodes = [...everyNode(FS)].map(
    ({ id, mode, usedBytes, atime, mtime, ctime }) => `${id}:${mode}:${usedBytes}:${atime}:${mtime}:${ctime}`,
  );
  return [FS.nextInode, open, FS.cwd(), ...names, ...nodes, HEAPU8.length, stackSave?.()].join(' ');
}
