/** Names below a folder in memory. */

import { errno, WasiError, type FolderNode, type Node } from './disk.ts';

const mostLinks = 16;

/** Where a path leads: its folder, its last name, and what is there. */
export interface Place {
  readonly parent: FolderNode;
  readonly name: string;
  readonly node: Node | undefined;
}

/**
 * Follows `path` from `start`, never above it: WASI gives a program folders, not a root. A link at the end is followed
 * only where `follow`; absolute links lead nowhere.
 */
export function locate(start: FolderNode, path: string, follow: boolean): Place {
  const trail: FolderNode[] = [start];
  const pending = parts(path);
  let links = 0;
  for (;;) {
    const name = pending.shift();
    const parent = trail.at(-1) ?? start;
    if (name === undefined) return { parent, name: '.', node: parent };
    if (name === '.') continue;
    if (name === '..') {
      if (trail.length === 1) throw new WasiError(errno.notCapable);
      trail.pop();
      continue;
    }
    const node = parent.entries.get(name);
    const isLast = pending.length === 0;
    if (node?.kind === 'link' && (!isLast || follow)) {
      links += 1;
      if (links > mostLinks) throw new WasiError(errno.tooManyLinks);
      pending.unshift(...parts(node.target));
    } else if (isLast) return { parent, name, node };
    else if (!node) throw new WasiError(errno.noEntry);
    else if (node.kind === 'folder') trail.push(node);
    else throw new WasiError(errno.notDirectory);
  }
}

function parts(path: string): string[] {
  if (path === '') throw new WasiError(errno.noEntry);
  if (path.startsWith('/')) throw new WasiError(errno.notCapable);
  if (path.includes('\0')) throw new WasiError(errno.invalid);
  return path.split('/').filter((part) => part !== '');
}

/** Regular files below `folder`, by relative path in code unit order. */
export function* filesBelow(folder: FolderNode, at = '', depth = 0): Generator<{ path: string; bytes: Uint8Array }> {
  if (depth > 64) return;
  for (const [name, node] of [...folder.entries].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const path = at === '' ? name : `${at}/${name}`;
    if (node.kind === 'folder') yield* filesBelow(node, path, depth + 1);
    else if (node.kind === 'file') yield { path, bytes: node.room.subarray(0, node.size) };
  }
}
