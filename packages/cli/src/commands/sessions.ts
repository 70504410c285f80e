/** `assay sessions`: where the account that the command speaks as is signed in. The command's own key is no session. */

import type { OpenSession } from '@assay/client';
import { refuse } from '@assay/core';
import type { Arguments } from '../arguments.ts';
import type { Command } from '../command.ts';
import { connect } from '../connect.ts';
import { columns, plain, print } from '../terminal.ts';

export const sessionsListCommand: Command = {
  usage: 'sessions list [--json]',
  options: { json: { kind: 'flag', doc: 'print JSON' } },
  positionals: [],
  run: list,
};

export const sessionsEndCommand: Command = {
  usage: 'sessions end SESSION | sessions end --all',
  options: { all: { kind: 'flag', doc: 'end all of them, and links that were not used yet' } },
  positionals: ['SESSION?'],
  run: end,
};

async function list(args: Arguments): Promise<number> {
  const client = connect();
  const sessions: OpenSession[] = [];
  let after: string | undefined;
  do {
    const page = await client.listSessions(after === undefined ? {} : { after });
    sessions.push(...page.items);
    after = page.next ?? undefined;
  } while (after !== undefined);
  if (args.flag('json')) {
    print(JSON.stringify(sessions));
    return 0;
  }
  const head = ['SESSION', 'SIGNED IN', 'LAST USED', 'WITH'];
  const rows = sessions.map(({ id, createdAt, lastUsedAt, client: kind }) => [id, createdAt, lastUsedAt, plain(kind)]);
  print(sessions.length === 0 ? 'the account is signed in nowhere' : columns([head, ...rows], ''));
  return 0;
}

async function end(args: Arguments): Promise<number> {
  const session = args.positional(0);
  const all = args.flag('all');
  if (all === (session !== undefined)) throw refuse('request.malformed', 'name one session, or say --all');
  const client = connect();
  if (session === undefined) {
    const { ended } = await client.endOtherSessions();
    print(`${ended} ${ended === 1 ? 'session is' : 'sessions are'} ended.`);
  } else {
    await client.endSession(session);
    print(`${plain(session)} is ended.`);
  }
  return 0;
}
