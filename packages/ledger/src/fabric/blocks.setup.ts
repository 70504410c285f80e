/** Blocks as a network's members and orderers make them, for tests without a network. */

import { createHash, createPrivateKey, sign } from 'node:crypto';
import { common, ledger, msp, peer } from '@hyperledger/fabric-protos';
import { enrol, newAuthority, type Authority, type KeyAndCertificate } from './authority.ts';
import { headerBytes } from './decode-block.ts';

const nowMs = Date.now();
const validity = { fromMs: nowMs - 3_600_000, toMs: nowMs + 24 * 3_600_000 };

export const authorityOf = (mspId: string): Authority => newAuthority(mspId, `ca.${mspId}`, validity);

export const memberUnder = (authority: Authority, unit: 'client' | 'orderer'): KeyAndCertificate =>
  enrol(authority, { commonName: 'member', unit, validity });

/** What a member sends to be ordered; everything else is plain. */
export interface EnvelopeParts {
  readonly txId: string;
  readonly creator?: string | Uint8Array;
  readonly mspId?: string;
  readonly chaincode?: string;
  /** What the proposal itself calls the chaincode. */
  readonly specChaincode?: string;
  readonly args?: readonly string[];
  readonly writes?: readonly (readonly [key: string, value: string])[];
  /** The block that a range query claims to have seen. */
  readonly sawBlock?: number;
  readonly seconds?: number;
  /** The event's name and payload. */
  readonly event?: readonly [name: string, payload: string];
}

function resultsOf({ writes = [], sawBlock }: EnvelopeParts): Uint8Array {
  const set = new ledger.rwset.kvrwset.KVRWSet();
  for (const [key, value] of writes) {
    const write = new ledger.rwset.kvrwset.KVWrite();
    write.setKey(key);
    write.setValue(Buffer.from(value));
    set.addWrites(write);
  }
  if (sawBlock !== undefined) {
    const version = new ledger.rwset.kvrwset.Version();
    version.setBlockNum(sawBlock);
    const read = new ledger.rwset.kvrwset.KVRead();
    read.setKey('seen');
    read.setVersion(version);
    const reads = new ledger.rwset.kvrwset.QueryReads();
    reads.addKvReads(read);
    const range = new ledger.rwset.kvrwset.RangeQueryInfo();
    range.setRawReads(reads);
    set.addRangeQueriesInfo(range);
  }
  const space = new ledger.rwset.NsReadWriteSet();
  space.setNamespace('assay');
  space.setRwset(set.serializeBinary());
  const results = new ledger.rwset.TxReadWriteSet();
  results.addNsRwset(space);
  return results.serializeBinary();
}

function transactionOf(parts: EnvelopeParts): Uint8Array {
  const action = new peer.ChaincodeAction();
  action.setResults(resultsOf(parts));
  if (parts.event) {
    const event = new peer.ChaincodeEvent();
    event.setEventName(parts.event[0]);
    event.setPayload(Buffer.from(parts.event[1]));
    action.setEvents(event.serializeBinary());
  }
  const response = new peer.ProposalResponsePayload();
  response.setExtension$(action.serializeBinary());
  const endorsed = new peer.ChaincodeEndorsedAction();
  endorsed.setProposalResponsePayload(response.serializeBinary());
  const input = new peer.ChaincodeInput();
  input.setArgsList((parts.args ?? ['EscrowTrigger:voteOnChallengeWindow']).map((arg) => Buffer.from(arg)));
  const spec = new peer.ChaincodeSpec();
  spec.setChaincodeId(chaincodeId(parts.specChaincode ?? parts.chaincode));
  spec.setInput(input);
  const invocation = new peer.ChaincodeInvocationSpec();
  invocation.setChaincodeSpec(spec);
  const proposal = new peer.ChaincodeProposalPayload();
  proposal.setInput(invocation.serializeBinary());
  const payload = new peer.ChaincodeActionPayload();
  payload.setAction(endorsed);
  payload.setChaincodeProposalPayload(proposal.serializeBinary());
  const one = new peer.TransactionAction();
  one.setPayload(payload.serializeBinary());
  const transaction = new peer.Transaction();
  transaction.setActionsList([one]);
  return transaction.serializeBinary();
}

function chaincodeId(name = 'assay'): peer.ChaincodeID {
  const id = new peer.ChaincodeID();
  id.setName(name);
  return id;
}

function identityOf(mspId: string, bytes: string | Uint8Array): Uint8Array {
  const identity = new msp.SerializedIdentity();
  identity.setMspid(mspId);
  identity.setIdBytes(Buffer.from(bytes));
  return identity.serializeBinary();
}

function wrapped(channel: common.ChannelHeader, signer: common.SignatureHeader, data: Uint8Array): Uint8Array {
  const header = new common.Header();
  header.setChannelHeader(channel.serializeBinary());
  header.setSignatureHeader(signer.serializeBinary());
  const payload = new common.Payload();
  payload.setHeader(header);
  payload.setData(data);
  const envelope = new common.Envelope();
  envelope.setPayload(payload.serializeBinary());
  return envelope.serializeBinary();
}

/** A transaction that calls a chaincode. */
export function envelopeOf(parts: EnvelopeParts): Uint8Array {
  const extension = new peer.ChaincodeHeaderExtension();
  extension.setChaincodeId(chaincodeId(parts.chaincode));
  // Begins with an empty time stamp, its field 3.
  const channel = common.ChannelHeader.deserializeBinary(Uint8Array.from([0x1a, 0]));
  channel.getTimestamp()?.setSeconds(parts.seconds ?? Math.floor(nowMs / 1000));
  channel.setTxId(parts.txId);
  channel.setType(common.HeaderType.ENDORSER_TRANSACTION);
  channel.setExtension$(extension.serializeBinary());
  const signer = new common.SignatureHeader();
  signer.setCreator(identityOf(parts.mspId ?? 'WorkerMSP', parts.creator ?? ''));
  return wrapped(channel, signer, transactionOf(parts));
}

function groupOf({ organization, certificate }: Pick<Authority, 'organization' | 'certificate'>): common.ConfigGroup {
  const fabric = new msp.FabricMSPConfig();
  fabric.setName(organization);
  fabric.setRootCertsList([Buffer.from(certificate)]);
  const config = new msp.MSPConfig();
  config.setConfig(fabric.serializeBinary());
  const value = new common.ConfigValue();
  value.setValue(config.serializeBinary());
  const group = new common.ConfigGroup();
  group.getValuesMap().set('MSP', value);
  return group;
}

export interface Organizations {
  readonly endorse: readonly Pick<Authority, 'organization' | 'certificate'>[];
  readonly order: readonly Pick<Authority, 'organization' | 'certificate'>[];
}

/** The first block of a channel of these organisations. */
export function genesisOf({ endorse, order }: Organizations): common.Block {
  const channel = new common.ConfigGroup();
  for (const [part, members] of [['Application', endorse] as const, ['Orderer', order] as const]) {
    const group = new common.ConfigGroup();
    for (const one of members) group.getGroupsMap().set(one.organization, groupOf(one));
    channel.getGroupsMap().set(part, group);
  }
  const config = new common.Config();
  config.setChannelGroup(channel);
  const envelope = new common.ConfigEnvelope();
  envelope.setConfig(config);
  const header = new common.ChannelHeader();
  header.setType(common.HeaderType.CONFIG);
  return blockOf(0, new Uint8Array(32), [wrapped(header, new common.SignatureHeader(), envelope.serializeBinary())]);
}

/** A block of `envelopes`, all valid unless `codes` say otherwise. */
export function blockOf(
  number: number,
  previous: Uint8Array,
  envelopes: readonly Uint8Array[],
  codes: readonly number[] = envelopes.map(() => 0),
): common.Block {
  const header = new common.BlockHeader();
  header.setNumber(number);
  header.setPreviousHash(previous);
  header.setDataHash(createHash('sha256').update(Buffer.concat(envelopes)).digest());
  const data = new common.BlockData();
  data.setDataList([...envelopes]);
  const metadata = new common.BlockMetadata();
  metadata.setMetadataList([new Uint8Array(0), new Uint8Array(0), Uint8Array.from(codes)]);
  const block = new common.Block();
  block.setHeader(header);
  block.setData(data);
  block.setMetadata(metadata);
  return block;
}

const headerBytesOf = (block: common.Block): Buffer => headerBytes(block.getHeader() ?? new common.BlockHeader());

/** The block that follows on `previous`. */
export function blockAfter(previous: common.Block, envelopes: readonly Uint8Array[], codes?: readonly number[]) {
  const hash = createHash('sha256').update(headerBytesOf(previous)).digest();
  return blockOf((previous.getHeader()?.getNumber() ?? 0) + 1, hash, envelopes, codes);
}

/** The block with the signature of somebody who calls themselves an orderer. */
export function signedBy(block: common.Block, mspId: string, { key, certificate }: KeyAndCertificate): common.Block {
  const signer = new common.SignatureHeader();
  signer.setCreator(identityOf(mspId, certificate));
  const signature = new common.MetadataSignature();
  signature.setSignatureHeader(signer.serializeBinary());
  const message = Buffer.concat([signer.serializeBinary(), headerBytesOf(block)]);
  signature.setSignature(sign('sha256', message, createPrivateKey(key)));
  const metadata = new common.Metadata();
  metadata.setSignaturesList([signature]);
  const [, , codes = new Uint8Array(0)] = block.getMetadata()?.getMetadataList_asU8() ?? [];
  block.getMetadata()?.setMetadataList([metadata.serializeBinary(), new Uint8Array(0), codes]);
  return block;
}
