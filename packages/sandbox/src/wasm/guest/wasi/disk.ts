/** The in-memory files of a WASI program: folders, files and links under one root, bounded in bytes and number. */

import { resized } from '../room.ts';

/** Numbers of `errno` in WASI preview 1. */
export const errno = {
  success: 0,
  access: 2,
  badDescriptor: 8,
  exists: 20,
  fault: 21,
  fileTooLarge: 22,
  invalid: 28,
  isDirectory: 31,
  tooManyLinks: 32,
  tooManyOpen: 33,
  nameTooLong: 37,
  noEntry: 44,
  noSpace: 51,
  notImplemented: 52,
  notDirectory: 54,
  notEmpty: 55,
  notSupported: 58,
  notPermitted: 63,
  badPipe: 70,
  crossDevice: 75,
  notCapable: 76,
} as const;

/** Thrown by the files' operations and answered to the program as its number. */
export class WasiError extends Error {
  override readonly name = 'WasiError';
  readonly errno: number;
  constructor(number: number) {
    super(`errno ${number}`);
    this.errno = number;
  }
}

interface Common {
  readonly inode: bigint;
  /** Entries that name it. */
  links: number;
  /** Descriptors that hold it open. */
  opens: number;
  modifiedNs: bigint;
}

export interface FileNode extends Common {
  readonly kind: 'file';
  readonly readOnly: boolean;
  /** Room for the contents; the first `size` bytes count. */
  room: Uint8Array<ArrayBuffer>;
  size: number;
}

export interface FolderNode extends Common {
  readonly kind: 'folder';
  readonly entries: Map<string, Node>;
}

export interface LinkNode extends Common {
  readonly kind: 'link';
  readonly target: string;
}

export type Node = FileNode | FolderNode | LinkNode;

export interface Disk {
  readonly root: FolderNode;
  folder(parent: FolderNode, name: string): FolderNode;
  /** A file with `contents` that nobody can change where `readOnly`. */
  file(parent: FolderNode, name: string, contents: Uint8Array<ArrayBuffer>, readOnly: boolean): FileNode;
  link(parent: FolderNode, name: string, target: string): LinkNode;
  /** Names an existing node once more, or under another name. */
  enter(parent: FolderNode, name: string, node: Node): void;
  /** Takes a name away; the node goes when nothing names it or holds it open. */
  remove(parent: FolderNode, name: string): void;
  opened(node: Node): void;
  closed(node: Node): void;
  /** Makes the file `size` bytes long. */
  resize(file: FileNode, size: number): void;
  write(file: FileNode, at: number, bytes: Uint8Array): void;
  /** From here on, so many bytes and entries may be added. */
  bound(maxBytes: number, maxEntries: number): void;
}

const nameBytes = 255;
const largestFile = 2 ** 32;

/** What may still be added; a negative charge gives back. */
function space() {
  let leftBytes = Number.POSITIVE_INFINITY;
  let leftEntries = Number.POSITIVE_INFINITY;
  return {
    leftBytes: () => leftBytes,
    charge(bytes: number, entries: number) {
      if (bytes > leftBytes || entries > leftEntries) throw new WasiError(errno.noSpace);
      leftBytes -= bytes;
      leftEntries -= entries;
    },
    bound(maxBytes: number, maxEntries: number) {
      leftBytes = maxBytes;
      leftEntries = maxEntries;
    },
  };
}

/** Changes to what files hold. */
function fileContents({ charge, leftBytes: mostBytes }: ReturnType<typeof space>, nowNs: () => bigint) {
  const provide = (file: FileNode, size: number) => {
    if (size > largestFile) throw new WasiError(errno.fileTooLarge);
    if (size <= file.room.length) return;
    const wanted = Math.max(size, Math.min(file.room.length * 2, file.room.length + (1 << 20)));
    charge(wanted - file.room.length, 0);
    file.room = resized(file.room, wanted, Math.min(largestFile, mostBytes() + file.room.length));
  };
  const demandWritable = (file: FileNode) => {
    if (file.readOnly) throw new WasiError(errno.access);
    file.modifiedNs = nowNs();
  };
  return {
    resize(file: FileNode, size: number) {
      demandWritable(file);
      if (size === 0) {
        charge(-file.room.length, 0);
        file.room = resized(file.room, 0, 0);
      }
      provide(file, size);
      if (size < file.size) file.room.fill(0, size, file.size);
      file.size = size;
    },
    write(file: FileNode, at: number, bytes: Uint8Array) {
      demandWritable(file);
      provide(file, at + bytes.length);
      file.room.set(bytes, at);
      file.size = Math.max(file.size, at + bytes.length);
    },
  };
}

/** An empty disk; `nowNs` dates what changes. */
export function memoryDisk(nowNs: () => bigint): Disk {
  const spaces = space();
  const { charge, bound } = spaces;
  let lastInode = 0n;
  const common = (): Common => {
    lastInode += 1n;
    return { inode: lastInode, links: 0, opens: 0, modifiedNs: nowNs() };
  };
  const discard = (node: Node) => {
    if (node.links > 0 || node.opens > 0) return;
    charge(node.kind === 'file' ? -node.room.length : 0, -1);
    if (node.kind === 'file') node.room = resized(node.room, 0, 0);
  };
  const enter = (parent: FolderNode, name: string, node: Node) => {
    if (name === '' || name === '.' || name === '..' || name.includes('/')) throw new WasiError(errno.invalid);
    if (new TextEncoder().encode(name).length > nameBytes) throw new WasiError(errno.nameTooLong);
    if (parent.entries.has(name)) throw new WasiError(errno.exists);
    parent.entries.set(name, node);
    parent.modifiedNs = nowNs();
    node.links += 1;
  };
  const created = <N extends Node>(parent: FolderNode, name: string, node: N): N => {
    charge(node.kind === 'file' ? node.room.length : 0, 1);
    try {
      enter(parent, name, node);
    } catch (error) {
      discard(node);
      throw error;
    }
    return node;
  };
  return {
    root: { kind: 'folder', ...common(), links: 1, entries: new Map() },
    folder: (parent, name) => created(parent, name, { kind: 'folder', ...common(), entries: new Map() }),
    file: (parent, name, contents, readOnly) =>
      created(parent, name, { kind: 'file', ...common(), readOnly, room: contents, size: contents.length }),
    link: (parent, name, target) => created(parent, name, { kind: 'link', ...common(), target }),
    enter,
    remove(parent, name) {
      const node = parent.entries.get(name);
      if (!node) throw new WasiError(errno.noEntry);
      parent.entries.delete(name);
      parent.modifiedNs = nowNs();
      node.links -= 1;
      discard(node);
    },
    opened(node) {
      node.opens += 1;
    },
    closed(node) {
      node.opens -= 1;
      discard(node);
    },
    ...fileContents(spaces, nowNs),
    bound,
  };
}
