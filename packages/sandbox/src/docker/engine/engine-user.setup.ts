/** For tests: a process that uses the engine in the folder it is given until it is killed. */

import { startEngine } from './engine.ts';

const engine = await startEngine({ folder: process.argv[2] ?? '', runsc: 'none' });
process.stdout.write(`${engine.socketPath}\n`);
setInterval(() => undefined, 60_000);
