/** `assay verify receipt.json`: checks a receipt or a ledger proof offline, with no account and no server. */

import { readFile, stat } from 'node:fs/promises';
import { limits, refuse } from '@assay/core';
import { isProofText, verifyProof, verifyReceipt, type ProofVerdict } from '@assay/verify';
import type { Arguments } from '../arguments.ts';
import type { Command } from '../command.ts';
import { paint, plain, print } from '../terminal.ts';

export const verifyCommand: Command = {
  usage: 'verify FILE [--trust KEY] [--json]',
  options: {
    trust: {
      kind: 'text',
      doc: 'the ledger key, hex, that the head must be signed with; without it the key is only shown',
    },
    json: { kind: 'flag', doc: 'print JSON' },
  },
  positionals: ['FILE'],
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
  const keys = trust === undefined ? {} : { ledgerKeys: [trust] };
  if (isProofText(text)) return tellProof(verifyProof(text, keys), args.flag('json'));
  const outcome = verifyReceipt(text, keys);
  if (args.flag('json')) {
    print(JSON.stringify(outcome));
    return outcome.ok ? 0 : 1;
  }
  if (!outcome.ok) {
    print(paint('red', `✗ ${outcome.part}: ${plain(outcome.message)} [${outcome.code}]`));
    return 1;
  }
  for (const check of outcome.checks) print(`${paint('green', '✓')} ${plain(check.part)}`);
  const { job, state, runner, machineClasses, agreed, replicas, ledgerKey, ledgerKeyTrusted, block } = outcome.summary;
  print(`${job} is ${state}; ${agreed} of ${replicas} revealed results agree; the ledger’s head is block ${block}`);
  print(`computed with ${plain(runner)}, signed by the workers as ${machineClasses.map(plain).join(' and ')}`);
  printKey(ledgerKey, ledgerKeyTrusted);
  return 0;
}

function tellProof(outcome: ProofVerdict, json: boolean): number {
  if (json) print(JSON.stringify(outcome));
  else if (outcome.ok) {
    const { txId, call, code, block, txIndex, headBlock, ledgerKey, ledgerKeyTrusted } = outcome.summary;
    const effect = code === 0 ? 'valid' : `without effect (code ${code})`;
    print(`${paint('green', '✓')} transaction ${plain(txId)}, ${plain(call)}, is ${effect}`);
    print(`it is number ${txIndex} of block ${block}, in the chain up to block ${headBlock}`);
    printKey(ledgerKey, ledgerKeyTrusted);
  } else print(paint('red', `✗ ${outcome.part}: ${plain(outcome.message)} [${outcome.code}]`));
  return outcome.ok ? 0 : 1;
}

function printKey(key: string, trusted: boolean): void {
  print(`signed by ledger key ${key}${trusted ? '' : ': compare it with the one you know, or name that with --trust'}`);
}
