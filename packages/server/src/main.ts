/** The server as a program: reads its configuration, runs until a signal, and ends in order. */

import process from 'node:process';
import { Refusal } from '@assay/core';
import { startServer } from './compose.ts';
import { processConfig } from './config.ts';

try {
  const running = await startServer(processConfig());
  let closing = false;
  const end = (): void => {
    if (closing) process.exit(1);
    closing = true;
    running.close().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, end);
} catch (error) {
  const known = error instanceof Refusal ? `${error.code}: ${error.message}` : error;
  process.stderr.write(`assay server: ${String(known)}\n`);
  process.exitCode = 1;
}
