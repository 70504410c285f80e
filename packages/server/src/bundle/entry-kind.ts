/** What an entry of a zip is, from its header alone: a plain file, a folder, or something that is refused. */

import { refuse } from '@assay/core';
import type { Entry } from 'yauzl';
import { malformed } from './zip-end.ts';

/** The name of an entry as plain characters, and whether it is a folder's. */
export interface EntryName {
  readonly path: string;
  readonly isFolder: boolean;
}

const flags = { encrypted: 0x1, patch: 0x20, strongEncryption: 0x40, maskedHeaders: 0x2000 };
const stored = 0;
const deflated = 8;
const unixType = { mask: 0xf000, file: 0x8000, folder: 0x4000 };
const dosAttribute = { volume: 0x08, folder: 0x10, device: 0x40, link: 0x400 };
const unicodePathField = 0x7075;

/**
 * The name and kind of an entry. Refuses `bundle.unsafe_entry` for links, devices and encrypted content,
 * `bundle.unsafe_path` for names outside plain ASCII or given twice, `bundle.malformed` for other compression.
 */
export function entryName(entry: Entry): EntryName {
  const raw = entry.fileNameRaw;
  const path = raw.toString('latin1');
  // Characters beyond ASCII have twins that look alike or normalise alike, and encodings that readers disagree on.
  if (!/^[\x20-\x7e]+$/.test(path)) {
    throw refuse('bundle.unsafe_path', 'a name in the bundle has characters outside plain ASCII', {
      path: raw.toString('utf8').slice(0, 300),
    });
  }
  for (const field of entry.extraFields) {
    if (field.id === unicodePathField && field.data.subarray(5).toString('utf8') !== path) {
      throw refuse('bundle.unsafe_path', 'an entry carries two names', { path });
    }
  }
  return { path, isFolder: checkKind(entry, path) };
}

function checkKind(entry: Entry, path: string): boolean {
  const flag = entry.generalPurposeBitFlag;
  if ((flag & (flags.encrypted | flags.strongEncryption | flags.maskedHeaders)) !== 0) {
    throw refuse('bundle.unsafe_entry', 'the bundle holds an encrypted entry', { path });
  }
  const method = entry.compressionMethod;
  if ((flag & flags.patch) !== 0 || (method !== stored && method !== deflated)) {
    throw malformed('an entry is compressed in a way other than deflate', { path, method });
  }
  const isFolder = path.endsWith('/');
  const type = (entry.externalFileAttributes >>> 16) & unixType.mask;
  const expected = isFolder ? unixType.folder : unixType.file;
  if (type !== 0 && type !== expected) {
    throw refuse('bundle.unsafe_entry', `the bundle holds a link or a special file: ${path}`, { path });
  }
  const attributes = entry.externalFileAttributes & 0xffff;
  if ((attributes & (dosAttribute.volume | dosAttribute.device | dosAttribute.link)) !== 0) {
    throw refuse('bundle.unsafe_entry', `the bundle holds an entry that is neither a file nor a folder: ${path}`, {
      path,
    });
  }
  if (!isFolder && (attributes & dosAttribute.folder) !== 0) {
    throw refuse('bundle.unsafe_entry', 'a folder in the bundle is named like a file', { path });
  }
  if (isFolder && entry.uncompressedSize !== 0) {
    throw refuse('bundle.unsafe_entry', 'a folder in the bundle has content', { path });
  }
  return isFolder;
}
