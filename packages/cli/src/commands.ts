/** Every command, once: help, parsing and running read this table. */

import type { Arguments, Grammar } from './arguments.ts';
import { demoCommand } from './commands/demo.ts';
import { disputeCommands } from './commands/disputes.ts';
import { doctorCommand } from './commands/doctor.ts';
import { jobCommands } from './commands/jobs.ts';
import { ledgerVerifyCommand } from './commands/ledger-verify.ts';
import { runJobCommand } from './commands/run.ts';
import { serverCommand } from './commands/server.ts';
import { verifyCommand } from './commands/verify.ts';
import { workerCommand } from './commands/worker.ts';

export interface Command extends Grammar {
  /** One word or two. */
  readonly name: string;
  readonly usage: string;
  readonly summary: string;
  /** Runs the command; returns the exit status. */
  run(args: Arguments): Promise<number>;
}

export const commands: readonly Command[] = [
  demoCommand,
  runJobCommand,
  ...jobCommands,
  ...disputeCommands,
  verifyCommand,
  serverCommand,
  workerCommand,
  ledgerVerifyCommand,
  doctorCommand,
];
