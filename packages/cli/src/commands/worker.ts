/** `assay worker`: this machine works for a market until Ctrl-C. */

import { cpus, hostname } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@assay/server';
import { openWorker } from '@assay/worker';
import { limits } from '@assay/core';
import { UsageError, type Arguments } from '../arguments.ts';
import type { Command } from '../command.ts';
import { defaultStateDir, readAccess } from '../config.ts';
import { interruption } from '../interruption.ts';
import { print } from '../terminal.ts';

export const workerCommand: Command = {
  name: 'worker',
  usage: 'worker [--name NAME] [--capacity N]',
  summary: 'Lets this machine work for a market: ASSAY_URL and ASSAY_API_KEY of a provider say where and for whom.',
  options: {
    name: { kind: 'text', doc: 'what people call this device; by default its host name' },
    capacity: { kind: 'number', doc: 'units that run at once; by default one for each two cores' },
  },
  positionals: [],
  run,
};

async function run(args: Arguments): Promise<number> {
  const capacity = args.number('capacity') ?? Math.max(1, Math.floor(cpus().length / 2));
  if (!Number.isInteger(capacity) || capacity < 1 || capacity > limits.workerReplicas) {
    throw new UsageError(`--capacity takes a whole number from 1 to ${limits.workerReplicas}`);
  }
  const stop = interruption();
  const { url, apiKey } = readAccess();
  const name = args.text('name') ?? hostname();
  const worker = await openWorker(
    {
      url,
      apiKey,
      name,
      stateDir: join(defaultStateDir(), 'worker', name.replaceAll(/[^A-Za-z0-9._-]/g, '_')),
      capacity,
      log: print,
    },
    systemClock,
  );
  print(`${name} works for ${url} as ${worker.workerId}. Ctrl-C gives back what runs and ends.`);
  await Promise.race([stop.promise, worker.done]);
  await worker.stop();
  stop.release();
  return 0;
}
