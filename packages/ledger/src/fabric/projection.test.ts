import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import type { Network } from '@hyperledger/fabric-gateway';
import type { Database } from '@assay/store';
import { expect, test } from 'vitest';
import type { LedgerKey } from '../keys.ts';
import { startProjection } from './projection.ts';
import type { FabricMember } from './wallet.ts';

/** A stream of blocks as the gateway's client hands it out: cancelling it is an error, which only a reader hears. */
function cancellable() {
  const stream = new Readable({ objectMode: true, read: () => undefined });
  return {
    stream,
    events: {
      [Symbol.asyncIterator]: () => stream[Symbol.asyncIterator](),
      close: () => stream.destroy(new Error('1 CANCELLED: Cancelled on client')),
    },
  };
}

test('a projection that is closed while its peer answers ends quietly', async () => {
  const { stream, events } = cancellable();
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<typeof events>();
  const problems: unknown[] = [];
  const getBlockEvents = () => {
    asked.resolve();
    return answer.promise;
  };
  const projection = startProjection({
    db: { query: async () => [{ next_block: '0' }] } as unknown as Database,
    key: {} as LedgerKey,
    channel: 'channel',
    chaincode: 'chaincode',
    peers: {
      network: () => ({ getBlockEvents }) as unknown as Network,
      turn: 0,
      isOwn: true,
      failOver: () => undefined,
      goHome: async () => true,
      transaction: () => {
        throw new Error('nothing is sent here');
      },
      close: () => undefined,
    },
    reader: {} as FabricMember,
    onProblem: (error) => problems.push(error),
  });
  await asked.promise;
  const closed = projection.close();
  answer.resolve(events);
  await closed;
  await setImmediate();
  expect(stream.destroyed).toBe(true);
  expect(problems).toEqual([]);
});
