/** `assay password change`: the passwords come from the keyboard or a pipe; never from the command line, which others see. */

import { text } from 'node:stream/consumers';
import { refuse } from '@assay/core';
import type { Arguments } from '../arguments.ts';
import type { Command } from '../command.ts';
import { connect } from '../connect.ts';
import { hiddenLine } from '../hidden-line.ts';
import { print } from '../terminal.ts';

export const passwordChangeCommand: Command = {
  usage: 'password change [--stdin]',
  options: {
    stdin: { kind: 'flag', doc: 'read the present password and the new one from standard input, a line each' },
  },
  positionals: [],
  run: change,
};

interface Passwords {
  readonly password: string;
  readonly newPassword: string;
}

async function change(args: Arguments): Promise<number> {
  const client = connect();
  await client.changePassword(args.flag('stdin') ? linesOf(await text(process.stdin)) : await asked());
  print('The password is changed. Whoever was signed in with the old one is signed out; API keys go on.');
  return 0;
}

function linesOf(piped: string): Passwords {
  const [password, newPassword, ...more] = piped.replace(/\r?\n$/, '').split(/\r?\n/);
  if (password === undefined || newPassword === undefined || more.length > 0) {
    throw refuse('request.malformed', 'standard input holds the present password and the new one, a line each');
  }
  return { password, newPassword };
}

async function asked(): Promise<Passwords> {
  if (!process.stdin.isTTY) throw refuse('request.malformed', 'nobody can be asked here: say --stdin');
  const password = await hiddenLine('Present password (not shown): ');
  const newPassword = await hiddenLine('New password, at least 10 characters (not shown): ');
  if ((await hiddenLine('The new password again: ')) !== newPassword) {
    throw refuse('request.malformed', 'the two new passwords differ; nothing was changed');
  }
  return { password, newPassword };
}
