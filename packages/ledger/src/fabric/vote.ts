/** An organisation's vote on the challenge window of a network, with its own governor's certificate and no database. */

import { randomBytes } from 'node:crypto';
import { transientKey, type ChallengeWindow } from '@assay/contracts';
import { Fault, refuse, type Clock } from '@assay/core';
import { problemOfGateway } from './gateway-errors.ts';
import { readProfile } from './network/profile.ts';
import { openPeers } from './peers.ts';
import { openWallet } from './wallet.ts';

export interface VoteOptions {
  /** The file `connection.json` of the network. */
  readonly profile: string;
  readonly channel: string;
  /** The organisation that votes; its governor's certificate is in the wallet. */
  readonly mspId: string;
  readonly minMs: number;
  readonly maxMs: number;
  /** How many organisations the next change shall need. */
  readonly votes: number;
  readonly clock: Clock;
}

export interface VoteResult {
  /** Whether enough organisations want the same by now. */
  readonly decided: boolean;
  /** The rule in force. */
  readonly rule: ChallengeWindow;
}

/** Votes and says what holds then. Refuses what the contracts refuse; faults `ledger.unavailable`. */
export async function voteOnFabric(options: VoteOptions): Promise<VoteResult> {
  const { channel, mspId, clock } = options;
  const profile = await readProfile(options.profile);
  if (!profile.channels[channel]) throw refuse('config.invalid', `the network has no channel ${channel}`);
  const member = await openWallet(profile, clock).member({ mspId, name: 'governor', roles: ['governor'] });
  const peers = await openPeers(profile, channel, clock, mspId);
  try {
    const contract = peers.network(member).getContract(profile.chaincode, 'EscrowTrigger');
    const said = await contract.submit('voteOnChallengeWindow', {
      arguments: [options.minMs, options.maxMs, options.votes].map(String),
      transientData: { [transientKey]: `vote/${randomBytes(16).toString('hex')}` },
    });
    const { decided } = JSON.parse(Buffer.from(said).toString()) as { decided: boolean };
    const rule = await contract.evaluate('getChallengeWindow');
    return { decided, rule: JSON.parse(Buffer.from(rule).toString()) as ChallengeWindow };
  } catch (error) {
    const problem = problemOfGateway(error);
    if (problem.kind === 'refused') throw refuse(problem.code, problem.message);
    throw new Fault('ledger.unavailable', problem.message, { cause: error, retry: problem.kind === 'passing' });
  } finally {
    peers.close();
  }
}
