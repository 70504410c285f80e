/** The four contracts as one chaincode, so that one transaction can check a job, its escrow and its listing together. */

import type { ContractVersion } from './call.ts';
import { Contract } from './contract.ts';
import { EscrowTrigger } from './escrow-trigger.ts';
import { Marketplace } from './marketplace.ts';
import { Reputation } from './reputation.ts';

/** What a chaincode server and the embedded engine load. */
export const contracts = [Marketplace, Contract, Reputation, EscrowTrigger];

/** The contracts as `version` runs them. Fabric looks for functions on the class itself, so none may be derived from it. */
export function contractsOf(version: ContractVersion): typeof contracts {
  return contracts.map((of) => {
    const make = function make() {
      return new of(version);
    };
    return make as unknown as typeof of;
  });
}
