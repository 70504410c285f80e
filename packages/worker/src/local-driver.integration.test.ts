import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { localDriver } from './local-driver.ts';

test('says once which driver is not usable, and why', { timeout: 120_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'assay-drivers-'));
  const notes: string[] = [];
  const settings = { docker_socket: join(folder, 'no-engine.sock'), images_dir: folder };
  const driver = localDriver({ folder, note: (text) => notes.push(text), clock: { nowMs: () => 0 }, settings });
  try {
    expect(await driver.probe()).toMatchObject({ usable: true });
    await driver.probe();
    expect(notes).toEqual([expect.stringMatching(/^no unit runs in docker: .*no-engine\.sock/)]);
  } finally {
    await driver.close();
    await rm(folder, { recursive: true, force: true });
  }
});
