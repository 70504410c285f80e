/** The attacks of WASI programs: `wasi/attacks.c` has a function for each of these ids. */

import type { Probe } from '../probe.setup.ts';

const container = 'a process in a container has a kernel under it, see the other groups';
const otherWasm = 'no WASI program';
const task = (id: string) => `${id}\n{file}\n{needle}\n`;

function escape(id: string, what: string): Probe {
  return {
    id: `wasi.${id}`,
    group: 'files',
    what,
    code: { wasi: task(`wasi.${id}`) },
    without: { cpython: container, pyodide: otherWasm, r: otherWasm },
  };
}

export const wasiProbes: readonly Probe[] = [
  escape('symlink', 'leave the opened folder by a link to its parent'),
  escape('path', 'leave the opened folder by an absolute path or by ..'),
  escape('descriptor', 'find a folder of the host behind an open descriptor'),
];

const alsoInWasi = `leaks.environment memory.heap disk.scratch disk.results disk.inodes logs.stdout logs.stderr
  outputs.names outputs.many outputs.deep outputs.sparse jobs.neighbour`.split(/\s+/);

/** The same attack as in the other languages, as a WASI program's task. */
export const inWasi: Readonly<Record<string, string>> = Object.fromEntries(alsoInWasi.map((id) => [id, task(id)]));
export const wasiNeighbour: string = task('hide');
