/** A call of a contract's function: what Fabric gives to it, and the version of the contracts that runs it. */

import { Context } from 'fabric-contract-api';

/**
 * Versions that this code can run. Calls of older ones can be executed again when a ledger is verified, and an
 * organisation may run the older one until the others have agreed to the next.
 */
export const contractVersions = [1, 2] as const;
export type ContractVersion = (typeof contractVersions)[number];

/** What new ledgers run. */
export const newestVersion: ContractVersion = 2;

export class Call extends Context {
  readonly version: ContractVersion;

  constructor(version: ContractVersion) {
    super();
    this.version = version;
  }
}
