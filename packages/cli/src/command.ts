/** What a command is. */

import type { Arguments, Grammar } from './arguments.ts';

/** One word or two, what it takes, and what it does. */
export interface Command extends Grammar {
  /** One word or two. */
  readonly name: string;
  readonly usage: string;
  readonly summary: string;
  /** Runs the command; returns the exit status. */
  run(args: Arguments): Promise<number>;
}
