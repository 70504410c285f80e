import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeFolder } from './make-folder.ts';

let scratch: string;
beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'assay-folder-'));
});
afterEach(() => rm(scratch, { recursive: true, force: true }));

test('makes what is missing, twice like once', async () => {
  const path = join(scratch, 'a', 'b', 'c');
  await makeFolder(path);
  await makeFolder(path);
  expect((await stat(path)).mode & 0o777).toBe(0o700);
});

test('refuses with a sentence where a file is in the way', async () => {
  await writeFile(join(scratch, 'file'), '');
  for (const path of [join(scratch, 'file'), join(scratch, 'file', 'below')]) {
    await expect(makeFolder(path)).rejects.toMatchObject({
      code: 'config.invalid',
      message: expect.stringContaining(`the folder ${path} cannot be made: `),
    });
  }
});

// Node's own recursive call never ends there.
test.skipIf(process.platform !== 'linux')('refuses where the kernel takes no folders (needs /proc)', async () => {
  await expect(makeFolder('/proc/nope/deeper')).rejects.toMatchObject({ code: 'config.invalid' });
});
