/** When a refusal is final, on peers that are made here. */

import { status, type ServiceError } from '@grpc/grpc-js';
import { GatewayError, type Network, type Transaction } from '@hyperledger/fabric-gateway';
import { common } from '@hyperledger/fabric-protos';
import { parseSha256 } from '@assay/core';
import { expect, test } from 'vitest';
import type { Peers } from './peers.ts';
import type { Landing, Projection } from './projection.ts';
import { submitToFabric, type SubmitDeps } from './submit.ts';
import type { FabricMember } from './wallet.ts';

const member = { mspId: 'PlatformMSP', fingerprint: 'f'.repeat(64) } as FabricMember;
const submission = { contract: 'Contract', fn: 'verifyWork', args: ['x'], idempotencyKey: 'k' } as const;
const txId = parseSha256('a'.repeat(64))!;
const landing: Landing = { txId, block: 10n, code: 0, result: 'done' };

function refusalBy(mspId: string): GatewayError {
  const message = 'chaincode response 500, job.not_found: no such contract is listed';
  const details = [{ address: 'peer:1', mspId, message }];
  return new GatewayError({ code: status.ABORTED, details, cause: new Error('c') as ServiceError, message: 'failed' });
}

interface World {
  /** How many blocks an organisation's peer has; absent where it is away. */
  readonly heights: Record<string, number>;
  /** Who refuses, undefined where all endorse. */
  readonly refuser: () => string | undefined;
  readonly newest?: bigint;
  readonly stored?: bigint;
  readonly transaction?: Transaction;
  readonly peers?: Partial<Peers>;
}

function depsOf({ heights, refuser, newest = 3n, stored = 3n, transaction, peers }: World) {
  const asked: string[] = [];
  const accepted = { getTransactionId: () => txId, submit: async () => undefined } as unknown as Transaction;
  const endorse = async (): Promise<Transaction> => {
    const who = refuser();
    if (who !== undefined) throw refusalBy(who);
    return transaction ?? accepted;
  };
  const evaluate = async (_: string, { endorsingOrganizations: [who = ''] }: { endorsingOrganizations: string[] }) => {
    asked.push(who);
    const height = heights[who];
    if (height === undefined) throw new Error('away');
    const info = new common.BlockchainInfo();
    info.setHeight(height);
    return info.serializeBinary();
  };
  const network = { getName: () => 'channel', getContract: () => ({ newProposal: () => ({ endorse }), evaluate }) };
  const projection: Partial<Projection> = {
    newest,
    heardAtMs: 0,
    contradiction: undefined,
    landing: () => ({ landed: Promise.resolve(landing), forget: () => true }),
  };
  const deps: SubmitDeps = {
    committed: async (keys) => keys.map(() => undefined),
    peers: { turn: 0, network: () => network as unknown as Network, failOver: () => undefined, ...peers } as Peers,
    projection: projection as Projection,
    newest: async () => stored,
    chaincode: 'assay',
    organizations: ['PlatformMSP', 'WorkerMSP', 'ThirdMSP'],
  };
  return { deps, asked };
}

test('a refusal of a peer that lacks blocks of another server is not final', async () => {
  const heights = { PlatformMSP: 5 };
  const { deps } = depsOf({
    heights,
    stored: 9n,
    // It grows by a block each time it is asked; with block 9 it sees what it lacked.
    refuser: () => ((heights.PlatformMSP += 1) > 9 ? undefined : 'PlatformMSP'),
  });
  const growing = setInterval(() => (heights.PlatformMSP += 1), 20);
  expect((await submitToFabric(deps, submission, member)).kind).toBe('committed');
  clearInterval(growing);
});

test('a refusal counts although somebody who said nothing is away', async () => {
  const { deps, asked } = depsOf({ heights: { PlatformMSP: 4, WorkerMSP: 4 }, refuser: () => 'PlatformMSP' });
  expect(await submitToFabric(deps, submission, member)).toMatchObject({ kind: 'refused', code: 'job.not_found' });
  expect(asked).toEqual(['PlatformMSP']);
});

test('whoever refuses is asked, also when it is another one than before', async () => {
  const heights: Record<string, number> = { PlatformMSP: 4, WorkerMSP: 2 };
  const { deps, asked } = depsOf({
    heights,
    refuser: () => (asked.length === 0 ? 'PlatformMSP' : (heights['WorkerMSP'] ?? 0) < 4 ? 'WorkerMSP' : undefined),
  });
  const growing = setInterval(() => (heights['WorkerMSP'] = (heights['WorkerMSP'] ?? 0) + 1), 20);
  expect((await submitToFabric(deps, submission, member)).kind).toBe('committed');
  clearInterval(growing);
  expect(new Set(asked)).toEqual(new Set(['PlatformMSP', 'WorkerMSP']));
});

test('what one peer does not pass on goes through the next', async () => {
  const bytes = Uint8Array.from([1, 2, 3]);
  const { promise: landed, resolve } = Promise.withResolvers<Landing>();
  const away = new GatewayError({
    code: status.UNAVAILABLE,
    details: [],
    cause: new Error('c') as ServiceError,
    message: 'away',
  });
  const transaction = {
    getTransactionId: () => txId,
    getBytes: () => bytes,
    submit: () => Promise.reject(away),
  } as unknown as Transaction;
  const sent: Uint8Array[] = [];
  let failedOver = false;
  const { deps } = depsOf({
    heights: {},
    refuser: () => undefined,
    transaction,
    peers: {
      failOver: () => (failedOver = true),
      transaction: (_, again) =>
        ({ submit: async () => (sent.push(again), resolve(landing)) }) as unknown as Transaction,
    },
  });
  const waiting = { ...deps.projection, landing: () => ({ landed, forget: () => true }) } as Projection;
  expect((await submitToFabric({ ...deps, projection: waiting }, submission, member)).kind).toBe('committed');
  expect([sent, failedOver]).toEqual([[bytes], true]);
});
