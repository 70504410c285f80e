/**
 * How long a challenge window is: bounds that a majority of the organisations sets, so that whoever runs the
 * orchestrator can neither shorten nor lengthen it alone. Since version 2.
 */

import { limits } from '@assay/core';
import { malformed, wholeNumberOf } from './arguments.ts';
import type { Call } from './call.ts';
import { keyOf, readRecord, recordIn, timeMsOf, writeRecord } from './records.ts';

/** What an organisation may propose. */
type Proposal = {
  /** The bounds of a window's length in milliseconds, counted from the ledger's own time. */
  readonly minMs: number;
  readonly maxMs: number;
  /** How many organisations must agree to change this. */
  readonly votes: number;
};

/** The rule in force. */
export type ChallengeWindow = Proposal & { readonly sinceMs: number };

type Vote = Proposal & { readonly organization: string };

/** What holds where nobody voted. Two are a majority of two or three organisations; larger networks vote for more. */
const standard: ChallengeWindow = {
  minMs: limits.challengeWindowMinMs,
  maxMs: limits.challengeWindowMs,
  votes: 2,
  sinceMs: 0,
};

const subject = 'challengeWindow';

export async function challengeWindowOf(ctx: Call): Promise<ChallengeWindow> {
  const { minMs, maxMs, votes, sinceMs } =
    (await readRecord<ChallengeWindow>(ctx, keyOf(ctx, 'rule', subject))) ?? standard;
  return { minMs, maxMs, votes, sinceMs };
}

/** When a window ends that opens now and shall end at `wantedMs`. */
export function boundedDeadline({ minMs, maxMs }: ChallengeWindow, wantedMs: number, nowMs: number): number {
  return Math.min(Math.max(wantedMs, nowMs + minMs), nowMs + maxMs);
}

/** Votes are at least two: one organisation never decides alone. */
export function proposalOf(minMs: string, maxMs: string, votes: string): Proposal {
  const proposal = {
    minMs: wholeNumberOf('minMs', minMs, limits.challengeWindowMs),
    maxMs: wholeNumberOf('maxMs', maxMs, limits.challengeWindowMs),
    votes: wholeNumberOf('votes', votes, limits.ledgerVotes),
  };
  if (proposal.minMs > proposal.maxMs) throw malformed('minMs is more than maxMs');
  if (proposal.votes < 2) throw malformed('votes is less than 2');
  return proposal;
}

/** Notes the caller's organisation's vote, and the rule when enough of them say the same; undefined until then. */
export async function countVote(ctx: Call, proposal: Proposal): Promise<ChallengeWindow | undefined> {
  const organization = ctx.clientIdentity.getMSPID();
  const needed = Math.max((await challengeWindowOf(ctx)).votes, proposal.votes);
  let inFavour = 1;
  for await (const { value } of ctx.stub.getStateByPartialCompositeKey('vote', [subject])) {
    const vote = recordIn<Vote>(ctx, value);
    const isSame = vote.minMs === proposal.minMs && vote.maxMs === proposal.maxMs && vote.votes === proposal.votes;
    if (isSame && vote.organization !== organization) inFavour += 1;
  }
  await writeRecord(ctx, keyOf(ctx, 'vote', subject, organization), { v: 2, ...proposal, organization });
  if (inFavour < needed) return undefined;
  const rule = { ...proposal, sinceMs: timeMsOf(ctx) };
  await writeRecord(ctx, keyOf(ctx, 'rule', subject), { v: 2, ...rule });
  return rule;
}
