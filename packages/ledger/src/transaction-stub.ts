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
  return new Stub(proposal, get, reader, recording) as unknown as ChaincodeStub;
}

/** What a peer offers and this engine does not (private data, rich queries, endorsement per key) says so. */
const unsupported = new Proxy(
  {},
  {
    get(target, member): unknown {
      const found: unknown = Reflect.get(target, member);
      if (found !== undefined || typeof member !== 'string') return found;
      if (!/^(?:get|put|set|delete|purge|invoke)/.test(member)) return undefined;
      return () => {
        throw refuse('ledger.refused', `the embedded engine has no ${member}`);
      };
    },
  },
);

/** With methods on its prototype, as a peer's: thousands of stubs are made a second. */
class Stub {
  static {
    Object.setPrototypeOf(this.prototype, unsupported);
  }

  readonly #proposal: Proposal;
  readonly #get: Get;
  readonly #reader: StateReader;
  readonly #recording: Recording;

  constructor(proposal: Proposal, get: Get, reader: StateReader, recording: Recording) {
    this.#proposal = proposal;
    this.#get = get;
    this.#reader = reader;
    this.#recording = recording;
  }

  getArgs(): string[] {
    const { contract, fn, args } = this.#proposal;
    return [`${contract}:${fn}`, ...args];
  }

  getStringArgs(): string[] {
    return this.getArgs();
  }

  getBufferArgs(): Buffer[] {
    return this.getArgs().map((arg) => Buffer.from(arg));
  }

  getFunctionAndParameters(): { fcn: string; params: string[] } {
    const [fcn = '', ...params] = this.getArgs();
    return { fcn, params };
  }

  getTxID(): string {
    return this.#proposal.txId;
  }

  getChannelID(): string {
    return this.#proposal.channel;
  }

  getCreator(): { mspid: string; idBytes: Uint8Array } {
    return { mspid: this.#proposal.mspId, idBytes: Buffer.from(this.#proposal.certificate) };
  }

  getMspID(): string {
    return this.#proposal.mspId;
  }

  getTransient(): Map<string, Uint8Array> {
    return new Map(this.#proposal.transient);
  }

  getTxTimestamp(): Timestamp {
    return this.#proposal.timestamp;
  }

  getDateTimestamp(): Date {
    const { seconds, nanos } = this.#proposal.timestamp;
    return new Date(Number(seconds.toString()) * 1000 + nanos / 1_000_000);
  }

  createCompositeKey(objectType: string, attributes: readonly string[]): string {
    return compositeKey(objectType, attributes);
  }

  splitCompositeKey(key: string): ReturnType<typeof splitCompositeKey> {
    return splitCompositeKey(key);
  }

  async getState(key: string): Promise<Uint8Array> {
    const entry = await this.#get(key);
    const { reads } = this.#recording;
    if (!reads.has(key)) reads.set(key, entry?.version ?? null);
    return entry === undefined ? Buffer.alloc(0) : Buffer.from(entry.value);
  }

  async putState(key: string, value: Uint8Array): Promise<void> {
    // An empty value is a delete on Fabric as well.
    this.#write(key, value.length === 0 ? null : textOf(value));
  }

  async deleteState(key: string): Promise<void> {
    this.#write(key, null);
  }

  #write(key: string, value: string | null): void {
    if (key === '') throw new Error('key must not be an empty string');
    if (this.#recording.paginated) throw new Error('a transaction with a paginated query cannot write');
    this.#recording.writes.set(key, value);
  }

  setEvent(name: string, payload: Uint8Array): void {
    if (name === '') throw new Error('Event name must be a non-empty string.');
    this.#recording.event = { name, payload: textOf(payload) };
  }

  getStateByRange(start: string, end: string): unknown {
    return this.#queries().getStateByRange(start, end);
  }

  getStateByPartialCompositeKey(type: string, attributes: string[]): unknown {
    return this.#queries().getStateByPartialCompositeKey(type, attributes);
  }

  getStateByRangeWithPagination(start: string, end: string, size: number, bookmark?: string): unknown {
    return this.#queries().getStateByRangeWithPagination(start, end, size, bookmark);
  }

  getStateByPartialCompositeKeyWithPagination(
    type: string,
    attributes: string[],
    size: number,
    bookmark?: string,
  ): unknown {
    return this.#queries().getStateByPartialCompositeKeyWithPagination(type, attributes, size, bookmark);
  }

  getHistoryForKey(key: string): unknown {
    return this.#queries().getHistoryForKey(key);
  }

  #queries() {
    return queriesOf(this.#reader, this.#recording);
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Values and events travel in canonical JSON, so they must be text. */
function textOf(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}
