/** What the four contracts have in common: every call passes the table of functions first. */

import { Refusal, limits, refuse, type ContractName } from '@assay/core';
import { Contract } from 'fabric-contract-api';
import { Call, newestVersion, type ContractVersion } from './call.ts';
import { doneKeyType, keyOf, readRecord, writeRecord } from './records.ts';
import { contractFunctions, hasRole } from './roles.ts';

/**
 * A contract whose functions are known by name, role and size before they run. Only the own methods of a subclass are
 * functions of the ledger; they return JSON strings, never objects, whose conversion by `fabric-contract-api` 2.5.8
 * fails with the `class-transformer` that npm gives it.
 */
export abstract class LedgerContract extends Contract {
  readonly version: ContractVersion;

  constructor(name: ContractName, version = newestVersion) {
    super(name);
    this.version = version;
  }

  override createContext(): Call {
    return new Call(this.version);
  }

  override async aroundTransaction(ctx: Call, fn: unknown, parameters: unknown): Promise<void> {
    const name = String(fn);
    const args = parameters as readonly string[];
    const row = contractFunctions[this.getName() as ContractName][name];
    if (row === undefined || (row.since ?? 1) > this.version)
      throw coded(refuse('ledger.unknown_function', `${this.getName()}:${name} is not in the table`));
    // Fabric counts the arguments too, but not those of a function that takes none.
    if (args.length !== row.args.length) {
      throw coded(refuse('ledger.unknown_function', `${this.getName()}:${name} takes ${row.args.length} arguments`));
    }
    if (!row.roles.some((role) => hasRole(ctx, role))) {
      throw coded(refuse('auth.forbidden', `${this.getName()}:${name} needs the role ${row.roles.join(' or ')}`));
    }
    if (args.some((arg) => arg.length > limits.ledgerArgChars)) {
      throw coded(refuse('request.too_large', `an argument is longer than ${limits.ledgerArgChars} characters`));
    }
    try {
      if (row.kind === 'submit') await noteKey(ctx);
      return await super.aroundTransaction(ctx, fn as typeof Function, args);
    } catch (error) {
      throw error instanceof Refusal ? coded(error) : error;
    }
  }
}

/** The transient field that carries a proposal's idempotency key. */
export const transientKey = 'assay.key';

/**
 * Where many clients propose, the ledger itself must see that a key commits once: of two proposals with one key the
 * second conflicts with the first, and later ones are refused with the transaction that was there before. The embedded
 * engine orders all proposals itself, keeps the keys beside the state and sends none.
 */
async function noteKey(ctx: Call): Promise<void> {
  const bytes = ctx.stub.getTransient().get(transientKey);
  if (bytes === undefined) return;
  const key = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  if (key.length === 0 || key.length > limits.ledgerKeyChars) {
    throw refuse('request.malformed', `an idempotency key has 1 to ${limits.ledgerKeyChars} characters`);
  }
  // Fabric's shim takes these in a part of a composite key, where they end it.
  if (key.includes('\0') || key.includes('\u{10ffff}')) {
    throw refuse('request.malformed', 'an idempotency key holds neither U+0000 nor U+10FFFF');
  }
  const place = keyOf(ctx, doneKeyType, ctx.clientIdentity.getMSPID(), key);
  const before = await readRecord<{ txId: string }>(ctx, place);
  if (before !== undefined) throw refuse('idempotency.key_reused', before.txId);
  await writeRecord(ctx, place, { txId: ctx.stub.getTxID() });
}

/** Only the message of an error passes through Fabric, so the code leads it: `job.wrong_state: a …`. */
function coded(refusal: Refusal): Error {
  return new Error(`${refusal.code}: ${refusal.message}`);
}
