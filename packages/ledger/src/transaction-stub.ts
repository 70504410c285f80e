/**
 * The stub that contracts see, faithful to a peer's: reads give committed state only, every read is recorded with its
 * version, writes go to the write set, an empty value deletes, a second event replaces the first.
 */

import { refuse, type TransactionRecord } from '@assay/core';
import type { ChaincodeStub, Timestamp } from 'fabric-shim-api';
import type { StateReader } from './state-reader.ts';
import { compositeKey, splitCompositeKey } from './composite-key.ts';
import { queriesOf } from './state-queries.ts';

export interface Proposal {
  readonly contract: string;
  readonly fn: string;
  readonly args: readonly string[];
  readonly txId: string;
  readonly channel: string;
  readonly mspId: string;
  /** PEM. */
  readonly certificate: string;
  readonly timestamp: Timestamp;
  /** What only the endorsers see. */
  readonly transient?: ReadonlyMap<string, Uint8Array>;
}

/** What a transaction read and wrote, in the order of first use; writes ascending by key. */
export type ReadWriteSet = Pick<TransactionRecord, 'reads' | 'ranges' | 'writes' | 'event'>;

/** What the stub gathers while the contract runs. */
export interface Recording {
  readonly reads: Map<string, TransactionRecord['reads'][number][1]>;
  readonly ranges: TransactionRecord['ranges'][number][];
  readonly writes: Map<string, string | null>;
  event: TransactionRecord['event'];
  /** A paginated query makes a transaction read-only. */
  paginated: boolean;
}

export function newRecording(): Recording {
  return { reads: new Map(), ranges: [], writes: new Map(), event: null, paginated: false };
}

type Get = (
  key: string,
) => Promise<{ value: string; version: NonNullable<TransactionRecord['reads'][number][1]> } | undefined>;

/** The stub of one transaction over committed state; `recording` fills as the contract runs. */
export function transactionStub(
  proposal: Proposal,
  get: Get,
  reader: StateReader,
  recording: Recording,
): ChaincodeStub {
  const stub = {
    ...identityOf(proposal),
    ...stateOf(get, recording),
    ...queriesOf(reader, recording),
    createCompositeKey: compositeKey,
    splitCompositeKey,
    setEvent(name: string, payload: Uint8Array) {
      if (name === '') throw new Error('Event name must be a non-empty string.');
      recording.event = { name, payload: textOf(payload) };
    },
  };
  return new Proxy(stub, { get: supportedOnly }) as unknown as ChaincodeStub;
}

function identityOf(proposal: Proposal) {
  const args = [`${proposal.contract}:${proposal.fn}`, ...proposal.args];
  return {
    getArgs: () => args,
    getStringArgs: () => args,
    getBufferArgs: () => args.map((arg) => Buffer.from(arg)),
    getFunctionAndParameters: () => ({ fcn: args[0], params: args.slice(1) }),
    getTxID: () => proposal.txId,
    getChannelID: () => proposal.channel,
    getCreator: () => ({ mspid: proposal.mspId, idBytes: Buffer.from(proposal.certificate) }),
    getMspID: () => proposal.mspId,
    getTransient: () => new Map(proposal.transient),
    getTxTimestamp: () => proposal.timestamp,
    getDateTimestamp: () =>
      new Date(Number(proposal.timestamp.seconds.toString()) * 1000 + proposal.timestamp.nanos / 1_000_000),
  };
}

function stateOf(get: Get, recording: Recording) {
  const write = async (key: string, value: string | null): Promise<void> => {
    if (key === '') throw new Error('key must not be an empty string');
    if (recording.paginated) throw new Error('a transaction with a paginated query cannot write');
    recording.writes.set(key, value);
  };
  return {
    async getState(key: string): Promise<Uint8Array> {
      const entry = await get(key);
      if (!recording.reads.has(key)) recording.reads.set(key, entry?.version ?? null);
      return entry === undefined ? Buffer.alloc(0) : Buffer.from(entry.value);
    },
    putState: (key: string, value: Uint8Array): Promise<void> =>
      // An empty value is a delete on Fabric as well.
      write(key, value.length === 0 ? null : textOf(value)),
    deleteState: (key: string): Promise<void> => write(key, null),
  };
}

/** Values and events travel in canonical JSON, so they must be text. */
function textOf(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
}

/** What a peer offers and this engine does not (private data, rich queries, endorsement per key) says so. */
function supportedOnly(target: object, member: string | symbol): unknown {
  const found: unknown = Reflect.get(target, member);
  if (found !== undefined || typeof member !== 'string' || !/^(?:get|put|set|delete|purge|invoke)/.test(member))
    return found;
  return () => {
    throw refuse('ledger.refused', `the embedded engine has no ${member}`);
  };
}
