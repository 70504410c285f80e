/** `assay keys`: the API keys of the account that the command speaks as. Making one needs a sign-in or a key with its scopes. */

import type { Arguments } from '../arguments.ts';
import type { Command } from '../command.ts';
import { confirmed } from '../confirmation.ts';
import { connect } from '../connect.ts';
import { columns, plain, print } from '../terminal.ts';

export const keysListCommand: Command = {
  usage: 'keys list [--json]',
  options: { json: { kind: 'flag', doc: 'print JSON' } },
  positionals: [],
  run: list,
};

export const keysRevokeCommand: Command = {
  usage: 'keys revoke KEY [--yes]',
  options: { yes: { kind: 'flag', doc: 'do it without asking again' } },
  positionals: ['KEY'],
  run: revoke,
};

async function list(args: Arguments): Promise<number> {
  const { items } = await connect().listApiKeys();
  if (args.flag('json')) {
    print(JSON.stringify(items));
    return 0;
  }
  const head = ['KEY', 'MADE', 'LAST USED', 'SCOPES', 'NAME'];
  const rows = items.map(({ id, createdAt, lastUsedAt, scopes, name }) => [
    id,
    createdAt,
    lastUsedAt ?? 'never',
    scopes.join(','),
    plain(name),
  ]);
  print(items.length === 0 ? 'the account has no API keys' : columns([head, ...rows], ''));
  return 0;
}

async function revoke(args: Arguments): Promise<number> {
  const key = args.positional(0) ?? '';
  if (!(await confirmed(args, `Programs that use ${plain(key)} will be refused. Revoke it?`))) return 1;
  await connect().deleteApiKey(key);
  print(`${plain(key)} is revoked.`);
  return 0;
}
