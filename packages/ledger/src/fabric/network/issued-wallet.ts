/** The market's own identities, issued by the platform's authority: the wallet that its server reads. */

import { join } from 'node:path';
import { platformMsp } from '@assay/contracts';
import { writePair, type Issuer } from './issuer.ts';
import type { Site } from './provision.ts';

/** Names by which the market signs, and the roles that the contracts ask for. */
const identities = { orchestrator: 'orchestrator', arbiter: 'arbiter', projection: 'auditor' } as const;

export async function fillWallet({ folders }: Site, issuers: readonly Issuer[]): Promise<void> {
  const platform = issuers.find(({ mspId }) => mspId === platformMsp);
  for (const [name, role] of Object.entries(identities)) {
    const attributes = { [`assay.${role}`]: 'true' };
    const pair = await platform?.enrol({ commonName: name, unit: 'client', attributes });
    if (pair === undefined) continue;
    const folder = join(folders.wallet, platformMsp, name);
    await writePair({ certificate: join(folder, 'cert.pem'), key: join(folder, 'key.pem') }, pair);
  }
}
