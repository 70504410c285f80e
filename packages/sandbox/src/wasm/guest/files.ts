/** The interpreter's in-memory file system: its quota, and reading the outputs out of it. */

import { resized } from './room.ts';

/** The part of Emscripten's file system that the guest uses. */
export interface MemoryFiles {
  readonly filesystems: { readonly MEMFS: MemoryFileOps };
  readonly ErrnoError: new (errno: number) => Error;
  readonly streams: readonly (FileStream | null | undefined)[];
  mkdirTree(path: string): void;
  /** With `canOwn` the bytes become the file's, else they are copied. */
  writeFile(path: string, bytes: Uint8Array, options?: { canOwn: boolean }): void;
  readdir(path: string): string[];
  lookupPath(path: string, options: { follow: boolean }): { node: FileNode };
  chmod(path: string, mode: number): void;
  chdir(path: string): void;
  unlink(path: string): void;
  createDevice(folder: string, name: string, read: () => number): void;
  makedev(kind: number, device: number): number;
  registerDevice(device: number, operations: Partial<DeviceOps>): void;
  mkdev(path: string, device: number): void;
  open(path: string, flags: number): { readonly fd: number };
  close(stream: FileStream): void;
  readFile(path: string): Uint8Array;
  rmdir(path: string): void;
  isDir(mode: number): boolean;
  cwd(): string;
  isFile(mode: number): boolean;
  /** The number that the next file gets. */
  nextInode: number;
}

interface DeviceOps {
  open(stream: { seekable: boolean }): void;
  write(stream: FileStream, buffer: Uint8Array, offset: number, length: number): number;
}

interface FileNode {
  readonly id: number;
  readonly mode: number;
  atime?: number;
  mtime?: number;
  ctime?: number;
  usedBytes?: number;
  /** A file's bytes (of either byte array type), a folder's entries. */
  contents?: Uint8Array | Int8Array | Record<string, FileNode>;
}

interface FileStream {
  readonly node?: FileNode;
}

interface MemoryFileOps {
  createNode(parent: FileNode | null, name: string, mode: number, dev: number): FileNode;
  expandFileStorage(node: FileNode, capacity: number): void;
  resizeFileStorage(node: FileNode, size: number): void;
  stream_ops: {
    write: (stream: FileStream, buffer: Uint8Array, offset: number, length: number, ...rest: number[]) => number;
  };
  ops_table: { file: { stream: MemoryFileOps['stream_ops'] } } | null;
}

const errnoNoSpace = 51;

/**
 * Bounds what the job adds to the in-memory files from here on; one byte or file more is ENOSPC. A running estimate is
 * kept, and the files are counted afresh only when it reaches the bound.
 */
export function limitFiles(files: MemoryFiles, maxBytes: number, maxFiles: number): void {
  const memory = files.filesystems.MEMFS;
  const base = count(files);
  let estimate = base;
  const admit = (addBytes: number, addFiles: number) => {
    estimate = { bytes: estimate.bytes + addBytes, files: estimate.files + addFiles };
    if (estimate.bytes - base.bytes <= maxBytes && estimate.files - base.files <= maxFiles) return;
    const exact = count(files);
    estimate = { bytes: exact.bytes + addBytes, files: exact.files + addFiles };
    if (estimate.bytes - base.bytes <= maxBytes && estimate.files - base.files <= maxFiles) return;
    estimate = exact;
    throw new files.ErrnoError(errnoNoSpace);
  };
  const { createNode } = memory;
  const write = memory.stream_ops.write;
  /** In the place of Emscripten's own, which copies and leaves the old bytes to V8. */
  const provide = (node: FileNode, size: number) => {
    const bytes = (ArrayBuffer.isView(node.contents) ? node.contents : new Uint8Array()) as Uint8Array<ArrayBuffer>;
    try {
      node.contents = resized(bytes, size, maxBytes + base.bytes);
    } catch {
      throw new files.ErrnoError(errnoNoSpace);
    }
  };
  memory.createNode = (parent, name, mode, dev) => {
    admit(0, 1);
    const node = createNode(parent, name, mode, dev);
    if (files.isDir(node.mode)) node.contents = Object.create(null) as Record<string, FileNode>;
    return node;
  };
  memory.expandFileStorage = (node, wanted) => {
    const before = capacity(node);
    if (wanted <= before) return;
    const room = Math.max(wanted, Math.min(before * 2, before + (1 << 20)));
    admit(room - before, 0);
    provide(node, room);
  };
  memory.resizeFileStorage = (node, size) => {
    if (node.usedBytes === size) return;
    admit(Math.max(0, size - capacity(node)), 0);
    const used = Math.min(node.usedBytes ?? 0, size);
    provide(node, size);
    if (ArrayBuffer.isView(node.contents)) node.contents.fill(0, used);
    node.usedBytes = size;
  };
  const bounded: typeof write = (stream, buffer, offset, length, ...rest) => {
    if (stream.node?.usedBytes === 0) admit(Math.max(0, length - capacity(stream.node)), 0);
    return write(stream, buffer, offset, length, ...rest);
  };
  memory.stream_ops.write = bounded;
  if (memory.ops_table) memory.ops_table.file.stream.write = bounded;
}

function capacity(node: FileNode): number {
  return ArrayBuffer.isView(node.contents) ? node.contents.length : 0;
}

/** Bytes and entries reachable by a path or held open. */
function count(files: MemoryFiles): { bytes: number; files: number } {
  const nodes = everyNode(files);
  let bytes = 0;
  for (const node of nodes) bytes += capacity(node);
  return { bytes, files: nodes.size };
}

/** What is reachable by a path or held open. */
export function everyNode(files: MemoryFiles): ReadonlySet<FileNode> {
  const seen = new Set<FileNode>();
  const pending = [files.lookupPath('/', { follow: false }).node];
  for (const stream of files.streams) if (stream?.node) pending.push(stream.node);
  for (let node = pending.pop(); node; node = pending.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    if (!ArrayBuffer.isView(node.contents) && files.isDir(node.mode) && node.contents)
      pending.push(...Object.values(node.contents));
  }
  return seen;
}

/** Takes the folder away with everything in it. */
export function removeTree(files: MemoryFiles, path: string): void {
  for (const name of files.readdir(path)) {
    if (name === '.' || name === '..') continue;
    const below = `${path}/${name}`;
    if (files.isDir(files.lookupPath(below, { follow: false }).node.mode)) removeTree(files, below);
    else files.unlink(below);
  }
  files.rmdir(path);
}

/** Regular files below `root`, by relative path in code unit order; links and devices are passed over. */
export function* regularFiles(files: MemoryFiles, root: string): Generator<{ path: string; bytes: Uint8Array }> {
  let top: FileNode;
  try {
    top = files.lookupPath(root, { follow: false }).node;
  } catch {
    return;
  }
  yield* walk(files, top, '', 0);
}

function* walk(
  files: MemoryFiles,
  node: FileNode,
  at: string,
  depth: number,
): Generator<{ path: string; bytes: Uint8Array }> {
  const entries = node.contents;
  if (!files.isDir(node.mode) || !entries || ArrayBuffer.isView(entries) || depth > 64) return;
  for (const name of Object.keys(entries).toSorted()) {
    const child = entries[name];
    if (!child) continue;
    const path = at === '' ? name : `${at}/${name}`;
    if (files.isDir(child.mode)) yield* walk(files, child, path, depth + 1);
    else if (files.isFile(child.mode) && ArrayBuffer.isView(child.contents)) {
      const { buffer, byteOffset } = child.contents;
      yield { path, bytes: new Uint8Array(buffer, byteOffset, child.usedBytes ?? 0) };
    }
  }
}
