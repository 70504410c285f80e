/** The four contracts as one chaincode, so that one transaction can check a job, its escrow and its listing together. */

import { Contract } from './contract.ts';
import { EscrowTrigger } from './escrow-trigger.ts';
import { Marketplace } from './marketplace.ts';
import { Reputation } from './reputation.ts';

/** What a chaincode server and the embedded engine load. */
export const contracts = [Marketplace, Contract, Reputation, EscrowTrigger];
