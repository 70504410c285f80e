import { createPublicKey, verify } from 'node:crypto';
import { chmod, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { loadDeviceKey } from './device-key.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-key-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it('makes a key once, for its owner only, and signs with it', async () => {
  const path = join(folder, 'new', 'device.pem');
  const first = await loadDeviceKey(path);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  const second = await loadDeviceKey(path);
  expect(second.publicKey).toBe(first.publicKey);
  expect(first.publicKey).toMatch(/^[0-9a-f]{64}$/);
  const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), Buffer.from(first.publicKey, 'hex')]);
  const publicKey = createPublicKey({ key: spki, format: 'der', type: 'spki' });
  const text = Buffer.from('text');
  expect(verify(null, text, publicKey, Buffer.from(second.sign(text), 'hex'))).toBe(true);
});

it('refuses a key that others can read', async () => {
  const path = join(folder, 'device.pem');
  await loadDeviceKey(path);
  await chmod(path, 0o640);
  await expect(loadDeviceKey(path)).rejects.toMatchObject({ code: 'worker.key_unsafe' });
});
