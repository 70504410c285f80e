/** The calls of WASI on names below a folder that the program holds. */

import { errno, WasiError, type FolderNode, type Node } from './disk.ts';
import { locate } from './paths.ts';
import { writeStat } from './file-calls.ts';
import type { Host } from './preview1.ts';

const openFlags = { create: 1, directory: 2, exclusive: 4, truncate: 8 } as const;
const rights = { read: 1n << 1n, write: 1n << 6n } as const;
const followFlag = 1;

export function pathCalls(host: Host) {
  return { ...openCalls(host), ...statCalls(host), ...entryCalls(host), ...moveCalls(host) };
}

/** A place by a descriptor and a path in the program's memory. */
function placeOf(host: Host, descriptor: number, at: number, length: number, follow: boolean) {
  return locate(host.descriptors.folder(descriptor), host.memory().text(at, length), follow);
}

function existing(place: { readonly node: Node | undefined }): Node {
  if (!place.node) throw new WasiError(errno.noEntry);
  return place.node;
}

function openCalls(host: Host) {
  const { descriptors, disk, memory } = host;
  const openNode = (node: Node, flags: number, base: bigint, fdflags: number): number => {
    const writes = (base & rights.write) !== 0n;
    if (node.kind === 'link') throw new WasiError(errno.tooManyLinks);
    if (node.kind === 'folder') {
      if (writes || (flags & openFlags.truncate) !== 0) throw new WasiError(errno.isDirectory);
      return descriptors.add({ kind: 'folder', node });
    }
    if ((flags & openFlags.directory) !== 0) throw new WasiError(errno.notDirectory);
    if (writes && node.readOnly) throw new WasiError(errno.access);
    if ((flags & openFlags.truncate) !== 0) disk.resize(node, 0);
    const reads = (base & rights.read) !== 0n;
    return descriptors.add({ kind: 'file', node, reads, writes, flags: fdflags & 31, position: 0 });
  };
  return {
    path_open(
      descriptor: number,
      lookup: number,
      at: number,
      length: number,
      flags: number,
      base: bigint,
      _inheriting: bigint,
      fdflags: number,
      openedAt: number,
    ) {
      const place = placeOf(host, descriptor, at, length, (lookup & followFlag) !== 0);
      if (place.node && (flags & openFlags.exclusive) !== 0) throw new WasiError(errno.exists);
      let { node } = place;
      if (!node && (flags & openFlags.create) !== 0 && (flags & openFlags.directory) === 0) {
        node = disk.file(place.parent, place.name, new Uint8Array(), false);
      }
      memory().u32(openedAt, openNode(existing({ node }), flags, base, fdflags));
      return errno.success;
    },
  };
}

function statCalls(host: Host) {
  const { memory } = host;
  return {
    path_filestat_get(descriptor: number, lookup: number, at: number, length: number, statAt: number) {
      writeStat(memory(), statAt, existing(placeOf(host, descriptor, at, length, (lookup & followFlag) !== 0)));
      return errno.success;
    },
    path_filestat_set_times(descriptor: number, lookup: number, at: number, length: number) {
      existing(placeOf(host, descriptor, at, length, (lookup & followFlag) !== 0));
      return errno.success;
    },
    path_readlink(descriptor: number, at: number, length: number, textAt: number, room: number, usedAt: number) {
      const node = existing(placeOf(host, descriptor, at, length, false));
      if (node.kind !== 'link') throw new WasiError(errno.invalid);
      const bytes = new TextEncoder().encode(node.target).subarray(0, room >>> 0);
      memory().bytes(textAt, bytes.length).set(bytes);
      memory().u32(usedAt, bytes.length);
      return errno.success;
    },
  };
}

function entryCalls(host: Host) {
  const { disk, memory } = host;
  const remove = (parent: FolderNode, name: string) => {
    disk.remove(parent, name);
    return errno.success;
  };
  return {
    path_create_directory(descriptor: number, at: number, length: number) {
      const place = placeOf(host, descriptor, at, length, false);
      if (place.node) throw new WasiError(errno.exists);
      disk.folder(place.parent, place.name);
      return errno.success;
    },
    path_remove_directory(descriptor: number, at: number, length: number) {
      const place = placeOf(host, descriptor, at, length, false);
      const node = existing(place);
      if (node.kind !== 'folder') throw new WasiError(errno.notDirectory);
      if (place.name === '.') throw new WasiError(errno.invalid);
      if (node.entries.size > 0) throw new WasiError(errno.notEmpty);
      return remove(place.parent, place.name);
    },
    path_unlink_file(descriptor: number, at: number, length: number) {
      const place = placeOf(host, descriptor, at, length, false);
      if (existing(place).kind === 'folder') throw new WasiError(errno.isDirectory);
      return remove(place.parent, place.name);
    },
    path_symlink(targetAt: number, targetLength: number, descriptor: number, at: number, length: number) {
      const target = memory().text(targetAt, targetLength);
      const place = placeOf(host, descriptor, at, length, false);
      disk.link(place.parent, place.name, target);
      return errno.success;
    },
    /** One file under two names would make capturing it twice as large as it is. */
    path_link: () => errno.notSupported,
  };
}

function moveCalls(host: Host) {
  const { disk } = host;
  return {
    path_rename(from: number, at: number, length: number, to: number, newAt: number, newLength: number) {
      const old = placeOf(host, from, at, length, false);
      const place = placeOf(host, to, newAt, newLength, false);
      const node = existing(old);
      if (node === place.node) return errno.success;
      if (old.name === '.' || place.name === '.') throw new WasiError(errno.invalid);
      if (node.kind === 'folder' && holds(node, place.parent)) throw new WasiError(errno.invalid);
      if (place.node) makeWay(node, place.node);
      // Two names for a moment, so that the node is never nobody's.
      if (place.node) disk.remove(place.parent, place.name);
      disk.enter(place.parent, place.name, node);
      disk.remove(old.parent, old.name);
      return errno.success;
    },
  };
}

/** What is replaced must be of the same kind, and a folder empty. */
function makeWay(node: Node, replaced: Node): void {
  if (replaced.kind === 'folder') {
    if (node.kind !== 'folder') throw new WasiError(errno.isDirectory);
    if (replaced.entries.size > 0) throw new WasiError(errno.notEmpty);
  } else if (node.kind === 'folder') throw new WasiError(errno.notDirectory);
}

function holds(folder: FolderNode, sought: FolderNode): boolean {
  if (folder === sought) return true;
  return [...folder.entries.values()].some((node) => node.kind === 'folder' && holds(node, sought));
}
