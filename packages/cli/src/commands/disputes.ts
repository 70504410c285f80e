/** Deciding disputes, for arbiters: a ruling moves money, so it says what it will do and asks. */

import { parseAmount, parseId, refuse } from '@assay/core';
import type { Arguments } from '../arguments.ts';
import { confirmed } from '../confirmation.ts';
import type { Command } from '../command.ts';
import { connectAsArbiter } from '../connect.ts';
import { print } from '../terminal.ts';

const outcomes = ['release', 'refund', 'split'] as const;

const consequences: Record<(typeof outcomes)[number], string> = {
  release: 'The providers are paid as if nobody had objected.',
  refund: 'Everything goes back to the customer; nobody is paid.',
  split: 'A part of the earned money goes back, the rest is paid.',
};

export const disputesResolveCommand: Command = {
  usage: 'disputes resolve DISPUTE --outcome release|refund|split [--refund USD] --reason TEXT [--yes]',
  options: {
    outcome: { kind: 'text', doc: 'release, refund or split' },
    refund: { kind: 'text', doc: 'for a split: what goes back, in USD' },
    reason: { kind: 'text', doc: 'why; it is kept, and its hash goes on the ledger' },
    yes: { kind: 'flag', doc: 'decide without asking again' },
  },
  positionals: ['DISPUTE'],
  run: resolve,
};

async function resolve(args: Arguments): Promise<number> {
  const id = parseId('dispute', args.positional(0));
  if (id === undefined) throw refuse('dispute.not_found', 'a dispute is written dsp_ and 32 hex digits');
  const outcome = outcomes.find((one) => one === args.text('outcome'));
  const reason = args.text('reason');
  const refund = args.text('refund');
  if (outcome === undefined) throw refuse('request.malformed', 'say --outcome release, refund or split');
  if (reason === undefined) throw refuse('request.malformed', 'say why with --reason "…"');
  if ((outcome === 'split') !== (refund !== undefined)) {
    throw refuse('request.malformed', 'a split, and only a split, needs --refund USD');
  }
  if (!(await confirmed(args, `${consequences[outcome]} Decide so?`))) return 1;
  const refundMinor = refund === undefined ? {} : { refundMinor: parseAmount('USD', refund).minor.toString() };
  const ruled = await connectAsArbiter().resolveDispute(id, { outcome, reason, ...refundMinor });
  print(`${ruled.id} is ${ruled.state}: ${ruled.outcome ?? outcome}.`);
  return 0;
}
