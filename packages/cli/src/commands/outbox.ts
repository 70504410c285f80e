/** `assay outbox`: what could not be sent to the ledger or a payment provider and waits for an operator. */

import type { HeldMessage } from '@assay/client';
import { refuse } from '@assay/core';
import type { Arguments } from '../arguments.ts';
import type { Command } from '../command.ts';
import { confirmed } from '../confirmation.ts';
import { connect } from '../connect.ts';
import { columns, plain, print } from '../terminal.ts';

export const outboxListCommand: Command = {
  usage: 'outbox list [--json]',
  options: { json: { kind: 'flag', doc: 'print JSON' } },
  positionals: [],
  run: list,
};

export const outboxResumeCommand: Command = {
  usage: 'outbox resume MESSAGE --reason TEXT [--absent] [--yes]',
  options: {
    reason: { kind: 'text', doc: 'what was mended; it is kept in the market’s audit log' },
    absent: {
      kind: 'flag',
      doc: 'you made sure that the payment provider has nothing of it, though it was asked so long ago that it forgot the key',
    },
    yes: { kind: 'flag', doc: 'do it without asking again' },
  },
  positionals: ['MESSAGE'],
  run: resume,
};

async function list(args: Arguments): Promise<number> {
  const client = connect();
  const held: HeldMessage[] = [];
  let after: string | undefined;
  do {
    const page = await client.listHeldMessages(after === undefined ? {} : { after });
    held.push(...page.items);
    after = page.next ?? undefined;
  } while (after !== undefined);
  const rows = held.map((one) => [one.message, one.kind, plain(one.op), plain(one.ref), one.addedAt, plain(one.error)]);
  if (args.flag('json')) print(JSON.stringify(held));
  else print(rows.length === 0 ? 'no message waits for a person' : columns(rows, ''));
  return 0;
}

async function resume(args: Arguments): Promise<number> {
  const message = args.positional(0) ?? '';
  const reason = args.text('reason');
  if (reason === undefined) throw refuse('request.malformed', 'say what was mended with --reason "…"');
  const question = `message ${plain(message)} will be sent again, under the key that it always had. Send it?`;
  if (!(await confirmed(args, question))) return 1;
  await connect().resumeMessage({ message, reason, absent: args.flag('absent') });
  print(`message ${plain(message)} is on its way; \`assay outbox list\` shows it again if it fails.`);
  return 0;
}
