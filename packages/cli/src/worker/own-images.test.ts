import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { copyAllowlist, ownImagesDir } from './own-images.ts';

test('copies the allowlist when it differs, and only then', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'assay-images-'));
  try {
    const built = join(folder, 'built');
    expect(await copyAllowlist(folder, built)).toBe(false);
    await mkdir(built);
    await writeFile(join(built, 'allowlist.json'), '[]\n');
    expect(await copyAllowlist(folder, built)).toBe(true);
    expect(await copyAllowlist(folder, built)).toBe(false);
    await writeFile(join(built, 'allowlist.json'), '[1]\n');
    expect(await copyAllowlist(folder, built)).toBe(true);
    expect(await readFile(join(ownImagesDir(folder), 'allowlist.json'), 'utf8')).toBe('[1]\n');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
