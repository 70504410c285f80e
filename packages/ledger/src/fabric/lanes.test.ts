import { expect, test } from 'vitest';
import { openLanes } from './lanes.ts';

/** Works that end when they are told to, and the order in which they started. */
function watched() {
  const started: string[] = [];
  const ends = new Map<string, () => void>();
  const work = (name: string) => (): Promise<string> => {
    started.push(name);
    const { promise, resolve } = Promise.withResolvers<string>();
    ends.set(name, () => resolve(name));
    return promise;
  };
  const end = async (name: string): Promise<void> => {
    ends.get(name)?.();
    await new Promise<void>((resolve) => setImmediate(resolve));
  };
  return { started, work, end };
}

const turn = (): Promise<void> => new Promise<void>((resolve) => setImmediate(resolve));

test('works of one name go one after the other, others side by side', async () => {
  const { started, work, end } = watched();
  const lanes = openLanes(10);
  const all = [
    lanes.run(['a'], work('1')),
    lanes.run(['a', 'b'], work('2')),
    lanes.run(['c'], work('3')),
    lanes.run(['b'], work('4')),
  ];
  await turn();
  expect(started).toEqual(['1', '3']);
  await end('1');
  expect(started).toEqual(['1', '3', '2']);
  await end('2');
  expect(started).toEqual(['1', '3', '2', '4']);
  await end('3');
  await end('4');
  expect(await Promise.all(all)).toEqual(['1', '2', '3', '4']);
});

test('no more run at once than there is room for', async () => {
  const { started, work, end } = watched();
  const lanes = openLanes(2);
  const all = ['1', '2', '3'].map((name) => lanes.run([name], work(name)));
  await turn();
  expect(started).toEqual(['1', '2']);
  await end('2');
  expect(started).toEqual(['1', '2', '3']);
  await end('1');
  await end('3');
  expect(await Promise.all(all)).toEqual(['1', '2', '3']);
});

test('a failure is its own caller’s, and the lane goes on', async () => {
  const lanes = openLanes(1);
  const first = lanes.run(['a'], () => Promise.reject(new Error('no')));
  const second = lanes.run(['a'], async () => 'yes');
  await expect(first).rejects.toThrow('no');
  expect(await second).toBe('yes');
});
