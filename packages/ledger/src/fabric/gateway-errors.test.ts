import { status, type ServiceError } from '@grpc/grpc-js';
import { CommitError, GatewayError } from '@hyperledger/fabric-gateway';
import { expect, test } from 'vitest';
import { problemOfGateway } from './gateway-errors.ts';

function failure(code: number, ...messages: readonly string[]): GatewayError {
  const details = messages.map((message) => ({ address: 'peer:1', mspId: 'PlatformMSP', message }));
  return new GatewayError({ code, details, cause: new Error('cause') as ServiceError, message: 'failed' });
}

test.each([
  [
    failure(status.ABORTED, 'chaincode response 500, job.not_found: no such contract is listed'),
    { kind: 'refused', code: 'job.not_found', message: 'no such contract is listed', by: ['PlatformMSP'] },
  ],
  [
    failure(status.ABORTED, "chaincode response 500, You've asked to invoke a function that does not exist: x"),
    { kind: 'refused', code: 'ledger.unknown_function' },
  ],
  [failure(status.ABORTED, 'ProposalResponsePayloads do not match'), { kind: 'passing', isPeerAway: false }],
  [failure(status.UNAVAILABLE, 'no Raft leader'), { kind: 'passing', isPeerAway: true }],
  [failure(status.FAILED_PRECONDITION, 'no combination of peers can be derived'), { kind: 'passing' }],
  [failure(status.FAILED_PRECONDITION, 'access denied: channel [x] creator org unknown'), { kind: 'failed' }],
  [failure(status.INVALID_ARGUMENT, 'malformed'), { kind: 'failed' }],
  [new CommitError({ code: 11, transactionId: 'x', message: 'conflict' }), { kind: 'passing', message: 'conflict' }],
  [new CommitError({ code: 10, transactionId: 'x', message: 'endorsements' }), { kind: 'failed' }],
  [new Error('a bug'), { kind: 'failed', message: 'Error: a bug' }],
])('%s', (error, expected) => {
  expect(problemOfGateway(error)).toMatchObject(expected);
});
