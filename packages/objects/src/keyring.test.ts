import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { regions, type Region } from '@assay/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keyringOf, openKeyring } from './keyring.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-keyring-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe('a keyring', () => {
  it('is made once, for its owner only, with another key for each region', async () => {
    const path = join(folder, 'keyring.json');
    const first = await openKeyring(path);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const again = await openKeyring(path);
    const salt = new Uint8Array(32);
    const keys = regions.map((region) => Buffer.from(first[region].objectKey(salt)).toString('hex'));
    expect(new Set(keys).size).toBe(regions.length);
    expect(regions.map((region) => Buffer.from(again[region].objectKey(salt)).toString('hex'))).toEqual(keys);
  });

  it('is the same for processes that start together, with no drafts left', async () => {
    const path = join(folder, 'keyring.json');
    const rings = await Promise.all(Array.from({ length: 8 }, async () => await openKeyring(path)));
    expect(new Set(rings.map((ring) => ring.eu.fileName('x'))).size).toBe(1);
    expect(await readFile(path, 'utf8')).toContain('"version":1');
    expect(await readdir(folder)).toEqual(['keyring.json']);
  });

  it('gives each region its own names and keys even where the regions were given one key', () => {
    const ring = keyringOf(
      Object.fromEntries(regions.map((region) => [region, 'a'.repeat(64)])) as Record<Region, string>,
    );
    const salt = new Uint8Array(32);
    expect(new Set(regions.map((region) => ring[region].fileName('x'))).size).toBe(regions.length);
    const keys = regions.map((region) => Buffer.from(ring[region].objectKey(salt)).toString('hex'));
    expect(new Set(keys).size).toBe(regions.length);
    expect(ring.eu.objectKey(new Uint8Array(32).fill(1))).not.toEqual(ring.eu.objectKey(salt));
  });

  it('is refused when others may read it', async () => {
    const path = join(folder, 'keyring.json');
    await openKeyring(path);
    await chmod(path, 0o640);
    await expect(openKeyring(path)).rejects.toMatchObject({ code: 'object.store_unavailable', retry: false });
  });

  for (const [name, text] of Object.entries({
    'not JSON': '{',
    'another version': JSON.stringify({
      version: 2,
      keys: Object.fromEntries(regions.map((r) => [r, 'a'.repeat(64)])),
    }),
    'no keys': JSON.stringify({ version: 1 }),
    'a short key': JSON.stringify({ version: 1, keys: Object.fromEntries(regions.map((r) => [r, 'ab'])) }),
    'a missing region': JSON.stringify({ version: 1, keys: { eu: 'a'.repeat(64) } }),
  })) {
    it(`is refused when broken: ${name}`, async () => {
      const path = join(folder, 'keyring.json');
      await writeFile(path, text, { mode: 0o600 });
      await expect(openKeyring(path)).rejects.toMatchObject({ code: 'object.store_unavailable', retry: false });
    });
  }
});
