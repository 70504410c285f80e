import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { commandFolder, soon, type CommandProcess } from './command-process.setup.ts';
import { processesIn } from './process-tree.setup.ts';

const onLinux = process.platform === 'linux';

let folder: string;
let command: CommandProcess;
beforeEach(async () => {
  ({ folder, command } = await commandFolder('assay-ends-'));
});
afterEach(async () => {
  command.stop();
  await rm(folder, { recursive: true, force: true });
});

const cases = [
  { args: ['server'], ready: 'The market is open', signal: 'SIGINT', status: 0 },
  { args: ['server'], ready: 'The market is open', signal: 'SIGHUP', status: 0 },
  // In the middle of a job, with sandboxes at work.
  { args: ['demo', '--port', '0'], ready: /[1-9] replicas running/, signal: 'SIGTERM', status: 130 },
] as const;

test.skipIf(!onLinux).each(cases)(
  '$signal ends `$args.0` soon, and no process, socket or temporary file stays (needs /proc of Linux)',
  { timeout: 120_000 },
  async ({ args, ready, signal, status }) => {
    const started = command.start(args, { ASSAY_PORT: '0', ASSAY_CONSOLE_DIR: join(folder, 'console') });
    await soon(90_000, () => started.text().search(ready) >= 0 || started.hasEnded() || undefined);
    expect(started.hasEnded(), started.text()).toBe(false);
    expect(started.family().length).toBeGreaterThan(0);
    const signalledMs = performance.now();
    started.process.kill(signal);
    expect(await started.ended, started.text()).toBe(status);
    // Less than any of the bounds of a stop that goes wrong.
    expect(performance.now() - signalledMs).toBeLessThan(8000);
    expect(command.left()).toEqual([]);
    expect(processesIn(folder)).toEqual([]);
    expect(await readdir(join(folder, 'tmp'))).toEqual([]);
  },
);
