/** Asking before something that moves money. */

import { createInterface } from 'node:readline/promises';
import { refuse } from '@assay/core';
import type { Arguments } from './arguments.ts';
import { isTerminal } from './terminal.ts';

/** Whether the caller says yes: by `--yes`, or when asked on a terminal. Refuses `request.malformed` where nobody can be asked. */
export async function confirmed(args: Arguments, question: string): Promise<boolean> {
  if (args.flag('yes')) return true;
  if (!isTerminal() || !process.stdin.isTTY) {
    throw refuse('request.malformed', 'nobody can be asked here: say --yes');
  }
  const asking = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await asking.question(`${question} [y/N] `);
  asking.close();
  return /^y(?:es)?$/i.test(answer.trim());
}
