/** Runs a call of the past again. */

import { canonicalJson, transactionCodes, type TransactionRecord } from '@assay/core';
import { timestampOf } from './fabric-runtime.ts';
import type { Evidence, Replay, Report } from './replay.ts';
import type { StateEntry } from './state-reader.ts';
import { validate } from './validate.ts';

/** A contract is a function of its arguments and what it read: a transaction of the serial engine must come out again. */
export async function checkExecution(
  replay: Replay,
  record: TransactionRecord,
  { endorse, certificates }: Evidence,
  problem: Report,
): Promise<void> {
  if (endorse.length === 0) return;
  const { contract, fn, args, txId, creator } = record;
  const certificate = certificates.get(creator.certificate);
  // Only what was read as it stands now can be executed again; the others were conflicts or read an older state.
  const current = await validate(record, { reader: replay.state, writes: new Map() });
  if (certificate === undefined || current !== transactionCodes.valid) return;
  const proposal = {
    contract,
    fn,
    args,
    txId,
    channel: replay.channel,
    mspId: creator.mspId,
    certificate,
    timestamp: timestampOf(record.atMs),
  };
  const get = async (key: string): Promise<StateEntry | undefined> => (await replay.state.getMany([key])).get(key);
  const { reads, ranges, writes, event, result } = record;
  const expected = canonicalJson({ reads, ranges, writes, event, result });
  for (const run of endorse) {
    const again = await run(proposal, get, replay.state);
    const outcome = again.kind === 'endorsed' ? { ...again.set, result: again.result } : { refused: again.message };
    if (canonicalJson(outcome) === expected) return;
  }
  problem('ledger_tx', `${contract}:${fn} gives another outcome when it runs again`);
}
