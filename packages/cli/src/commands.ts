/** Every command, once: help, parsing and running read this table. */

import type { Command } from './command.ts';
import { auditCommands } from './commands/audit.ts';
import { banCommands } from './commands/bans.ts';
import { demoCommand } from './commands/demo.ts';
import { disputeCommands } from './commands/disputes.ts';
import { doctorCommand } from './commands/doctor.ts';
import { imageCommands } from './commands/images.ts';
import { fabricCommands } from './commands/fabric.ts';
import { fabricDeployCommands } from './commands/fabric-deploy.ts';
import { fabricVote } from './commands/fabric-vote.ts';
import { jobCommands } from './commands/jobs.ts';
import { ledgerVerifyCommand } from './commands/ledger-verify.ts';
import { outboxCommands } from './commands/outbox.ts';
import { runJobCommand } from './commands/run.ts';
import { serverCommand } from './commands/server.ts';
import { verifyCommand } from './commands/verify.ts';
import { workerControlCommands } from './commands/worker-control.ts';
import { workerJoinCommands } from './commands/worker-join.ts';
import { workerCommand } from './commands/worker.ts';

export const commands: readonly Command[] = [
  demoCommand,
  runJobCommand,
  ...jobCommands,
  ...disputeCommands,
  verifyCommand,
  serverCommand,
  workerCommand,
  ...workerJoinCommands,
  ...workerControlCommands,
  ...imageCommands,
  ...auditCommands,
  ...banCommands,
  ...outboxCommands,
  ledgerVerifyCommand,
  ...fabricCommands,
  ...fabricDeployCommands,
  fabricVote,
  doctorCommand,
];
