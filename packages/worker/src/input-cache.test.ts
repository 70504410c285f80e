import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Sha256Hex } from '@assay/core';
import { hashOfText, treeOf } from './fake-server.setup.ts';
import { inputCache, type InputCache } from './input-cache.ts';

let folder: string;
let now: number;
let asked: string[];
let cache: InputCache;
const texts = { a: 'aaaa', b: 'bbbb', c: 'cccc' };

async function* once(text: string): AsyncIterable<Uint8Array> {
  yield Buffer.from(text);
}
const wrong = async () => once('bad!');

const source = async (hash: Sha256Hex) => {
  asked.push(hash);
  const text = Object.values(texts).find((candidate) => hashOfText(candidate) === hash) ?? '';
  return once(text);
};

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-cache-'));
  now = 1_800_000_000_000;
  asked = [];
  cache = inputCache({ folder, maxBytes: 8, clock: { nowMs: () => (now += 1000) } });
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it('downloads each content once, also for two at a time', async () => {
  const tree = treeOf({ x: texts.a, 'y/z': texts.a });
  const [one, two] = await Promise.all([cache.hold(tree, source), cache.hold(tree, source)]);
  expect(asked).toEqual([hashOfText(texts.a)]);
  expect(one.files.map((file) => file.path)).toEqual(['x', 'y/z']);
  expect(await readFile(two.files[1]!.hostPath, 'utf8')).toBe(texts.a);
});

it('lets the longest unused go when room is needed, never what is in use', async () => {
  const a = await cache.hold(treeOf({ a: texts.a }), source);
  (await cache.hold(treeOf({ b: texts.b }), source)).release();
  (await cache.hold(treeOf({ c: texts.c }), source)).release();
  expect((await readdir(folder)).toSorted()).toEqual([hashOfText(texts.a), hashOfText(texts.c)].toSorted());
  a.release();
  (await cache.hold(treeOf({ c: texts.c }), source)).release();
  (await cache.hold(treeOf({ b: texts.b }), source)).release();
  expect(await readdir(folder)).not.toContain(hashOfText(texts.a));
});

it('asks again after a failed download', async () => {
  await expect(cache.hold(treeOf({ a: texts.a }), wrong)).rejects.toMatchObject({ code: 'object.hash_mismatch' });
  expect(await readdir(folder)).toEqual([]);
  const held = await cache.hold(treeOf({ a: texts.a }), source);
  expect(await readFile(held.files[0]!.hostPath, 'utf8')).toBe(texts.a);
});

it('makes empty files without asking for them, for nobody uploads them', async () => {
  const held = await cache.hold(treeOf({ 'inputs/0000/log.txt': '', 'inputs/0001/log.txt': '' }), source);
  expect(asked).toEqual([]);
  expect(await readFile(held.files[1]!.hostPath, 'utf8')).toBe('');
  const claimed = [{ path: 'x', sizeBytes: 0, sha256: hashOfText(texts.a) }];
  await expect(cache.hold(claimed, source)).rejects.toMatchObject({ code: 'object.hash_mismatch' });
});
