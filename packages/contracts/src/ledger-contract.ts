/** What the four contracts have in common: every call passes the table of functions first. */

import { Refusal, limits, refuse, type ContractName } from '@assay/core';
import { Contract, type Context } from 'fabric-contract-api';
import { contractFunctions, hasRole } from './roles.ts';

/**
 * A contract whose functions are known by name, role and size before they run. Only the own methods of a subclass are
 * functions of the ledger; they return JSON strings, never objects, whose conversion by `fabric-contract-api` 2.5.8
 * fails with the `class-transformer` that npm gives it.
 */
export abstract class LedgerContract extends Contract {
  override async aroundTransaction(ctx: Context, fn: unknown, parameters: unknown): Promise<void> {
    const name = String(fn);
    const args = parameters as readonly string[];
    const row = contractFunctions[this.getName() as ContractName][name];
    if (row === undefined)
      throw coded(refuse('ledger.unknown_function', `${this.getName()}:${name} is not in the table`));
    if (!row.roles.some((role) => hasRole(ctx, role))) {
      throw coded(refuse('auth.forbidden', `${this.getName()}:${name} needs the role ${row.roles.join(' or ')}`));
    }
    if (args.some((arg) => arg.length > limits.ledgerArgChars)) {
      throw coded(refuse('request.too_large', `an argument is longer than ${limits.ledgerArgChars} characters`));
    }
    try {
      return await super.aroundTransaction(ctx, fn as typeof Function, args);
    } catch (error) {
      throw error instanceof Refusal ? coded(error) : error;
    }
  }
}

/** Only the message of an error passes through Fabric, so the code leads it: `job.wrong_state: a …`. */
function coded(refusal: Refusal): Error {
  return new Error(`${refusal.code}: ${refusal.message}`);
}
