/** The programs of the conformance suite for WASI: one module that does what the file `task` beside it says. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SandboxPrograms, Task } from '@assay/core/conformance';

const program = readFileSync(join(import.meta.dirname, 'program.wasm'));
const refused = Uint8Array.of(0, 0x61, 0x73, 0x6d, 2, 0, 0, 0);

/** Each task under its own name. */
const tasks =
  `greet/nothing/use side/compute/change input/draw/wait/spin/sleep/flood log/many outputs/large output/exact outputs
fill memory/fill bytes/fill files/reuse/odd names/twins/replace folder/write x`.split(/[/\n]/) as Task[];

export const wasiPrograms: SandboxPrograms = {
  language: 'WASI',
  entryPoint: 'main.wasm',
  files: (task) => ({ 'main.wasm': task === 'no module' ? refused : program, task }),
  code: Object.fromEntries(tasks.map((task) => [task, task])) as Record<Task, string>,
  side: {},
  exits: [
    ['exit 7', 7, ''],
    ['complain', 1, 'why not'],
    ['leave 9', 9, ''],
    ['abort', 134, 'the program stopped: unreachable'],
    ['recurse', 134, 'the program stopped'],
    ['no module', 126, 'no WebAssembly module of version 1'],
  ],
  cannot: { 'use side': 'a module is one file' },
};
