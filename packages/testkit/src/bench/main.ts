/** The benchmarks' command line. */

import { readDispatchOptions } from './dispatch-options.ts';
import { runDispatch } from './dispatch.ts';

const [name, ...args] = process.argv.slice(2);

async function run(): Promise<number> {
  if (name !== 'dispatch') {
    process.stderr.write(
      'usage: bench dispatch [--units N] [--jobs N] [--workers N] [--batch N] [--redundancy N] [--warm-up N] [--runs N] [--json] [--statements]\n',
    );
    return 2;
  }
  await runDispatch(readDispatchOptions(args), (line) => process.stdout.write(`${line}\n`));
  return 0;
}

process.exitCode = await run();
