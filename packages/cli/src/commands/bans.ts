/** `assay bans`: who may not order or work, for operators; each change says what it will do and asks. */

import type { Ban } from '@assay/client';
import { refuse } from '@assay/core';
import type { Arguments } from '../arguments.ts';
import type { Command } from '../command.ts';
import { confirmed } from '../confirmation.ts';
import { connect } from '../connect.ts';
import { columns, plain, print } from '../terminal.ts';

const asking = {
  reason: { kind: 'text', doc: 'why; the subject is told, and it is kept in the market’s audit log' },
  yes: { kind: 'flag', doc: 'do it without asking again' },
} as const;

export const bansListCommand: Command = {
  usage: 'bans list [--json]',
  options: { json: { kind: 'flag', doc: 'print JSON' } },
  positionals: [],
  run: list,
};

export const bansAddCommand: Command = {
  usage: 'bans add ACCOUNT|WORKER --reason TEXT [--yes]',
  options: asking,
  positionals: ['SUBJECT'],
  run: (args) => change(args, 'ban', 'will order no more, or get no more work. Ban it?', 'is banned'),
};

export const bansLiftCommand: Command = {
  usage: 'bans lift ACCOUNT|WORKER --reason TEXT [--yes]',
  options: asking,
  positionals: ['SUBJECT'],
  run: (args) => change(args, 'liftBan', 'may order or work again. Lift the ban?', 'is banned no more'),
};

async function list(args: Arguments): Promise<number> {
  const client = connect();
  const bans: Ban[] = [];
  let after: string | undefined;
  do {
    const page = await client.listBans(after === undefined ? {} : { after });
    bans.push(...page.items);
    after = page.next ?? undefined;
  } while (after !== undefined);
  const rows = bans.map(({ subject, bannedAt, reason }) => [subject, bannedAt, plain(reason)]);
  if (args.flag('json')) print(JSON.stringify(bans));
  else print(rows.length === 0 ? 'nobody is banned' : columns(rows, ''));
  return 0;
}

async function change(args: Arguments, call: 'ban' | 'liftBan', what: string, done: string): Promise<number> {
  const subject = args.positional(0) ?? '';
  const reason = args.text('reason');
  if (reason === undefined) throw refuse('request.malformed', 'say why with --reason "…"');
  if (!(await confirmed(args, `${plain(subject)} ${what}`))) return 1;
  await connect()[call]({ subject, reason });
  print(`${plain(subject)} ${done}.`);
  return 0;
}
