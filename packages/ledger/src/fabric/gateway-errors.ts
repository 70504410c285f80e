/** What an error of Fabric's gateway means for a submission. */

import { status } from '@grpc/grpc-js';
import { CommitError, GatewayError, StatusCode } from '@hyperledger/fabric-gateway';
import type { ErrorCode } from '@assay/core';
import { refusalOf } from '../endorse.ts';

/** `refused`: the contracts said no. `passing`: it may work when tried again. `failed`: it will not, but not by the contracts. */
export type GatewayProblem =
  | {
      readonly kind: 'refused';
      readonly code: ErrorCode;
      readonly message: string;
      /** The organisations whose peers said so; none where that is not known. */
      readonly by: readonly string[];
    }
  | { readonly kind: 'passing'; readonly message: string; readonly isPeerAway: boolean }
  | { readonly kind: 'failed'; readonly message: string };

/** Cancelled, deadline, resource exhausted, failed precondition, aborted, internal, unavailable. */
const passing: ReadonlySet<number> = new Set([
  status.CANCELLED,
  status.UNKNOWN,
  status.DEADLINE_EXCEEDED,
  status.RESOURCE_EXHAUSTED,
  status.FAILED_PRECONDITION,
  status.ABORTED,
  status.INTERNAL,
  status.UNAVAILABLE,
]);

const peerAway: ReadonlySet<number> = new Set([status.UNAVAILABLE, status.DEADLINE_EXCEEDED]);

/** Who is no member of a channel does not become one by waiting. */
const denied = /access denied|policy evaluation failed|creator .*(?:invalid|expired)|identity expired/i;

const chaincodeSaid = /chaincode response \d+, (.*)/s;

/** Read versions or ranges that changed before the block. */
const conflicts: ReadonlySet<number> = new Set([StatusCode.MVCC_READ_CONFLICT, StatusCode.PHANTOM_READ_CONFLICT]);

export function problemOfGateway(error: unknown): GatewayProblem {
  if (error instanceof CommitError && conflicts.has(error.code)) {
    return { kind: 'passing', message: error.message, isPeerAway: false };
  }
  if (!(error instanceof GatewayError)) return { kind: 'failed', message: String(error) };
  const said = [...error.details.map(({ message }) => message), error.message];
  for (const text of said) {
    const words = chaincodeSaid.exec(text)?.[1];
    if (words === undefined) continue;
    const by = error.details.flatMap(({ mspId, message }) => (chaincodeSaid.test(message) ? [mspId] : []));
    return { kind: 'refused', ...refusalOf(words), by: [...new Set(by)] };
  }
  const message = said.join('; ');
  if (!passing.has(error.code) || denied.test(message)) return { kind: 'failed', message };
  return { kind: 'passing', message, isPeerAway: peerAway.has(error.code) };
}
