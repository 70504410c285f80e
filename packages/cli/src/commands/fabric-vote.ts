/** `assay fabric vote`: what an organisation wants the challenge window of its network to be. */

import { join } from 'node:path';
import { systemClock, voteOnFabric } from '@assay/server';
import { UsageError, type Arguments } from '../arguments.ts';
import type { Command } from '../command.ts';
import { defaultStateDir } from '../config.ts';
import { durationMs } from '../duration.ts';
import { paint, print } from '../terminal.ts';

export const fabricVoteCommand: Command = {
  usage: 'fabric vote --msp MSP --min TIME [--max TIME] [--votes N] [--channel NAME] [--profile FILE] [--json]',
  options: {
    msp: { kind: 'text', doc: 'the organisation, whose governor’s certificate is in the wallet' },
    min: { kind: 'text', doc: 'the least length, such as 24h' },
    max: { kind: 'text', doc: 'the greatest length', default: '90d' },
    votes: { kind: 'number', doc: 'how many organisations the next change needs, 2 or more', default: '2' },
    channel: { kind: 'text', doc: 'the channel', default: 'public-marketplace' },
    profile: { kind: 'text', doc: 'the network’s connection.json; by default that of ./assay fabric up' },
    json: { kind: 'flag', doc: 'print JSON' },
  },
  positionals: [],
  run: runVote,
};

async function runVote(args: Arguments): Promise<number> {
  const [mspId, min] = [args.text('msp'), args.text('min')];
  if (mspId === undefined || min === undefined) throw new UsageError('fabric vote needs --msp and --min');
  const { decided, rule } = await voteOnFabric({
    profile: args.text('profile') ?? join(defaultStateDir(), 'fabric', 'connection.json'),
    channel: args.text('channel') ?? 'public-marketplace',
    mspId,
    minMs: durationMs('min', min),
    maxMs: durationMs('max', args.text('max') ?? '90d'),
    votes: args.number('votes') ?? 2,
    clock: systemClock,
  });
  if (args.flag('json')) print(JSON.stringify({ decided, rule }));
  else {
    const state = decided ? 'the rule holds' : 'the vote is noted; others must want the same before it holds';
    print(`${paint('green', '✓')} ${mspId} voted: ${state}`);
    print(`  windows last ${hours(rule.minMs)} to ${hours(rule.maxMs)}; ${rule.votes} organisations can change that`);
  }
  return 0;
}

function hours(ms: number): string {
  return ms < 3_600_000 ? `${ms / 1000} s` : `${Number((ms / 3_600_000).toFixed(2))} h`;
}
