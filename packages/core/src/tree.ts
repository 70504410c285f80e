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

const windowsDevice = '(?:[Cc][Oo][Nn]|[Pp][Rr][Nn]|[Aa][Uu][Xx]|[Nn][Uu][Ll]|[Cc][Oo][Mm][0-9]|[Ll][Pp][Tt][0-9])';
const pathPart = `(?!${windowsDevice}(?:[./]|$))[A-Za-z0-9_](?:[A-Za-z0-9._ +@=,()-]*[A-Za-z0-9_+@=,()-])?`;

/** The regular expression, for JSON Schema, that safe paths match. */
export const safePathPattern = `^(?=.{1,255}$)${pathPart}(?:/${pathPart}){0,7}$`;

/** The same for a folder, which may be written with a slash at its end. */
export const safeFolderPattern = `^(?=.{1,255}$)${pathPart}(?:/${pathPart}){0,7}/?$`;

const safePath = new RegExp(safePathPattern, 'u');

/**
 * Whether `path` is safe on every file system: relative, at most 8 parts and 255 characters, each part of plain
 * characters, not starting with a dot, not ending in a dot or space, not a device name of Windows.
 */
export function isSafePath(path: string): boolean {
  return safePath.test(path);
}
