import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { endPause, readPause, writePause } from './pause-file.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-pause-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it('keeps a pause until it is ended', async () => {
  expect(await readPause(folder)).toBeNull();
  await writePause(folder, { untilMs: 1234, giveBack: true });
  expect(await readPause(folder)).toEqual({ untilMs: 1234, giveBack: true });
  await writePause(folder, { untilMs: null, giveBack: false });
  expect(await readPause(folder)).toEqual({ untilMs: null, giveBack: false });
  await endPause(folder);
  await endPause(folder);
  expect(await readPause(folder)).toBeNull();
});

it.each(['', 'x', '{"untilMs":"soon","giveBack":false}', '{}', '{"untilMs":null,"giveBack":false,"more":1}'])(
  'pauses for good where the file says %j',
  async (text) => {
    await writeFile(join(folder, 'pause.json'), text);
    expect(await readPause(folder)).toEqual({ untilMs: null, giveBack: false });
  },
);
