/** The calls of WASI on open files. */

import { fdFlags, fileType, type Opened } from './descriptors.ts';
import { errno, WasiError, type Node } from './disk.ts';
import type { Memory } from './memory.ts';
import type { Host } from './preview1.ts';

const everyRight = (1n << 30n) - 1n;
const direntBytes = 24;

export function typeOf(node: Node): number {
  return fileType[node.kind];
}

/** Writes a `filestat`. */
export function writeStat(memory: Memory, at: number, node: Node): void {
  memory.bytes(at, 64).fill(0);
  memory.u64(at, 1n);
  memory.u64(at + 8, node.inode);
  memory.u8(at + 16, typeOf(node));
  memory.u64(at + 24, BigInt(node.links));
  memory.u64(at + 32, BigInt(node.kind === 'file' ? node.size : 0));
  for (const offset of [40, 48, 56]) memory.u64(at + offset, node.modifiedNs);
}

/** A 64-bit offset as a number that a file can have. */
function offsetOf(value: bigint): number {
  if (value < 0n || value > 1n << 40n) throw new WasiError(errno.invalid);
  return Number(value);
}

type OpenFile = Extract<Opened, { kind: 'file' }>;

function readAt({ node, reads }: OpenFile, position: number, pieces: readonly Uint8Array[]): number {
  if (!reads) throw new WasiError(errno.badDescriptor);
  let at = position;
  for (const piece of pieces) {
    const part = node.room.subarray(at, Math.min(node.size, at + piece.length));
    piece.set(part);
    at += part.length;
    if (part.length < piece.length) break;
  }
  return at - position;
}

function writeAt(host: Host, { node, writes }: OpenFile, position: number, pieces: readonly Uint8Array[]): number {
  if (!writes) throw new WasiError(errno.badDescriptor);
  let at = position;
  for (const piece of pieces) {
    if (piece.length === 0) continue;
    host.disk.write(node, at, piece);
    at += piece.length;
  }
  return at - position;
}

export function fileCalls(host: Host) {
  return { ...transferCalls(host), ...positionCalls(host), ...descriptorCalls(host), ...folderCalls(host) };
}

function transferCalls({ memory, descriptors, ...host }: Host) {
  const full = { memory, descriptors, ...host };
  const answer = (at: number, count: number) => {
    memory().u32(at, count);
    return errno.success;
  };
  return {
    fd_read(descriptor: number, vectorsAt: number, count: number, readAtAddress: number) {
      const opened = descriptors.get(descriptor);
      if (opened.kind === 'stream') {
        if (opened.stream !== 'stdin') throw new WasiError(errno.badDescriptor);
        return answer(readAtAddress, 0);
      }
      const file = descriptors.file(descriptor);
      const read = readAt(file, file.position, memory().vectors(vectorsAt, count));
      file.position += read;
      return answer(readAtAddress, read);
    },
    fd_pread(descriptor: number, vectorsAt: number, count: number, offset: bigint, readAtAddress: number) {
      const pieces = memory().vectors(vectorsAt, count);
      return answer(readAtAddress, readAt(descriptors.file(descriptor), offsetOf(offset), pieces));
    },
    fd_write(descriptor: number, vectorsAt: number, count: number, writtenAt: number) {
      const pieces = memory().vectors(vectorsAt, count);
      const opened = descriptors.get(descriptor);
      if (opened.kind === 'stream') {
        if (opened.stream === 'stdin') throw new WasiError(errno.badDescriptor);
        for (const piece of pieces) host.say(opened.stream, piece);
        return answer(
          writtenAt,
          pieces.reduce((total, piece) => total + piece.length, 0),
        );
      }
      const file = descriptors.file(descriptor);
      const from = (file.flags & fdFlags.append) === 0 ? file.position : file.node.size;
      const written = writeAt(full, file, from, pieces);
      file.position = from + written;
      return answer(writtenAt, written);
    },
    fd_pwrite(descriptor: number, vectorsAt: number, count: number, offset: bigint, writtenAt: number) {
      const pieces = memory().vectors(vectorsAt, count);
      return answer(writtenAt, writeAt(full, descriptors.file(descriptor), offsetOf(offset), pieces));
    },
  };
}

function positionCalls({ memory, descriptors, disk }: Host) {
  return {
    fd_seek(descriptor: number, offset: bigint, whence: number, at: number) {
      const file = descriptors.file(descriptor);
      const base = [0, file.position, file.node.size][whence];
      if (base === undefined) throw new WasiError(errno.invalid);
      file.position = offsetOf(BigInt(base) + offset);
      memory().u64(at, BigInt(file.position));
      return errno.success;
    },
    fd_tell(descriptor: number, at: number) {
      memory().u64(at, BigInt(descriptors.file(descriptor).position));
      return errno.success;
    },
    fd_filestat_set_size(descriptor: number, size: bigint) {
      const { node, writes } = descriptors.file(descriptor);
      if (!writes) throw new WasiError(errno.badDescriptor);
      disk.resize(node, offsetOf(size));
      return errno.success;
    },
    fd_allocate(descriptor: number, offset: bigint, length: bigint) {
      const { node, writes } = descriptors.file(descriptor);
      if (!writes) throw new WasiError(errno.badDescriptor);
      const size = offsetOf(offset + length);
      if (size > node.size) disk.resize(node, size);
      return errno.success;
    },
    fd_advise: (descriptor: number) => known(descriptor),
    fd_sync: (descriptor: number) => known(descriptor),
    fd_datasync: (descriptor: number) => known(descriptor),
    fd_filestat_set_times: (descriptor: number) => known(descriptor),
  };
  function known(descriptor: number): number {
    descriptors.get(descriptor);
    return errno.success;
  }
}

function descriptorCalls({ memory, descriptors, ...host }: Host) {
  return {
    fd_close(descriptor: number) {
      descriptors.close(descriptor);
      return errno.success;
    },
    fd_renumber(from: number, to: number) {
      descriptors.renumber(from, to);
      return errno.success;
    },
    fd_fdstat_get(descriptor: number, at: number) {
      const opened = descriptors.get(descriptor);
      memory().bytes(at, 24).fill(0);
      memory().u8(at, opened.kind === 'stream' ? fileType.characterDevice : fileType[opened.kind]);
      memory().u16(at + 2, opened.kind === 'file' ? opened.flags : 0);
      memory().u64(at + 8, everyRight);
      memory().u64(at + 16, everyRight);
      return errno.success;
    },
    fd_fdstat_set_flags(descriptor: number, flags: number) {
      const opened = descriptors.get(descriptor);
      if (opened.kind === 'file') opened.flags = flags & 31;
      return errno.success;
    },
    fd_fdstat_set_rights(descriptor: number) {
      descriptors.get(descriptor);
      return errno.success;
    },
    fd_filestat_get(descriptor: number, at: number) {
      const opened = descriptors.get(descriptor);
      if (opened.kind !== 'stream') {
        writeStat(memory(), at, opened.node);
        return errno.success;
      }
      memory().bytes(at, 64).fill(0);
      memory().u8(at + 16, fileType.characterDevice);
      for (const offset of [40, 48, 56]) memory().u64(at + offset, host.nowNs('real'));
      return errno.success;
    },
  };
}

function folderCalls({ memory, descriptors }: Host) {
  const encoder = new TextEncoder();
  const preopened = (descriptor: number) => {
    const opened = descriptors.get(descriptor);
    if (opened.kind !== 'folder' || opened.preopened === undefined) throw new WasiError(errno.badDescriptor);
    return encoder.encode(opened.preopened);
  };
  return {
    fd_prestat_get(descriptor: number, at: number) {
      const name = preopened(descriptor);
      memory().u32(at, 0);
      memory().u32(at + 4, name.length);
      return errno.success;
    },
    fd_prestat_dir_name(descriptor: number, at: number, length: number) {
      const name = preopened(descriptor);
      if (length >>> 0 < name.length) throw new WasiError(errno.nameTooLong);
      memory().bytes(at, name.length).set(name);
      return errno.success;
    },
    /** Entries in code unit order of their names, so that a listing is the same everywhere. */
    fd_readdir(descriptor: number, at: number, length: number, cookie: bigint, usedAt: number) {
      const folder = descriptors.folder(descriptor);
      const entries = [...folder.entries].toSorted(([a], [b]) => (a < b ? -1 : 1));
      const listed: [string, Node][] = [['.', folder], ['..', folder], ...entries];
      const room = memory().bytes(at, length);
      let used = 0;
      for (let index = offsetOf(cookie); index < listed.length && used < room.length; index += 1) {
        const [name, node] = listed[index] ?? ['', folder];
        const bytes = encoder.encode(name);
        const entry = new Uint8Array(direntBytes + bytes.length);
        const view = new DataView(entry.buffer);
        view.setBigUint64(0, BigInt(index + 1), true);
        view.setBigUint64(8, node.inode, true);
        view.setUint32(16, bytes.length, true);
        entry[20] = typeOf(node);
        entry.set(bytes, direntBytes);
        const part = entry.subarray(0, room.length - used);
        room.set(part, used);
        used += part.length;
      }
      memory().u32(usedAt, used);
      return errno.success;
    },
  };
}
