/** Reads Fabric's blocks: what a peer delivers, as far as it concerns the contracts. */

import { createHash } from 'node:crypto';
import { doneKeyType } from '@assay/contracts';
import { common, ledger, msp, peer } from '@hyperledger/fabric-protos';
import { contractNames, limits, parseSha256, toHex, type TransactionRecord } from '@assay/core';
import { sha256Hex } from '../block.ts';
import { encode, integer, sequence, tags } from '../der.ts';
import { splitCompositeKey } from '../composite-key.ts';
import type { Member } from '../keys.ts';
import { certificateIn, scopedKey, storableNumber, storableText } from './storable.ts';

/** An envelope of a block. */
export interface DecodedTransaction {
  readonly record: Omit<TransactionRecord, 'code'>;
  /** Fabric's validation code. */
  readonly code: number;
  readonly member: Member | null;
  /** Whether it calls the contracts; others configure the channel or agree on contracts. */
  readonly isOurs: boolean;
}

export interface DecodedBlock {
  readonly number: number;
  /** SHA-256 over the DER of number, previous hash and data hash: what the next block names. */
  readonly hash: string;
  readonly previousHash: string;
  readonly dataHash: string;
  readonly transactions: readonly DecodedTransaction[];
}

/** Decodes a block and checks that its data hash to what its header says; undefined where they do not. */
export function decodeBlock(block: common.Block, chaincode: string): DecodedBlock | undefined {
  const header = block.getHeader();
  const data = block.getData()?.getDataList_asU8() ?? [];
  if (!header) return undefined;
  const dataHash = createHash('sha256');
  for (const envelope of data) dataHash.update(envelope);
  const hash = toHex(header.getDataHash_asU8());
  if (dataHash.digest('hex') !== hash) return undefined;
  const codes = block.getMetadata()?.getMetadataList_asU8()[common.BlockMetadataIndex.TRANSACTIONS_FILTER] ?? [];
  return {
    number: header.getNumber(),
    hash: headerHash(header),
    previousHash: toHex(header.getPreviousHash_asU8()),
    dataHash: hash,
    transactions: data.map((bytes, index) => decodeOrName(bytes, codes[index] ?? notValidated, chaincode)),
  };
}

const notValidated = 254;

function headerHash(header: common.BlockHeader): string {
  return createHash('sha256').update(headerBytes(header)).digest('hex');
}

/** The bytes that are hashed for the next block and signed by orderers. */
export function headerBytes(header: common.BlockHeader): Buffer {
  const number = Buffer.alloc(8);
  number.writeBigUInt64BE(BigInt(header.getNumber()));
  return sequence(
    integer(number),
    encode(tags.bytes, header.getPreviousHash_asU8()),
    encode(tags.bytes, header.getDataHash_asU8()),
  );
}

/** An envelope that nobody can read is in the block all the same, as one that does not count. */
function decodeOrName(bytes: Uint8Array, code: number, chaincode: string): DecodedTransaction {
  try {
    return decodeEnvelope(bytes, code, chaincode);
  } catch (error) {
    if (code === 0) throw error;
    const txId = createHash('sha256').update(bytes).digest('hex');
    const creator = { mspId: '', certificate: '' };
    const record = { txId, key: txId, creator, nonce: '', atMs: 0, ...nothing, contract: 'unreadable', fn: '' };
    return { record, code, member: null, isOurs: false };
  }
}

const nothing = { args: [], reads: [], ranges: [], writes: [], event: null, result: '' };

function decodeEnvelope(bytes: Uint8Array, code: number, chaincode: string): DecodedTransaction {
  const payload = common.Payload.deserializeBinary(common.Envelope.deserializeBinary(bytes).getPayload_asU8());
  const channelHeader = common.ChannelHeader.deserializeBinary(
    payload.getHeader()?.getChannelHeader_asU8() ?? new Uint8Array(0),
  );
  const signatureHeader = common.SignatureHeader.deserializeBinary(
    payload.getHeader()?.getSignatureHeader_asU8() ?? new Uint8Array(0),
  );
  const { creator, member } = creatorOf(signatureHeader.getCreator_asU8());
  const stamp = channelHeader.getTimestamp();
  const txId = parseSha256(channelHeader.getTxId()) ?? createHash('sha256').update(bytes).digest('hex');
  const stampMs = stamp ? stamp.getSeconds() * 1000 + stamp.getNanos() / 1_000_000 : 0;
  const base = {
    txId,
    key: txId,
    creator,
    nonce: toHex(signatureHeader.getNonce_asU8()),
    atMs: storableNumber(stampMs, limits.ledgerTimeMs),
  };
  if (channelHeader.getType() !== common.HeaderType.ENDORSER_TRANSACTION) {
    const record = { ...base, ...nothing, contract: 'channel', fn: 'configure' };
    return { record, code, member, isOurs: false };
  }
  const call = decodeCall(payload.getData_asU8(), channelHeader.getExtension_asU8());
  if (call.chaincode !== chaincode) {
    const record = { ...base, ...nothing, contract: call.chaincode, fn: call.args[0] ?? '' };
    return { record, code, member, isOurs: false };
  }
  const [target = '', ...args] = call.args;
  const effects = decodeEffects(call.action, chaincode);
  const record = { ...base, key: doneKeyOf(effects.writes) ?? txId, ...targetOf(target), args, ...effects };
  return { record, code, member, isOurs: true };
}

/** What a peer's dispatcher runs: without a contract's name the first one's function, and of names the first line. */
function targetOf(target: string): { contract: string; fn: string } {
  const [, contract = '', fn = ''] = /([^:]*)(?::|^)(.*)/.exec(target) ?? [];
  return { contract: contract.trim() === '' ? contractNames[0] : contract, fn };
}

/** Who signed; a member where its certificate can be stored under its hash. */
function creatorOf(bytes: Uint8Array): { creator: TransactionRecord['creator']; member: Member | null } {
  const identity = msp.SerializedIdentity.deserializeBinary(bytes);
  const mspId = storableText(identity.getMspid());
  const certificate = certificateIn(textOf(identity.getIdBytes_asU8()));
  if (certificate === null) return { creator: { mspId, certificate: '' }, member: null };
  const fingerprint = sha256Hex(certificate);
  return { creator: { mspId, certificate: fingerprint }, member: { mspId, certificate, fingerprint } };
}

interface DecodedCall {
  readonly chaincode: string;
  readonly args: readonly string[];
  readonly action: peer.ChaincodeAction;
}

/** Peers run the chaincode that the header names, whatever the proposal says besides. */
function decodeCall(data: Uint8Array, extension: Uint8Array): DecodedCall {
  const named = peer.ChaincodeHeaderExtension.deserializeBinary(extension).getChaincodeId()?.getName();
  const [first] = peer.Transaction.deserializeBinary(data).getActionsList();
  const payload = peer.ChaincodeActionPayload.deserializeBinary(first?.getPayload_asU8() ?? new Uint8Array(0));
  const proposal = peer.ChaincodeProposalPayload.deserializeBinary(payload.getChaincodeProposalPayload_asU8());
  const spec = peer.ChaincodeInvocationSpec.deserializeBinary(proposal.getInput_asU8()).getChaincodeSpec();
  const response = peer.ProposalResponsePayload.deserializeBinary(
    payload.getAction()?.getProposalResponsePayload_asU8() ?? new Uint8Array(0),
  );
  return {
    chaincode: named ?? '',
    args: (spec?.getInput()?.getArgsList_asU8() ?? []).map(textOf),
    action: peer.ChaincodeAction.deserializeBinary(response.getExtension_asU8()),
  };
}

type Effects = Pick<TransactionRecord, 'reads' | 'ranges' | 'writes' | 'event' | 'result'>;

function decodeEffects(action: peer.ChaincodeAction, chaincode: string): Effects {
  const sets = ledger.rwset.TxReadWriteSet.deserializeBinary(action.getResults_asU8()).getNsRwsetList();
  const own = sets.find((set) => set.getNamespace() === chaincode);
  const set = ledger.rwset.kvrwset.KVRWSet.deserializeBinary(own?.getRwset_asU8() ?? new Uint8Array(0));
  const event = peer.ChaincodeEvent.deserializeBinary(action.getEvents_asU8());
  return {
    reads: set.getReadsList().map(readOf),
    ranges: set.getRangeQueriesInfoList().map((range) => ({
      start: range.getStartKey(),
      end: range.getEndKey(),
      stoppedAt: range.getItrExhausted() ? null : range.getEndKey(),
      saw: (range.getRawReads()?.getKvReadsList() ?? []).map(readOf),
    })),
    writes: set
      .getWritesList()
      .map((write) => [write.getKey(), write.getIsDelete() ? null : textOf(write.getValue_asU8())] as const),
    event:
      event.getEventName() === '' ? null : { name: event.getEventName(), payload: textOf(event.getPayload_asU8()) },
    result: textOf(action.getResponse()?.getPayload_asU8() ?? new Uint8Array(0)),
  };
}

function readOf(read: ledger.rwset.kvrwset.KVRead): TransactionRecord['reads'][number] {
  const version = read.getVersion();
  const place = version && ([version.getBlockNum(), version.getTxNum()] as const);
  return [read.getKey(), place ? [storableNumber(place[0]), storableNumber(place[1])] : null];
}

/** The idempotency key that the contracts noted. */
function doneKeyOf(writes: TransactionRecord['writes']): string | undefined {
  for (const [key] of writes) {
    if (!key.startsWith('\0')) continue;
    const { objectType, attributes } = splitCompositeKey(key);
    // A key may hold what ends an attribute: all that follows the organisation is the key.
    const [mspId, ...noted] = attributes;
    if (objectType === doneKeyType && mspId !== undefined && noted.length > 0) {
      return scopedKey(mspId, noted.join('\0'));
    }
  }
  return undefined;
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString();
}
