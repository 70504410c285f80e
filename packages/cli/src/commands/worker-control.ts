/** `assay worker pause`, `resume` and `status`: how an owner speaks to a worker that runs on the same machine. */

import { basename } from 'node:path';
import { endPause, holderOf, readPause, readStatus, writePause } from '@assay/worker';
import type { Arguments, Option } from '../arguments.ts';
import type { Command } from '../command.ts';
import { durationMs } from '../duration.ts';
import { systemClock } from '../system-clock.ts';
import { columns, print } from '../terminal.ts';
import { allWorkers, whichWorker } from '../worker/which-worker.ts';

const name: Option = { kind: 'text', doc: 'which worker; may be left out where there is one' };

export const workerPauseCommand: Command = {
  usage: 'worker pause [--name NAME] [--for 2h] [--now]',
  options: {
    name,
    for: { kind: 'text', doc: 'how long, such as 30m, 2h or 1d; without it until it is resumed' },
    now: { kind: 'flag', doc: 'give back what runs, too' },
  },
  positionals: [],
  async run(args) {
    const folder = await whichWorker(args);
    const lasts = args.text('for');
    const untilMs = lasts === undefined ? null : systemClock.nowMs() + durationMs('for', lasts);
    await writePause(folder, { untilMs, giveBack: args.flag('now') });
    const end = untilMs === null ? 'until assay worker resume' : `until ${new Date(untilMs).toLocaleString()}`;
    print(`${basename(folder)} takes no work ${end}${args.flag('now') ? ' and gives back what runs' : ''}.`);
    return 0;
  },
};

export const workerResumeCommand: Command = {
  usage: 'worker resume [--name NAME]',
  options: { name },
  positionals: [],
  async run(args) {
    const folder = await whichWorker(args);
    const paused = await readPause(folder);
    await endPause(folder);
    print(paused ? `${basename(folder)} takes work again.` : `${basename(folder)} was not paused.`);
    return 0;
  },
};

export const workerStatusCommand: Command = {
  usage: 'worker status [--name NAME] [--json]',
  options: { name, json: { kind: 'flag', doc: 'print JSON' } },
  positionals: [],
  run: tellStatus,
};

async function tellStatus(args: Arguments): Promise<number> {
  const folders = args.text('name') === undefined ? await allWorkers() : [await whichWorker(args)];
  const workers = await Promise.all(
    folders.map(async (folder) => {
      const pid = await holderOf(folder);
      const last = await readStatus(folder);
      const live = pid === undefined ? {} : { pid, ...last };
      return { folder, name: last?.name ?? basename(folder), runs: pid !== undefined, ...live };
    }),
  );
  if (args.flag('json')) print(JSON.stringify(workers));
  else if (workers.length === 0) print('No worker has its state here.');
  else print(columns(workers.map((one) => [one.name, one.runs ? 'runs' : 'stopped', sentenceOf(one)])));
  return 0;
}

function sentenceOf(one: {
  readonly runs: boolean;
  readonly may?: boolean;
  readonly text?: string | null;
  readonly running?: number;
  readonly capacity?: number;
}): string {
  if (!one.runs || one.may === undefined) return '';
  const does = `${one.running ?? 0} of ${one.capacity ?? 0} places busy`;
  return one.may ? does : `${does}; takes no work: ${one.text ?? ''}`;
}
