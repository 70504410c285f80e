/** Asking before something that moves money. */

import { createInterface } from 'node:readline/promises';
import type { Arguments } from './arguments.ts';
import { isTerminal, printError } from './terminal.ts';

/** Whether the caller says yes: by `--yes`, or when asked on a terminal. Nobody to ask means no. */
export async function confirmed(args: Arguments, question: string): Promise<boolean> {
  if (args.flag('yes')) return true;
  if (!isTerminal() || !process.stdin.isTTY) {
    printError('assay: say --yes when nobody can be asked');
    return false;
  }
  const asking = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await asking.question(`${question} [y/N] `);
  asking.close();
  return /^y(?:es)?$/i.test(answer.trim());
}
