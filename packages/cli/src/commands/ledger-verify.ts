/** `assay ledger verify`: replays the whole ledger and says whether any byte of it was changed. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { inspectLedger, processConfig } from '@assay/server';
import type { Arguments } from '../arguments.ts';
import type { Command } from '../command.ts';
import { defaultStateDir } from '../config.ts';
import { paint, plain, print } from '../terminal.ts';

export const ledgerVerifyCommand: Command = {
  usage: 'ledger verify [--state DIR] [--execute] [--json]',
  options: {
    state: { kind: 'text', doc: 'the market’s state folder; by default the demo’s, else the server’s' },
    execute: { kind: 'flag', doc: 'also run every contract call again and compare its outcome' },
    json: { kind: 'flag', doc: 'print JSON' },
  },
  positionals: [],
  run,
};

async function run(args: Arguments): Promise<number> {
  const config = processConfig();
  const demo = join(defaultStateDir(), 'demo');
  const usual = config.databaseUrl === undefined && existsSync(demo) ? demo : config.stateFolder;
  const stateFolder = args.text('state') ?? usual;
  const report = await inspectLedger({ ...config, stateFolder }, args.flag('execute'));
  if (args.flag('json')) {
    print(JSON.stringify(report));
    return report.ok ? 0 : 1;
  }
  if (report.ok) {
    print(
      `${paint('green', '✓')} ${report.blocks} blocks, ${report.transactions} transactions and ${report.facts} facts follow from the chain signed by ${report.publicKey}`,
    );
    return 0;
  }
  for (const problem of report.problems) print(paint('red', `✗ ${plain(JSON.stringify(problem))}`));
  return 1;
}
