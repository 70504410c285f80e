import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { allowImage, readAllowlist, type AllowedImage } from './allowlist.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'assay-allowlist-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function entry(name: string, digit: string, architecture: AllowedImage['architecture'] = 'amd64'): AllowedImage {
  return {
    runner: `platform-runner:${name}`,
    architecture,
    image: `sha256:${digit.repeat(64)}`,
    recipe: digit.repeat(64),
    programs: ['python', 'shell'],
  };
}

test('holds one image for each runner and processor, the last one allowed', async () => {
  expect(readAllowlist(folder)).toEqual([]);
  await allowImage(folder, entry('r', '1'));
  await allowImage(folder, entry('python', '2'));
  await allowImage(folder, entry('python', '3', 'arm64'));
  await allowImage(folder, entry('python', '4'));
  expect(readAllowlist(folder)).toEqual([entry('python', '3', 'arm64'), entry('python', '4'), entry('r', '1')]);
  expect(readdirSync(folder)).toEqual(['allowlist.json']);
});

test('loses nothing to writers at the same time', async () => {
  const entries = Array.from({ length: 8 }, (_, index) => entry(`n${index}`, String(index)));
  await Promise.all(entries.map((one) => allowImage(folder, one)));
  expect(readAllowlist(folder)).toEqual(entries);
});

test.each([
  ['a tag in the place of a digest', { image: 'python:latest' }],
  ['a digest that is too short', { image: 'sha256:12' }],
  ['a runner of somebody else', { runner: 'evil/image:1' }],
  ['an unknown key', { pull: true }],
])('allows nothing where an entry has %s', (_what, change) => {
  writeFileSync(join(folder, 'allowlist.json'), JSON.stringify([entry('r', '1'), { ...entry('x', '2'), ...change }]));
  expect(readAllowlist(folder)).toEqual([]);
});
