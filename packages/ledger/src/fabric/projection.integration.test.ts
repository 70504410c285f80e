/** What the projection believes of peers that lie, on blocks made here. */

import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Network } from '@hyperledger/fabric-gateway';
import type { common } from '@hyperledger/fabric-protos';
import { Fault } from '@assay/core';
import type { Database } from '@assay/store';
import { testDatabase, type TestDatabase } from '@assay/store/testing';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ledgerKeyFromSeed } from '../keys.ts';
import { authorityOf, blockAfter, envelopeOf, genesisOf, memberUnder, signedBy } from './blocks.setup.ts';
import { startProjection, type Projection } from './projection.ts';
import { openTurns } from './turns.ts';
import type { FabricMember } from './wallet.ts';

const orderers = authorityOf('OrdererMSP');
const workers = authorityOf('WorkerMSP');
const orderer = memberUnder(orderers, 'orderer');
const genesis = genesisOf({ endorse: [authorityOf('PlatformMSP'), workers], order: [orderers] });

/** A signed block of one transaction; its code stands outside of everything that is signed. */
function next(previous: common.Block, code = 0, signer = orderer, mspId = 'OrdererMSP'): common.Block {
  const number = previous.getHeader()?.getNumber() ?? 0;
  const writes = [[`key ${number}`, 'value']] as const;
  const envelope = envelopeOf({ txId: String(number).repeat(64), writes });
  return signedBy(blockAfter(previous, [envelope], [code]), mspId, signer);
}

/** A peer that delivers what it has and what is added; one that is away refuses. */
function fakePeer(blocks: readonly common.Block[], isAway = false) {
  const streams = new Set<Readable>();
  const peer = {
    blocks: [...blocks],
    isAway,
    add(block: common.Block) {
      peer.blocks.push(block);
      for (const stream of streams) stream.push(block);
    },
    leave() {
      peer.isAway = true;
      for (const stream of streams) stream.destroy(new Error('away'));
    },
    async getBlockEvents({ startBlock }: { startBlock: bigint }) {
      if (peer.isAway) throw new Error('away');
      const stream = new Readable({ objectMode: true, read: () => undefined });
      for (const block of peer.blocks.slice(Number(startBlock))) stream.push(block);
      streams.add(stream);
      const close = () => {
        streams.delete(stream);
        stream.destroy(new Error('cancelled'));
      };
      return { [Symbol.asyncIterator]: () => stream[Symbol.asyncIterator](), close };
    },
  };
  return peer;
}

let database: TestDatabase;
let projection: Projection | undefined;
beforeEach(async () => {
  database = await testDatabase();
});
afterEach(async () => {
  await projection?.close();
  await database.drop();
});

/** Follows the own peer and another organisation's. */
function follow(own: ReturnType<typeof fakePeer>, foreign: ReturnType<typeof fakePeer>, db: Database = database.db) {
  const turns = openTurns([true, false]);
  const at = [own, foreign];
  const problems: unknown[] = [];
  const peers = Object.defineProperties(
    {
      network: () => at[turns.index] as unknown as Network,
      failOver: turns.failOver,
      goHome: (_: FabricMember, height: bigint) =>
        turns.goHome(async (index) => at[index]?.isAway === false && BigInt(at[index].blocks.length) >= height),
      transaction: () => {
        throw new Error('nothing is sent here');
      },
      close: () => undefined,
      turn: 0,
      isOwn: true,
    },
    { turn: { get: () => turns.turn }, isOwn: { get: () => turns.isOwn } },
  );
  projection = startProjection({
    db,
    key: ledgerKeyFromSeed(new Uint8Array(32)),
    channel: 'public-marketplace',
    chaincode: 'assay',
    peers,
    reader: {} as FabricMember,
    onProblem: (error) => problems.push(error),
  });
  return { turns, problems, projection };
}

const stored = async (): Promise<(readonly [block: bigint, code: number])[]> => {
  const rows = await database.db.query<{ block: bigint; code: number }>(
    'SELECT block, code FROM ledger_tx ORDER BY block, tx_index',
  );
  return rows.map(({ block, code }) => [block, code] as const);
};

const patiently = { timeout: 10_000, interval: 20 };

test('a block that a member’s own orderer signed is not believed', async () => {
  const first = next(genesis);
  const forged = next(first, 0, memberUnder(workers, 'orderer'), 'WorkerMSP');
  const peer = fakePeer([genesis, first, forged]);
  const followed = follow(peer, fakePeer([], true));
  await vi.waitFor(() => expect(followed.projection.contradiction?.code).toBe('ledger.tampered'), patiently);
  expect(followed.projection.contradiction?.message).toMatch(/no orderer of the channel signed block 2/);
  expect(await stored()).toEqual([
    [0n, 0],
    [1n, 0],
  ]);
});

test('the first block is taken at home alone', async () => {
  const { problems } = follow(fakePeer([], true), fakePeer([genesis, next(genesis)]));
  await vi.waitFor(() => expect(String(problems)).toMatch(/block 0 is taken from a peer of the own/), patiently);
  expect(await stored()).toEqual([]);
});

test('another organisation’s peer stands in until the own one is back', async () => {
  const [one, two] = [next(genesis), next(next(genesis))];
  const three = next(two);
  const own = fakePeer([genesis, one]);
  const foreign = fakePeer([genesis, one, two]);
  const { turns, projection: running } = follow(own, foreign);
  await vi.waitFor(() => expect(running.newest).toBe(1n), patiently);
  own.leave();
  await vi.waitFor(() => expect(running.newest).toBe(2n), patiently);
  expect(turns.isOwn).toBe(false);
  Object.assign(own, { isAway: false });
  own.add(two);
  await vi.waitFor(() => expect(turns.isOwn).toBe(true), patiently);
  own.add(three);
  await vi.waitFor(() => expect(running.newest).toBe(3n), patiently);
  expect(running.contradiction).toBeUndefined();
});

test('what a stand-in said wrongly shows when the own peer is back, and nobody else is believed then', async () => {
  const [one, two] = [next(genesis), next(next(genesis), 10)];
  const lie = next(one, 0);
  const three = next(two);
  const own = fakePeer([genesis, one]);
  const foreign = fakePeer([genesis, one, lie, three]);
  const { turns, projection: running } = follow(own, foreign);
  await vi.waitFor(() => expect(running.newest).toBe(1n), patiently);
  own.leave();
  await vi.waitFor(() => expect(running.newest).toBe(3n), patiently);
  Object.assign(own, { isAway: false });
  own.add(two);
  own.add(three);
  await vi.waitFor(() => expect(running.contradiction?.message).toMatch(/of block 2 that they count/), patiently);
  // The liar goes on, the own peer is away once more: still nothing of it counts.
  own.leave();
  foreign.add(next(three));
  turns.failOver(turns.turn);
  await sleep(1_500);
  expect([running.newest, running.contradiction?.code]).toEqual([3n, 'ledger.tampered']);
});

test('a database that fails is no peer’s fault', async () => {
  const one = next(genesis);
  let failures = 2;
  const failing = {
    ...database.db,
    query: database.db.query.bind(database.db),
    transaction: async (run: Parameters<Database['transaction']>[0]) => {
      failures -= 1;
      if (failures >= 0) throw new Fault('store.unavailable', 'away', { retry: true });
      return database.db.transaction(run);
    },
  } as Database;
  const { turns, problems, projection: running } = follow(fakePeer([genesis, one]), fakePeer([genesis, one]), failing);
  await vi.waitFor(() => expect(running.newest).toBe(1n), patiently);
  expect(turns.turn).toBe(0);
  expect(problems).toMatchObject([{ code: 'store.unavailable' }, { code: 'store.unavailable' }]);
});

test('a projection ends while a peer keeps the first block to itself', async () => {
  const own = fakePeer([genesis, next(genesis)]);
  const { projection: first } = follow(own, fakePeer([], true));
  await vi.waitFor(() => expect(first.newest).toBe(1n), patiently);
  await first.close();
  const { projection: second } = follow(fakePeer([]), fakePeer([], true));
  await sleep(300);
  await second.close();
  expect(await stored()).toHaveLength(2);
});
