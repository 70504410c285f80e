import { contractFunctions, contracts, platformMsp } from '@assay/contracts';
import type { ContractName } from '@assay/core';
import { Contract, type Context } from 'fabric-contract-api';
import { describe, expect, test } from 'vitest';
import { openDispatcher } from './dispatcher.ts';
import { openChaincode, timestampOf, type ContractClass } from './fabric-runtime.ts';
import { ledgerKeyFromSeed } from './keys.ts';
import { memoryState } from './memory-state.ts';
import { newRecording, transactionStub } from './transaction-stub.ts';

const { mspId, certificate } = ledgerKeyFromSeed(new Uint8Array(32)).member({
  mspId: platformMsp,
  name: 'platform',
  roles: ['orchestrator', 'arbiter'],
});
const job = `job_${'1'.repeat(32)}`;
const worker = `wrk_${'1'.repeat(32)}`;
const hash = 'a'.repeat(64);

/** Results and hooks of every kind. */
class Odd extends Contract {
  constructor() {
    super('Odd');
  }

  override async beforeTransaction(ctx: Context): Promise<void> {
    await ctx.stub.putState('before', Buffer.from('1'));
    if (ctx.stub.getFunctionAndParameters().params[0] === 'stop') throw new Error('stopped before');
  }

  override async afterTransaction(ctx: Context, result: unknown): Promise<void> {
    await ctx.stub.putState('after', Buffer.from(String(result)));
    if (result === 'stop after') throw new Error('stopped after');
  }

  async give(_: Context, text: string): Promise<unknown> {
    return { 'a number': 7, truth: true, nothing: undefined, null: null }[text] ?? text;
  }

  async two(ctx: Context, a: string, b: string): Promise<string> {
    ctx.logging.getLogger('odd').debug(a);
    return `${a}${b}${ctx.clientIdentity.getMSPID()}${ctx.stub.getTxID()}`;
  }

  async none(): Promise<string> {
    return 'none';
  }

  async fail(_: Context, what: string): Promise<string> {
    throw new Error(what);
  }
}

/** What both dispatchers answer, and what the contract did through each. */
async function both(classes: readonly ContractClass[], contract: string, fn: string, args: readonly string[]) {
  const state = memoryState();
  state.apply([[`\0reputation\0${worker}\0`, '{"agreed":1,"disagreed":0,"lost":0,"slashed":0,"worker":"x"}']], {
    txId: hash,
    atMs: 1,
    version: [1, 0],
  });
  const proposal = { contract, fn, args, txId: hash, channel: 'test', mspId, certificate, timestamp: timestampOf(5) };
  const get = async (key: string) => (await state.getMany([key])).get(key);
  const recordings = [newRecording(), newRecording()] as const;
  const stubs = recordings.map((recording) => transactionStub(proposal, get, state, recording));
  const ours = await openDispatcher(classes)(proposal, stubs[0]!);
  const response = await openChaincode(classes).Invoke(stubs[1]!);
  const theirs =
    response.status === 200
      ? { ok: true, result: Buffer.from(response.payload ?? []).toString() }
      : { ok: false, message: response.message ?? '' };
  return { ours: { ...ours, ...recordings[0] }, theirs: { ...theirs, ...recordings[1] } };
}

describe('a call has the same outcome and effects as through fabric-shim’s dispatcher', () => {
  const names = Object.keys(contractFunctions) as ContractName[];
  const calls = names.flatMap((name) =>
    Object.entries(contractFunctions[name]).map(([fn, row]) => [name, fn, row.args.length] as const),
  );
  const odd = ['', 'x', job, worker, hash, '{}', '\ud800', '\ufeff{"a":1}', 'true'];

  test.each(calls)('%s:%s', async (contract, fn, count) => {
    const lists = [
      ...odd.map((arg) => Array<string>(count).fill(arg)),
      [job, hash, hash].slice(0, count),
      [worker, 'true', JSON.stringify({ job, replicas: 1 })].slice(0, count),
      [worker, 'late'].slice(0, count),
      Array<string>(count + 1).fill(job),
      [],
    ];
    for (const args of lists) {
      const { ours, theirs } = await both(contracts, contract, fn, args);
      expect(ours).toEqual(theirs);
    }
  });

  test.each([
    ['Odd', 'give', ['text']],
    ['Odd', 'give', ['a number']],
    ['Odd', 'give', ['truth']],
    ['Odd', 'give', ['nothing']],
    ['Odd', 'give', ['null']],
    ['Odd', 'give', ['stop']],
    ['Odd', 'give', ['stop after']],
    ['Odd', 'give', ['\ud800']],
    ['Odd', 'two', ['a', 'b']],
    ['Odd', 'two', ['a']],
    ['Odd', 'none', []],
    ['Odd', 'none', ['more']],
    ['Odd', 'fail', ['why: not']],
    ['Odd', 'missing', []],
    ['Odd', 'beforeTransaction', ['x']],
    ['Odd', '__proto__', []],
    ['Nothing', 'give', ['x']],
    ['', '', []],
    ['org.hyperledger.fabric', 'GetMetadata', []],
  ])('%s:%s %j', async (contract, fn, args) => {
    const { ours, theirs } = await both([Odd], contract, fn, args);
    expect(ours).toEqual(theirs);
  });
});
