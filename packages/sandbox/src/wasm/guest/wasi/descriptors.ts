/** The open files of a WASI program. */

import { errno, WasiError, type Disk, type FileNode, type FolderNode, type Node } from './disk.ts';

export const fileType = { unknown: 0, characterDevice: 2, folder: 3, file: 4, link: 7 } as const;

/** Flags of a descriptor. */
export const fdFlags = { append: 1, dsync: 2, nonBlock: 4, rsync: 8, sync: 16 } as const;

export type Opened =
  | { readonly kind: 'stream'; readonly stream: 'stdin' | 'stdout' | 'stderr' }
  /** `preopened` is the name under which the program finds it. */
  | { readonly kind: 'folder'; readonly node: FolderNode; readonly preopened?: string }
  | {
      readonly kind: 'file';
      readonly node: FileNode;
      readonly reads: boolean;
      readonly writes: boolean;
      flags: number;
      position: number;
    };

export interface Descriptors {
  get(descriptor: number): Opened;
  folder(descriptor: number): FolderNode;
  file(descriptor: number): Extract<Opened, { kind: 'file' }>;
  add(opened: Opened): number;
  close(descriptor: number): void;
  /** Moves `from` onto `to`, which is closed first. */
  renumber(from: number, to: number): void;
}

/** A table with the three streams and the folders that the program is given. */
export function descriptorTable(disk: Disk, preopened: readonly [string, FolderNode][], most: number): Descriptors {
  const table = new Map<number, Opened>();
  for (const stream of ['stdin', 'stdout', 'stderr'] as const) table.set(table.size, { kind: 'stream', stream });
  const nodeOf = (opened: Opened): Node | undefined => (opened.kind === 'stream' ? undefined : opened.node);
  const get = (descriptor: number) => {
    const opened = table.get(descriptor);
    if (!opened) throw new WasiError(errno.badDescriptor);
    return opened;
  };
  const add = (opened: Opened) => {
    if (table.size >= most) throw new WasiError(errno.tooManyOpen);
    let descriptor = 3;
    while (table.has(descriptor)) descriptor += 1;
    table.set(descriptor, opened);
    const node = nodeOf(opened);
    if (node) disk.opened(node);
    return descriptor;
  };
  const close = (descriptor: number) => {
    const node = nodeOf(get(descriptor));
    table.delete(descriptor);
    if (node) disk.closed(node);
  };
  for (const [name, node] of preopened) add({ kind: 'folder', node, preopened: name });
  return {
    get,
    folder(descriptor) {
      const opened = get(descriptor);
      if (opened.kind !== 'folder') throw new WasiError(errno.notDirectory);
      return opened.node;
    },
    file(descriptor) {
      const opened = get(descriptor);
      if (opened.kind === 'folder') throw new WasiError(errno.isDirectory);
      if (opened.kind === 'stream') throw new WasiError(errno.badPipe);
      return opened;
    },
    add,
    close,
    renumber(from, to) {
      const moved = get(from);
      get(to);
      if (from === to) return;
      close(to);
      table.delete(from);
      table.set(to, moved);
    },
  };
}
