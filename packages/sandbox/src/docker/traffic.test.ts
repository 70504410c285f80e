import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { bounds } from './bounds.ts';
import type { Cell } from './cell.ts';
import { trafficOf } from './traffic.ts';

function streetWith(memoryBytes = 0) {
  const removed: number[] = [];
  const notes: string[] = [];
  const traffic = trafficOf((text) => notes.push(text));
  let made = 0;
  const start = async () => {
    const number = (made += 1);
    const remove = async () => void removed.push(number);
    return { memoryBytes: () => memoryBytes, remove } as unknown as Cell;
  };
  return { traffic, removed, notes, start };
}

const fail = () => Promise.reject(new Error('no room'));

describe('the traffic of containers', () => {
  it('removes in turn, when no unit runs', async () => {
    const { traffic, removed, start } = streetWith();
    traffic.begin();
    for (let one = 0; one < 3; one += 1) traffic.leave(await traffic.enter(start));
    await pause(4 * bounds.standBackLookMs);
    expect(removed).toEqual([]);
    traffic.end();
    await traffic.empty();
    expect(removed).toEqual([1, 2, 3]);
  });

  it('does not wait for that when it is closed', async () => {
    const { traffic, removed, start } = streetWith();
    traffic.begin();
    traffic.leave(await traffic.enter(start));
    traffic.close();
    await traffic.empty();
    expect(removed).toEqual([1]);
  });

  it('removes while units run where too many are there, and starts no more before', async () => {
    const { traffic, removed, start } = streetWith();
    traffic.begin();
    const cells: Cell[] = [];
    for (let one = 0; one <= bounds.containers; one += 1) cells.push(await traffic.enter(start));
    const next = traffic.enter(start);
    await expect(Promise.race([next.then(() => 'started'), pause(50, 'waits')])).resolves.toBe('started');
    // Nothing leaves, so nothing could be waited for; now something does.
    for (const cell of cells) traffic.leave(cell);
    await traffic.enter(start);
    expect(removed.length).toBeGreaterThan(0);
    traffic.close();
    await traffic.empty();
  });

  it('removes at once what holds too much memory', async () => {
    const { traffic, removed, start } = streetWith(bounds.removalBytes + 1);
    traffic.begin();
    traffic.leave(await traffic.enter(start));
    await traffic.empty();
    expect(removed).toEqual([1]);
  });

  it('goes on after a removal that failed, and says so', async () => {
    const { traffic, notes, start } = streetWith();
    traffic.leave({ ...(await traffic.enter(start)), remove: fail });
    traffic.leave(await traffic.enter(start));
    await traffic.empty();
    expect(notes).toEqual([expect.stringContaining('was not removed')]);
  });

  it('makes room again where a start failed', async () => {
    const { traffic } = streetWith();
    for (let one = 0; one < 2 * bounds.containers; one += 1)
      await expect(traffic.enter(fail)).rejects.toThrow('no room');
    await traffic.quiet();
  });
});
