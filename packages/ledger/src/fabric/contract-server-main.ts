/** The program of a contract server: `node contract-server-main.ts SETTINGS.json`. */

import { readFile } from 'node:fs/promises';
import { serveContracts, type ContractServerSettings } from './contract-server.ts';
import { systemClock } from './system-clock.ts';

const [, , file = ''] = process.argv;
await serveContracts(JSON.parse(await readFile(file, 'utf8')) as ContractServerSettings, systemClock);
