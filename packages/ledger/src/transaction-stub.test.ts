import { Contract, type Context } from 'fabric-contract-api';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compositeKey, splitCompositeKey } from './composite-key.ts';
import { compareKeys } from './state-reader.ts';
import { contractRunner, type ContractRunner } from './testing.ts';
import { validate } from './validate.ts';

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

/** One function for each thing that a stub can do; the tests say what came back. */
class Probe extends Contract {
  constructor() {
    super('Probe');
  }

  async put(ctx: Context, key: string, value: string): Promise<void> {
    await ctx.stub.putState(key, Buffer.from(value));
  }

  async remove(ctx: Context, key: string): Promise<void> {
    await ctx.stub.deleteState(key);
  }

  async increment(ctx: Context, key: string): Promise<string> {
    const count = Number(text(await ctx.stub.getState(key))) + 1;
    await ctx.stub.putState(key, Buffer.from(String(count)));
    return String(count);
  }

  async putAndRead(ctx: Context, key: string, value: string): Promise<string> {
    await ctx.stub.putState(key, Buffer.from(value));
    const seen = text(await ctx.stub.getState(key));
    const listed = await this.listOf(ctx, '', '');
    return JSON.stringify({ seen, listed });
  }

  async list(ctx: Context, start: string, end: string): Promise<string> {
    return JSON.stringify(await this.listOf(ctx, start, end));
  }

  async firstOf(ctx: Context, start: string, end: string): Promise<string> {
    for await (const { key } of ctx.stub.getStateByRange(start, end)) return key;
    return '';
  }

  async openOnly(ctx: Context): Promise<void> {
    const iterator = await ctx.stub.getStateByRange('', '');
    await iterator.close();
  }

  async partial(ctx: Context, type: string, attribute: string): Promise<string> {
    const keys: string[] = [];
    for await (const { key } of ctx.stub.getStateByPartialCompositeKey(type, attribute === '' ? [] : [attribute])) {
      keys.push(ctx.stub.splitCompositeKey(key).attributes.join('/'));
    }
    return keys.join(' ');
  }

  async page(ctx: Context, size: string, bookmark: string): Promise<string> {
    const { iterator, metadata } = await ctx.stub.getStateByRangeWithPagination('', '', Number(size), bookmark);
    const keys: string[] = [];
    for (let step = await iterator.next(); !step.done; step = await iterator.next()) keys.push(step.value.key);
    return JSON.stringify({ keys, ...metadata });
  }

  async pageAndPut(ctx: Context): Promise<void> {
    await ctx.stub.getStateByPartialCompositeKeyWithPagination('type', [], 5);
    await ctx.stub.putState('a', Buffer.from('1'));
  }

  async putAndPage(ctx: Context): Promise<void> {
    await ctx.stub.putState('a', Buffer.from('1'));
    await ctx.stub.getStateByRangeWithPagination('', '', 5);
  }

  async history(ctx: Context, key: string): Promise<string> {
    const lines: unknown[] = [];
    for await (const { isDelete, value, timestamp, txId } of ctx.stub.getHistoryForKey(key)) {
      lines.push([isDelete, text(value), Number(timestamp.seconds.toString()), timestamp.nanos, txId.length]);
    }
    return JSON.stringify(lines);
  }

  async events(ctx: Context): Promise<void> {
    ctx.stub.setEvent('first', Buffer.from('1'));
    ctx.stub.setEvent('second', Buffer.from('2'));
  }

  async nameless(ctx: Context): Promise<void> {
    ctx.stub.setEvent('', Buffer.from('1'));
  }

  async putThenFail(ctx: Context): Promise<void> {
    await ctx.stub.putState('a', Buffer.from('1'));
    throw new Error('nothing of this stays');
  }

  async bytes(ctx: Context): Promise<void> {
    await ctx.stub.putState('a', Buffer.from([0xff, 0xfe]));
  }

  async secret(ctx: Context): Promise<void> {
    await ctx.stub.getPrivateData('collection', 'key');
  }

  async rich(ctx: Context): Promise<void> {
    await ctx.stub.getQueryResult('{}');
  }

  async who(ctx: Context): Promise<string> {
    const { stub, clientIdentity } = ctx;
    return JSON.stringify({
      id: clientIdentity.getID(),
      msp: [clientIdentity.getMSPID(), stub.getMspID(), stub.getCreator().mspid],
      role: clientIdentity.assertAttributeValue('assay.orchestrator', 'true'),
      call: stub.getFunctionAndParameters(),
      args: [stub.getArgs(), stub.getStringArgs()],
      channel: stub.getChannelID(),
      at: stub.getDateTimestamp().toISOString(),
      transient: stub.getTransient().size,
      txId: stub.getTxID().length,
    });
  }

  private async listOf(ctx: Context, start: string, end: string): Promise<string[]> {
    const keys: string[] = [];
    for await (const { key, value } of ctx.stub.getStateByRange(start, end)) keys.push(`${key}=${text(value)}`);
    return keys;
  }
}

async function probe(...puts: readonly (readonly [key: string, value: string])[]): Promise<ContractRunner> {
  const runner = contractRunner([Probe]);
  for (const [key, value] of puts) await runner.run('Probe:put', [key, value]);
  return runner;
}

async function answer(runner: ContractRunner, fn: string, ...args: string[]): Promise<string> {
  const outcome = await runner.run(`Probe:${fn}`, args, { atMs: 1_000_000_123 });
  if (outcome.kind === 'refused') throw new Error(outcome.message);
  return outcome.result;
}

const composite = (type: string, ...attributes: string[]): string => compositeKey(type, attributes);

describe('reads', () => {
  test('see committed state only', async () => {
    const runner = await probe(['a', 'old']);
    expect(JSON.parse(await answer(runner, 'putAndRead', 'a', 'new'))).toEqual({ seen: 'old', listed: ['a=old'] });
    expect(JSON.parse(await answer(runner, 'putAndRead', 'b', 'new'))).toEqual({ seen: '', listed: ['a=new'] });
  });

  test('record the version once, null for a missing key', async () => {
    const runner = await probe(['a', '1']);
    const { set } = await runner.endorse('Probe:increment', ['a']);
    expect(set).toMatchObject({ reads: [['a', [1, 0]]], writes: [['a', '2']], ranges: [] });
    expect((await runner.endorse('Probe:increment', ['z'])).set.reads).toEqual([['z', null]]);
  });

  test('of ranges come in the order of UTF-8 bytes and skip composite keys', async () => {
    const keys = ['b', 'a', 'Z', '\u{1f600}', '\uffee', 'é', 'a!', composite('type', 'x')];
    const runner = await probe(...keys.map((key) => [key, '1'] as const));
    const listed = JSON.parse(await answer(runner, 'list', '', '')) as string[];
    // U+1F600 sorts after U+FFEE by bytes, before it by UTF-16.
    expect(listed).toEqual(['Z', 'a', 'a!', 'b', 'é', '\uffee', '\u{1f600}'].map((key) => `${key}=1`));
    expect(JSON.parse(await answer(runner, 'list', 'a', 'b'))).toEqual(['a=1', 'a!=1']);
    await expect(answer(runner, 'list', '\0a', '')).rejects.toThrow('plain key');
  });

  test('of partial composite keys match whole attributes', async () => {
    const runner = await probe(
      [composite('t', 'a', '1'), '1'],
      [composite('t', 'a', '2'), '1'],
      [composite('t', 'ab', '3'), '1'],
      [composite('tt', 'a', '4'), '1'],
    );
    expect(await answer(runner, 'partial', 't', 'a')).toBe('a/1 a/2');
    expect(await answer(runner, 'partial', 't', '')).toBe('a/1 a/2 ab/3');
    await expect(answer(runner, 'partial', 't', 'a\0b')).rejects.toThrow('composite key');
    await expect(answer(runner, 'partial', '', 'a')).rejects.toThrow('non-empty');
  });

  test('by page are told where to go on, and make the transaction read-only', async () => {
    const runner = await probe(...['a', 'b', 'c'].map((key) => [key, '1'] as const));
    expect(JSON.parse(await answer(runner, 'page', '2', ''))).toEqual({
      keys: ['a', 'b'],
      fetchedRecordsCount: 2,
      bookmark: 'c',
    });
    expect(JSON.parse(await answer(runner, 'page', '2', 'c'))).toEqual({
      keys: ['c'],
      fetchedRecordsCount: 1,
      bookmark: '',
    });
    await expect(answer(runner, 'pageAndPut')).rejects.toThrow('cannot write');
    await expect(answer(runner, 'putAndPage')).rejects.toThrow('cannot use');
  });

  test('of a history come newest first, deletes included', async () => {
    const runner = await probe(['a', '1']);
    await answer(runner, 'put', 'a', '2');
    await answer(runner, 'remove', 'a');
    const at = [1_000_000, 123_000_000, 64];
    expect(JSON.parse(await answer(runner, 'history', 'a'))).toEqual([
      [true, '', ...at],
      [false, '2', ...at],
      [false, '1', 1000, 0, 64],
    ]);
  });
});

describe('writes', () => {
  test('of nothing delete', async () => {
    const runner = await probe(['a', '1'], ['b', '1']);
    await answer(runner, 'put', 'a', '');
    await answer(runner, 'remove', 'b');
    expect(runner.state.entries()).toEqual([]);
  });

  test('of a failed transaction are gone', async () => {
    const runner = await probe();
    await expect(answer(runner, 'putThenFail')).rejects.toThrow('nothing of this stays');
    expect(runner.state.entries()).toEqual([]);
  });

  test('need a key, and text', async () => {
    const runner = await probe();
    await expect(answer(runner, 'put', '', '1')).rejects.toThrow('empty');
    await expect(answer(runner, 'bytes')).rejects.toThrow('not valid');
  });
});

describe('a transaction', () => {
  test('has the last event that was set', async () => {
    const runner = await probe();
    expect((await runner.endorse('Probe:events', [])).set.event).toEqual({ name: 'second', payload: '2' });
    await expect(answer(runner, 'nameless')).rejects.toThrow('non-empty');
  });

  test('knows who asks, what and when', async () => {
    expect(JSON.parse(await answer(await probe(), 'who'))).toEqual({
      id: 'x509::/O=PlatformMSP/OU=client/CN=platform::/O=PlatformMSP/OU=authority/CN=ca.PlatformMSP',
      msp: ['PlatformMSP', 'PlatformMSP', 'PlatformMSP'],
      role: true,
      call: { fcn: 'Probe:who', params: [] },
      args: [['Probe:who'], ['Probe:who']],
      channel: 'test',
      at: '1970-01-12T13:46:40.123Z',
      transient: 0,
      txId: 64,
    });
  });

  test('is told what the engine does not offer', async () => {
    await expect(answer(await probe(), 'secret')).rejects.toThrow('no getPrivateData');
    await expect(answer(await probe(), 'rich')).rejects.toThrow('no getQueryResult');
  });
});

const entry = (key: string) => ({ key, value: '1', version: [9, 0] as const });

/** The code that an execution gets when something else was committed since. */
async function codeAfter(runner: ContractRunner, fn: string, args: string[], then: () => Promise<unknown>) {
  const { set } = await runner.endorse(`Probe:${fn}`, args);
  await then();
  return validate(set, { reader: runner.state, writes: new Map() });
}

describe('validation', () => {
  test('finds reads that changed: MVCC_READ_CONFLICT', async () => {
    const runner = await probe(['a', '1'], ['b', '1']);
    expect(await codeAfter(runner, 'increment', ['a'], async () => undefined)).toBe(0);
    expect(await codeAfter(runner, 'increment', ['a'], () => answer(runner, 'put', 'b', '2'))).toBe(0);
    // The version counts, not the value.
    expect(await codeAfter(runner, 'increment', ['a'], () => answer(runner, 'put', 'a', '1'))).toBe(11);
    expect(await codeAfter(runner, 'increment', ['a'], () => answer(runner, 'remove', 'a'))).toBe(11);
    expect(await codeAfter(runner, 'increment', ['z'], () => answer(runner, 'put', 'z', '1'))).toBe(11);
  });

  test('finds what an earlier transaction of the block wrote', async () => {
    const runner = await probe(['a', '1']);
    const { set } = await runner.endorse('Probe:increment', ['a']);
    const written = { key: 'a', value: '2', version: [9, 0] as const };
    expect(await validate(set, { reader: runner.state, writes: new Map([['a', written]]) })).toBe(11);
    expect(await validate(set, { reader: runner.state, writes: new Map([['a', null]]) })).toBe(11);
    expect(await validate(set, { reader: runner.state, writes: new Map([['b', written]]) })).toBe(0);
  });

  test('finds rows that appeared, vanished or changed in a range: PHANTOM_READ_CONFLICT', async () => {
    for (const [then, code] of [
      [['put', 'c', '1'], 12],
      [['put', 'a', '1'], 0],
      [['put', 'e', '1'], 0],
      [['put', 'd', '2'], 12],
      [['remove', 'b'], 12],
    ] as const) {
      const runner = await probe(['b', '1'], ['d', '1']);
      const [fn, ...args] = then;
      expect([then, await codeAfter(runner, 'list', ['b', 'e'], () => answer(runner, fn, ...args))]).toEqual([
        then,
        code,
      ]);
    }
  });

  test('sees the block’s own writes in a range', async () => {
    const runner = await probe(['b', '1'], ['d', '1']);
    const { set } = await runner.endorse('Probe:list', ['b', 'e']);
    const codeWith = (key: string, gone: boolean) =>
      validate(set, { reader: runner.state, writes: new Map([[key, gone ? null : entry(key)]]) });
    expect(await codeWith('c', false)).toBe(12);
    expect(await codeWith('b', true)).toBe(12);
    expect(await codeWith('a', false)).toBe(0);
    expect(await codeWith('c', true)).toBe(0);
  });

  test('of a range that was left early covers what was looked at', async () => {
    for (const [then, code] of [
      [['put', 'a', '1'], 12],
      [['put', 'bb', '1'], 0],
      [['remove', 'd'], 0],
      [['remove', 'b'], 12],
    ] as const) {
      const runner = await probe(['b', '1'], ['d', '1']);
      const [fn, ...args] = then;
      expect([then, await codeAfter(runner, 'firstOf', ['a', ''], () => answer(runner, fn, ...args))]).toEqual([
        then,
        code,
      ]);
    }
    const runner = await probe(['b', '1']);
    expect(await codeAfter(runner, 'openOnly', [], () => answer(runner, 'put', 'a', '1'))).toBe(0);
  });

  test('of a long range goes through all its pages', async () => {
    const runner = await probe();
    const writes = Array.from({ length: 1203 }, (_, index) => [`k${String(index).padStart(5, '0')}`, '1'] as const);
    runner.state.apply(writes, { txId: 'x', atMs: 0, version: [1, 0] });
    const { set } = await runner.endorse('Probe:list', ['', '']);
    expect(set.ranges[0]?.saw.length).toBe(1203);
    expect(await validate(set, { reader: runner.state, writes: new Map() })).toBe(0);
    runner.state.apply([['k99999', '1']], { txId: 'y', atMs: 0, version: [2, 0] });
    expect(await validate(set, { reader: runner.state, writes: new Map() })).toBe(12);
  });
});

test('keys compare as their bytes, and composite keys come apart as they were put together', () => {
  const part = fc
    .string({ unit: 'grapheme', maxLength: 8 })
    .filter((one) => !/[\0\u{10ffff}]/u.test(one) && one.isWellFormed());
  fc.assert(
    fc.property(
      part.filter((one) => one !== ''),
      fc.array(part, { maxLength: 4 }),
      (type, attributes) => {
        expect(splitCompositeKey(compositeKey(type, attributes))).toEqual({ objectType: type, attributes });
      },
    ),
  );
  fc.assert(
    fc.property(part, part, (a, b) => {
      expect(Math.sign(compareKeys(a, b))).toBe(Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b))));
    }),
  );
});
