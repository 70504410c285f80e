/** `assay verify receipt.json`: checks a receipt offline, with no account and no server. */

import { readFile, stat } from 'node:fs/promises';
import { limits, refuse } from '@assay/core';
import { verifyReceipt } from '@assay/verify';
import type { Arguments } from '../arguments.ts';
import type { Command } from '../command.ts';
import { paint, plain, print } from '../terminal.ts';

export const verifyCommand: Command = {
  name: 'verify',
  usage: 'verify RECEIPT [--trust KEY] [--json]',
  summary: 'Checks a receipt offline: hashes, signatures, verdicts, ledger proofs and money.',
  options: {
    trust: {
      kind: 'text',
      doc: 'the ledger key, hex, that the head must be signed with; without it the key is only shown',
    },
    json: { kind: 'flag', doc: 'print JSON' },
  },
  positionals: ['RECEIPT'],
  run,
};

async function readReceipt(path: string): Promise<string> {
  const info = await stat(path).catch(() => undefined);
  if (!info?.isFile()) throw refuse('receipt.malformed', `there is no file ${path}`);
  if (info.size > limits.receiptBytes) throw refuse('receipt.malformed', `${path} is larger than a receipt may be`);
  return readFile(path, 'utf8');
}

async function run(args: Arguments): Promise<number> {
  const text = await readReceipt(args.positional(0) ?? '');
  const trust = args.text('trust');
  const outcome = verifyReceipt(text, trust === undefined ? {} : { ledgerKeys: [trust] });
  if (args.flag('json')) {
    print(JSON.stringify(outcome));
    return outcome.ok ? 0 : 1;
  }
  if (!outcome.ok) {
    print(paint('red', `✗ ${outcome.part}: ${plain(outcome.message)} [${outcome.code}]`));
    return 1;
  }
  for (const check of outcome.checks) print(`${paint('green', '✓')} ${plain(check.part)}`);
  const { job, state, agreed, replicas, ledgerKey, ledgerKeyTrusted, block } = outcome.summary;
  print(`${job} is ${state}; ${agreed} of ${replicas} revealed results agree; the ledger’s head is block ${block}`);
  print(
    `signed by ledger key ${ledgerKey}${ledgerKeyTrusted ? '' : ': compare it with the one you know, or name that with --trust'}`,
  );
  return 0;
}
