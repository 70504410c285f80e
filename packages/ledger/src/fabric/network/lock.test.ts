import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { withLock } from './lock.ts';
import { processMark } from './process-identity.ts';

describe('the lock of a network', () => {
  let folder: string;
  let path: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'assay-lock-'));
    path = join(folder, 'lock');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  /** How many were at work at the same time, at most. */
  const contend = async (count: number): Promise<number> => {
    let working = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      working += 1;
      most = Math.max(most, working);
      await sleep(1);
      working -= 1;
    };
    await Promise.all(Array.from({ length: count }, () => withLock(path, work)));
    return most;
  };

  test('is one command’s at a time', async () => {
    expect(await contend(5)).toBe(1);
    expect(await readdir(folder)).toEqual([]);
  });

  test.each([
    ['a number that nobody has', '999999999 1\n'],
    ['the number of a process that started at another time', `${process.pid} 1\n`],
    ['no start, as older versions wrote it', '999999999\n'],
  ])('goes to one of many when its holder has ended: %s', async (_what, holder) => {
    for (let round = 0; round < 5; round += 1) {
      await writeFile(path, holder);
      expect(await contend(4)).toBe(1);
      expect(await readdir(folder)).toEqual([]);
    }
  });

  test('does not stay with a command that was killed while it took the lock over', async () => {
    await writeFile(path, '999999999 1\n');
    await writeFile(`${path}.old`, '999999999 1\n');
    expect(await contend(4)).toBe(1);
    expect(await readdir(folder)).toEqual([]);
  });

  test('names its holder by number and start', async () => {
    const held = await withLock(path, () => readFile(path, 'utf8'));
    expect(held).toBe(await processMark(process.pid));
    expect(held).toMatch(new RegExp(`^${process.pid} .`));
  });
});
