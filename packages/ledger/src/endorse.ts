/** Execution: runs a contract function against committed state and keeps what it read and would write. */

import { isErrorCode, type ErrorCode } from '@assay/core';
import { openDispatcher } from './dispatcher.ts';
import type { ContractClass } from './fabric-runtime.ts';
import { compareKeys, type StateEntry, type StateReader } from './state-reader.ts';
import { newRecording, transactionStub, type Proposal, type ReadWriteSet, type Recording } from './transaction-stub.ts';

export type Endorsement =
  | { readonly kind: 'endorsed'; readonly result: string; readonly set: ReadWriteSet }
  | { readonly kind: 'refused'; readonly code: ErrorCode; readonly message: string; readonly set: ReadWriteSet };

/** Executes a proposal; nothing is written anywhere. */
export type Endorse = (
  proposal: Proposal,
  get: (key: string) => Promise<StateEntry | undefined>,
  reader: StateReader,
) => Promise<Endorsement>;

/** An endorser that runs `contracts` as a chaincode server of Fabric does. */
export function endorser(contracts: readonly ContractClass[]): Endorse {
  const dispatch = openDispatcher(contracts);
  return async (proposal, get, reader) => {
    const recording = newRecording();
    const answer = await dispatch(proposal, transactionStub(proposal, get, reader, recording));
    const set = readWriteSetOf(recording);
    return answer.ok
      ? { kind: 'endorsed', result: answer.result, set }
      : { kind: 'refused', ...refusalOf(answer.message), set };
  };
}

function readWriteSetOf(recording: Recording): ReadWriteSet {
  return {
    reads: [...recording.reads].toSorted(([a], [b]) => compareKeys(a, b)),
    ranges: recording.ranges,
    writes: [...recording.writes].toSorted(([a], [b]) => compareKeys(a, b)),
    event: recording.event,
  };
}

/** A contract's message leads with its code; Fabric's own messages have none. */
export function refusalOf(text: string): { code: ErrorCode; message: string } {
  const cut = text.indexOf(': ');
  const code = text.slice(0, Math.max(cut, 0));
  if (isErrorCode(code)) return { code, message: text.slice(cut + 2) };
  const unknown = /function that does not exist|Contract name is not known|Expected \d+ parameters/.test(text);
  return { code: unknown ? 'ledger.unknown_function' : 'ledger.refused', message: text };
}
