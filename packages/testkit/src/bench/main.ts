/** The benchmarks' command line. */

import { readDispatchOptions } from './dispatch-options.ts';
import { runDispatch } from './dispatch.ts';
import { readSandboxOptions } from './sandbox-options.ts';
import { runSandboxBench } from './sandbox.ts';

const [name, ...args] = process.argv.slice(2);

const print = (line: string) => process.stdout.write(`${line}\n`);

async function run(): Promise<number> {
  if (name === 'sandbox') {
    await runSandboxBench(readSandboxOptions(args), print);
    return 0;
  }
  if (name !== 'dispatch') {
    process.stderr.write(
      'usage: bench sandbox [--runs N] [--pool N] [--json]\n' +
        '       bench dispatch [--units N] [--jobs N] [--workers N] [--batch N] [--redundancy N] [--warm-up N] [--runs N] [--json] [--statements]\n',
    );
    return 2;
  }
  await runDispatch(readDispatchOptions(args), print);
  return 0;
}

process.exitCode = await run();
