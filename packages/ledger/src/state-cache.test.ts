import { expect, test } from 'vitest';
import { memoryState } from './memory-state.ts';
import { stateCache } from './state-cache.ts';
import type { StateReader } from './state-reader.ts';

/** State of which is told how often it was read. */
function counted() {
  const state = memoryState();
  const asked: string[][] = [];
  const reader: StateReader = {
    ...state,
    getMany(keys) {
      asked.push([...keys]);
      return state.getMany(keys);
    },
  };
  const write = (key: string, value: string | null, block: number) =>
    state.apply([[key, value]], { txId: 'x', atMs: 1, version: [block, 0] });
  return { reader, asked, write };
}

test('a key is read once for a head, be it there or not', async () => {
  const { reader, asked, write } = counted();
  write('a', '1', 1);
  const cache = stateCache();
  const first = cache.over('h1', reader);
  expect([...(await first.getMany(['a', 'b'])).values()]).toMatchObject([{ value: '1', version: [1, 0] }]);
  expect([...(await cache.over('h1', reader).getMany(['b', 'a', 'c'])).keys()]).toEqual(['a']);
  expect(asked).toEqual([['a', 'b'], ['c']]);
});

test('a block’s writes are known after it, and a head that is not its forgets them', async () => {
  const { reader, asked, write } = counted();
  write('a', '1', 1);
  write('b', '1', 1);
  const cache = stateCache();
  await cache.over('h1', reader).getMany(['a', 'b']);
  cache.advance(
    'h2',
    new Map([
      ['a', { key: 'a', value: '2', version: [2, 0] }],
      ['b', null],
    ]),
  );
  expect([...(await cache.over('h2', reader).getMany(['a', 'b'])).values()]).toMatchObject([{ value: '2' }]);
  expect(asked).toHaveLength(1);
  // The transaction that made h2 was rolled back.
  expect([...(await cache.over('h1', reader).getMany(['a', 'b'])).values()]).toMatchObject([
    { value: '1' },
    { value: '1' },
  ]);
  expect(asked).toHaveLength(2);
});

test('an answer that comes after the head went on is not kept', async () => {
  const { reader, asked, write } = counted();
  write('a', '1', 1);
  const cache = stateCache();
  const late = cache.over('h1', reader).getMany(['a']);
  cache.over('h2', reader);
  await late;
  write('a', '2', 2);
  expect((await cache.over('h2', reader).getMany(['a'])).get('a')?.value).toBe('2');
  expect(asked).toHaveLength(2);
});
