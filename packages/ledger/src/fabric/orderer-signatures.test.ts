import { createHash } from 'node:crypto';
import type { common } from '@hyperledger/fabric-protos';
import { expect, test } from 'vitest';
import { authorityOf, blockOf, envelopeOf, genesisOf, memberUnder, signedBy } from './blocks.setup.ts';
import { ordererSignatures } from './orderer-signatures.ts';

const orderers = authorityOf('OrdererMSP');
const workers = authorityOf('WorkerMSP');
const genesis = genesisOf({ endorse: [authorityOf('PlatformMSP'), workers], order: [orderers] });
const isSigned = ordererSignatures(genesis);
const orderer = memberUnder(orderers, 'orderer');

const fresh = (): common.Block => blockOf(5, createHash('sha256').digest(), [envelopeOf({ txId: 'a'.repeat(64) })]);

test('a block that an orderer signed is signed', () => {
  expect(isSigned(signedBy(fresh(), 'OrdererMSP', orderer))).toBe(true);
});

test.each([
  ['that a member’s own authority made', 'WorkerMSP', memberUnder(workers, 'orderer')],
  ['that a member’s own authority made in another’s name', 'OrdererMSP', memberUnder(workers, 'orderer')],
  ['that is a client', 'OrdererMSP', memberUnder(orderers, 'client')],
  ['whose certificate is none', 'OrdererMSP', { ...orderer, certificate: 'garbage' }],
  [
    'whose certificate is another’s',
    'OrdererMSP',
    { ...orderer, certificate: memberUnder(orderers, 'orderer').certificate },
  ],
])('a block by an orderer %s is not', (_, mspId, signer) => {
  expect(isSigned(signedBy(fresh(), mspId, signer))).toBe(false);
});

test('a block that was changed, or whose signatures cannot be read, is not', () => {
  const changed = signedBy(fresh(), 'OrdererMSP', orderer);
  changed.getHeader()?.setNumber(6);
  expect(isSigned(changed)).toBe(false);
  const garbled = fresh();
  garbled.getMetadata()?.setMetadataList([Uint8Array.from([0xff, 0xff])]);
  expect(isSigned(garbled)).toBe(false);
  const none = fresh();
  none.clearMetadata();
  expect(isSigned(none)).toBe(false);
});
