/** `assay workers`: the devices of the account that the command speaks as, wherever they are. */

import type { Worker } from '@assay/client';
import type { Arguments } from '../arguments.ts';
import type { Command } from '../command.ts';
import { confirmed } from '../confirmation.ts';
import { connect } from '../connect.ts';
import { columns, plain, print } from '../terminal.ts';

export const workersListCommand: Command = {
  usage: 'workers list [--json]',
  options: { json: { kind: 'flag', doc: 'print JSON' } },
  positionals: [],
  run: list,
};

export const workersRemoveCommand: Command = {
  usage: 'workers remove WORKER [--yes]',
  options: { yes: { kind: 'flag', doc: 'do it without asking again' } },
  positionals: ['WORKER'],
  run: remove,
};

async function list(args: Arguments): Promise<number> {
  const client = connect();
  const workers: Worker[] = [];
  let after: string | undefined;
  do {
    const page = await client.listWorkers(after === undefined ? {} : { after });
    workers.push(...page.items);
    after = page.next ?? undefined;
  } while (after !== undefined);
  if (args.flag('json')) {
    print(JSON.stringify(workers));
    return 0;
  }
  const head = ['WORKER', 'STATE', 'RUNNING', 'LAST SEEN', 'NAME'];
  const rows = workers.map(({ id, state, running, lastSeenAt, name }) => [
    id,
    state,
    String(running),
    lastSeenAt ?? 'never',
    plain(name),
  ]);
  print(workers.length === 0 ? 'the account has no workers' : columns([head, ...rows], ''));
  return 0;
}

async function remove(args: Arguments): Promise<number> {
  const worker = args.positional(0) ?? '';
  const what = `${plain(worker)} will get no more work, and loses what it holds. Remove it for good?`;
  if (!(await confirmed(args, what))) return 1;
  await connect().removeWorker(worker);
  print(`${plain(worker)} is removed.`);
  return 0;
}
