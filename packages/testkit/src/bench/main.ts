/** The benchmarks' command line. */

import { readDispatchOptions } from './dispatch-options.ts';
import { runDispatch } from './dispatch.ts';
import { readLedgerOptions, runLedgerBench } from './ledger.ts';
import { readSandboxOptions } from './sandbox-options.ts';
import { runSandboxBench } from './sandbox.ts';
import { readStartOptions, runStartBench } from './starts.ts';

const [name, ...args] = process.argv.slice(2);

const print = (line: string) => process.stdout.write(`${line}\n`);

async function run(): Promise<number> {
  if (name === 'sandbox') {
    await runSandboxBench(readSandboxOptions(args), print);
    return 0;
  }
  if (name === 'ledger') {
    await runLedgerBench(readLedgerOptions(args), print);
    return 0;
  }
  if (name === 'start') {
    await runStartBench(readStartOptions(args), print);
    return 0;
  }
  if (name !== 'dispatch') {
    process.stderr.write(
      'usage: bench sandbox [--runs N] [--pool N] [--only runc,runsc,wasm] [--json]\n' +
        '       bench ledger [--submissions N] [--clients N] [--runs N] [--only embedded|fabric] [--tools DIR] [--json]\n' +
        '       bench dispatch [--units N] [--jobs N] [--workers N] [--batch N] [--redundancy N] [--warm-up N] [--runs N] [--json] [--statements]\n' +
        '       bench start [--runs N] [--beside CHECKOUT] [--json]\n',
    );
    return 2;
  }
  await runDispatch(readDispatchOptions(args), print);
  return 0;
}

process.exitCode = await run();
