/** What a command is. */

import type { Arguments, Grammar } from './arguments.ts';

/** A command as the table has it. */
export interface CommandRow {
  /** One word or two. */
  readonly name: string;
  readonly summary: string;
  /** Whether it runs until somebody ends it. Such a program starts seldom, and loads no code but the checkout's own. */
  readonly stays?: true;
  load(): Promise<Command>;
}

/** What a command takes and what it does. */
export interface Command extends Grammar {
  readonly usage: string;
  /** Runs the command; returns the exit status. */
  run(args: Arguments): Promise<number>;
}
