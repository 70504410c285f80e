/** A tree is a set of files by path: what a customer uploads, what a unit reads and what a replica writes. */

import { hashOf, type Sha256, type Sha256Hex } from './hash.ts';

export interface TreeFile {
  /** Relative, `/`-separated, without `.` or `..` parts. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: Sha256Hex;
}

export type Tree = readonly TreeFile[];

/** The digest of a tree: paths in code unit order, each with its size and hash. */
export function treeDigest(sha256: Sha256, tree: Tree): Sha256Hex {
  const files = tree.map((file) => ({ path: file.path, sha256: file.sha256, size: file.sizeBytes }));
  files.sort((a, b) => (a.path < b.path ? -1 : 1));
  return hashOf(sha256, 'tree', files);
}

const pathPart = /^[A-Za-z0-9_][A-Za-z0-9._ +@=,()-]*$/;
const windowsDevice = /^(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|$)/i;

/**
 * Whether `path` is safe on every file system: relative, at most 8 parts and 255 characters, each part of plain
 * characters, not a device name, not ending in a dot or space.
 */
export function isSafePath(path: string): boolean {
  if (path.length === 0 || path.length > 255) return false;
  const parts = path.split('/');
  if (parts.length > 8) return false;
  return parts.every((part) => pathPart.test(part) && !/[. ]$/.test(part) && !windowsDevice.test(part));
}
