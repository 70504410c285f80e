import { common } from '@hyperledger/fabric-protos';
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { noBlock } from '../block.ts';
import { ledgerKeyFromSeed } from '../keys.ts';
import type { HeadRow } from '../ledger-rows.ts';
import { decodeBlock } from './decode-block.ts';
import { mirrorBlock } from './mirror-block.ts';

const head: HeadRow = {
  nextBlock: 7n,
  nextFact: 1n,
  atMs: 5,
  hash: noBlock,
  peaks: [noBlock, noBlock, noBlock],
  nowMs: 0,
};
const key = ledgerKeyFromSeed(new Uint8Array(32));

/** An envelope of the contracts' chaincode that bears `txId` and nothing that could be run. */
function envelope(txId: string, type: number = common.HeaderType.MESSAGE): Uint8Array {
  const channel = new common.ChannelHeader();
  channel.setTxId(txId);
  channel.setType(type);
  const header = new common.Header();
  header.setChannelHeader(channel.serializeBinary());
  const payload = new common.Payload();
  payload.setHeader(header);
  const wrapped = new common.Envelope();
  wrapped.setPayload(payload.serializeBinary());
  return wrapped.serializeBinary();
}

function block(envelopes: readonly Uint8Array[], codes: readonly number[], dataHash?: Uint8Array): common.Block {
  const header = new common.BlockHeader();
  header.setNumber(7);
  header.setPreviousHash(new Uint8Array(32));
  header.setDataHash(dataHash ?? createHash('sha256').update(Buffer.concat(envelopes)).digest());
  const data = new common.BlockData();
  data.setDataList([...envelopes]);
  const metadata = new common.BlockMetadata();
  metadata.setMetadataList([new Uint8Array(0), new Uint8Array(0), Uint8Array.from(codes)]);
  const whole = new common.Block();
  whole.setHeader(header);
  whole.setData(data);
  whole.setMetadata(metadata);
  return whole;
}

test('what does not count keeps no name that another may need, however it is called', () => {
  const id = 'a'.repeat(64);
  const garbage = Uint8Array.from([0xff, 0xff, 0xff]);
  const decoded = decodeBlock(
    block([envelope(id), envelope(id), garbage, envelope('x'.repeat(9000))], [0, 9, 1, 8]),
    'assay',
  );
  const rows = mirrorBlock(head, decoded!, key);
  expect(rows.transactions.map(({ txId, key: name, code }) => [txId, name, code])).toEqual([
    [id, id, 0],
    ['invalid/7/1', 'invalid/7/1', 9],
    ['invalid/7/2', 'invalid/7/2', 1],
    ['invalid/7/3', 'invalid/7/3', 8],
  ]);
  expect([rows.header.txCount, rows.facts, rows.writes.size, rows.header.atMs]).toEqual([4, [], 0, 5]);
});

test('an envelope that counts and cannot be read stops the mirror', () => {
  expect(() => decodeBlock(block([Uint8Array.from([0xff, 0xff, 0xff])], [0]), 'assay')).toThrow(/./);
});

test('a block whose data were changed is none', () => {
  expect(decodeBlock(block([envelope('a')], [0], new Uint8Array(32)), 'assay')).toBeUndefined();
});

test('a header hashes as Fabric hashes it', () => {
  // Number, previous hash and data hash as one DER sequence, written out here by hand.
  const decoded = decodeBlock(block([], []), 'assay');
  const empty = createHash('sha256').digest('hex');
  const der = Buffer.from(`30470201070420${'00'.repeat(32)}0420${empty}`, 'hex');
  expect(decoded?.hash).toBe(createHash('sha256').update(der).digest('hex'));
});
