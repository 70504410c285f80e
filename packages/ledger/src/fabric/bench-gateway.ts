/** The measure for the Fabric engine: Hyperledger's gateway client alone, on the same network with the same signer. */

import { randomBytes } from 'node:crypto';
import { transientKey, platformMsp } from '@assay/contracts';
import type { Clock } from '@assay/core';
import { readProfile } from './network/profile.ts';
import { openPeers } from './peers.ts';
import { openWallet } from './wallet.ts';

export interface GatewayBenchOptions {
  readonly profile: string;
  readonly submissions: number;
  /** Submissions that are under way at the same time. */
  readonly clients: number;
  readonly clock: Clock;
  /** Milliseconds of a clock that only goes forward. */
  readonly nowMs: () => number;
}

/** Endorses, submits and waits for each commit status; no retries, no rows, nothing but the client. */
export async function benchGateway(options: GatewayBenchOptions): Promise<{ perSecond: number; failed: number }> {
  const profile = await readProfile(options.profile);
  const member = await openWallet(profile, options.clock).member({
    mspId: platformMsp,
    name: 'bench',
    roles: ['orchestrator'],
  });
  const peers = await openPeers(profile, 'public-marketplace', options.clock);
  const contract = peers.network(member).getContract(profile.chaincode, 'Reputation');
  const run = randomBytes(4).toString('hex');
  let next = 0;
  let failed = 0;
  const client = async (): Promise<void> => {
    while (next < options.submissions) {
      const index = next;
      next += 1;
      const id = `${run}${String(index).padStart(24, '0')}`;
      const proposal = {
        arguments: [`wrk_${id}`, 'true', `{"job":"job_${id}","replicas":1}`],
        transientData: { [transientKey]: `raw/${run}/${index}` },
      };
      await contract.submit('recordResult', proposal).catch(() => {
        failed += 1;
      });
    }
  };
  const started = options.nowMs();
  await Promise.all(Array.from({ length: options.clients }, client));
  const elapsedMs = options.nowMs() - started;
  peers.close();
  return { perSecond: Math.round(((options.submissions - failed) * 1000) / elapsedMs), failed };
}
