/** Identities that authorities issue beforehand: the market's own, and who votes for each organisation. */

import { join } from 'node:path';
import { platformMsp } from '@assay/contracts';
import { writePair, type Issuer } from './issuer.ts';
import type { Site } from './provision.ts';
import { ordererMsp } from './topology.ts';

/** Names by which the market signs, and the roles that the contracts ask for. */
const ofThePlatform = {
  orchestrator: 'orchestrator',
  arbiter: 'arbiter',
  projection: 'auditor',
  auditor: 'auditor',
  governor: 'governor',
} as const;
const ofOthers = { governor: 'governor' } as const;

/** The names in an organisation's part of the wallet. */
export function walletNames(mspId: string): string[] {
  return Object.keys(mspId === platformMsp ? ofThePlatform : ofOthers);
}

/** Writes `<wallet>/<msp>/<name>/{cert,key}.pem`. */
export async function fillWallet({ folders }: Site, issuers: readonly Issuer[]): Promise<void> {
  for (const issuer of issuers.filter(({ mspId }) => mspId !== ordererMsp)) {
    const identities = issuer.mspId === platformMsp ? ofThePlatform : ofOthers;
    for (const [name, role] of Object.entries(identities)) {
      const attributes = { [`assay.${role}`]: 'true' };
      const pair = await issuer.enrol({ commonName: name, unit: 'client', attributes });
      const folder = join(folders.wallet, issuer.mspId, name);
      await writePair({ certificate: join(folder, 'cert.pem'), key: join(folder, 'key.pem') }, pair);
    }
  }
}
