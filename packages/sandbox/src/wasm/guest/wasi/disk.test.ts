import { expect, it } from 'vitest';
import { errno, memoryDisk, type FolderNode } from './disk.ts';
import { filesBelow, locate } from './paths.ts';

const bytes = (length: number) => new Uint8Array(length).fill(1);

function world() {
  const disk = memoryDisk(() => 7n);
  const job = disk.folder(disk.root, 'job');
  disk.file(disk.root, 'secret', bytes(1), false);
  disk.folder(job, 'results');
  disk.file(job, 'in', bytes(3), true);
  return { disk, job };
}

it.each([
  ['..', errno.notCapable],
  ['../secret', errno.notCapable],
  ['results/../../secret', errno.notCapable],
  ['/secret', errno.notCapable],
  ['up/secret', errno.notCapable],
  ['far/secret', errno.notCapable],
  ['loop/x', errno.tooManyLinks],
  ['in/x', errno.notDirectory],
  ['gone/x', errno.noEntry],
  ['', errno.noEntry],
  ['a\0b', errno.invalid],
])('lets nothing out of a folder by %j', (path, number) => {
  const { disk, job } = world();
  disk.link(job, 'up', '..');
  disk.link(job, 'far', '/');
  disk.link(job, 'loop', 'loop');
  expect(() => locate(job, path, true)).toThrow(`errno ${number}`);
});

it('follows links inside, and one at the end only when it is asked to', () => {
  const { disk, job } = world();
  disk.link(job, 'here', 'results/../in');
  expect(locate(job, 'here', true).node?.kind).toBe('file');
  expect(locate(job, './here', false).node?.kind).toBe('link');
  expect(locate(job, 'results/new', true)).toMatchObject({ name: 'new', node: undefined });
});

it('counts bytes and entries exactly, and gives back what goes', () => {
  const { disk, job } = world();
  disk.bound(100, 2);
  const file = disk.file(job, 'a', bytes(100), false);
  expect(() => disk.write(file, 100, bytes(1))).toThrow(`errno ${errno.noSpace}`);
  disk.folder(job, 'b');
  expect(() => disk.folder(job, 'c')).toThrow(`errno ${errno.noSpace}`);
  disk.opened(file);
  disk.remove(job, 'a');
  expect(() => disk.file(job, 'c', bytes(1), false)).toThrow(`errno ${errno.noSpace}`);
  disk.closed(file);
  expect(disk.file(job, 'c', bytes(100), false).size).toBe(100);
});

it('refuses names that are none, names that are taken, and changes to inputs', () => {
  const { disk, job } = world();
  for (const name of ['', '.', '..', 'a/b', 'é'.repeat(128)]) expect(() => disk.folder(job, name)).toThrow('errno');
  expect(() => disk.folder(job, 'results')).toThrow(`errno ${errno.exists}`);
  const input = job.entries.get('in');
  if (input?.kind !== 'file') throw new Error('a file');
  expect(() => disk.write(input, 0, bytes(1))).toThrow(`errno ${errno.access}`);
  expect(() => disk.resize(input, 0)).toThrow(`errno ${errno.access}`);
});

it('shows zeros, not old bytes, in what a file grows over', () => {
  const { disk, job } = world();
  const file = disk.file(job, 'a', bytes(8), false);
  disk.resize(file, 2);
  disk.resize(file, 6);
  expect([...file.room.subarray(0, file.size)]).toEqual([1, 1, 0, 0, 0, 0]);
});

it('hands out regular files in order, however they are named, and stops far down', () => {
  const { disk, job } = world();
  for (const name of ['b', '__proto__', 'constructor']) disk.file(job, name, bytes(1), false);
  disk.link(job, 'link', 'b');
  let folder: FolderNode = disk.folder(job, 'deep');
  for (let depth = 0; depth < 100; depth += 1) folder = disk.folder(folder, 'd');
  disk.file(folder, 'far', bytes(1), false);
  expect([...filesBelow(job)].map(({ path }) => path)).toEqual(['__proto__', 'b', 'constructor', 'in']);
});
