/** Phase one of taking a bundle in: the whole directory is checked against the limits, the headers and itself. */

import { limits, refuse } from '@assay/core';
import type { Entry, LocalFileHeader, ZipFile } from 'yauzl';
import { entryName } from './entry-kind.ts';
import { pathSet } from './path-set.ts';
import { malformed, type ZipEnd } from './zip-end.ts';

/** The bounds that a bundle keeps; the platform's own are in `limits`. */
export interface BundleLimits {
  readonly files: number;
  readonly fileBytes: number;
  readonly unpackedBytes: number;
  readonly ratio: number;
}

/** What `limits` allows. */
export const bundleLimits: BundleLimits = {
  files: limits.bundleFiles,
  fileBytes: limits.bundleFileBytes,
  unpackedBytes: limits.bundleUnpackedBytes,
  ratio: limits.bundleRatio,
};

/** A plain file of a bundle. */
export interface BundleEntry {
  readonly path: string;
  readonly entry: Entry;
}

/** Bytes of the archive that one entry takes: header, data and the description after it. */
interface Span {
  readonly path: string;
  readonly start: number;
  readonly end: number;
}

const hasDescriptor = 0x8;
const anyEncryption = 0x2041;
const localHeaderBytes = 30;

/**
 * Reads and checks every header; no content is unpacked. Refuses with a `bundle.…` code. What a Mac's archiver adds
 * (`__MACOSX/`, `.DS_Store`) is left out.
 */
export async function readDirectory(zip: ZipFile, end: ZipEnd, bounds: BundleLimits): Promise<BundleEntry[]> {
  const directory = end.directoryEnd - end.directoryStart;
  if (directory > limits.bundleDirectoryBytes) {
    throw tooLarge('bytes of directory', directory, limits.bundleDirectoryBytes);
  }
  const paths = pathSet();
  const found: BundleEntry[] = [];
  const spans: Span[] = [];
  let unpacked = 0;
  let directoryBytes = 0;
  for await (const entry of zip.eachEntry()) {
    directoryBytes += 46 + entry.fileNameLength + entry.extraFieldLength + entry.fileCommentLength;
    const { path, isFolder } = entryName(entry);
    spans.push(spanOf(path, entry, await zip.readLocalFileHeaderPromise(entry)));
    if (isLitter(path)) continue;
    paths.add(path, isFolder);
    if (isFolder) continue;
    checkSize(path, entry, bounds);
    unpacked += entry.uncompressedSize;
    if (unpacked > bounds.unpackedBytes) throw tooLarge('unpacked bytes', unpacked, bounds.unpackedBytes);
    found.push({ path, entry });
    if (found.length > bounds.files) throw tooLarge('files', found.length, bounds.files);
  }
  if (end.directoryStart + directoryBytes !== end.directoryEnd) {
    throw malformed('its directory holds more than its entries');
  }
  checkOverlap(spans, end.directoryStart);
  return found;
}

function isLitter(path: string): boolean {
  return path.startsWith('__MACOSX/') || path.split('/').at(-1) === '.DS_Store';
}

function checkSize(path: string, entry: Entry, bounds: BundleLimits): void {
  const { compressedSize, uncompressedSize } = entry;
  if (uncompressedSize > bounds.fileBytes) throw tooLarge('bytes of one file', uncompressedSize, bounds.fileBytes);
  if (uncompressedSize > limits.bundleRatioFreeBytes && uncompressedSize > bounds.ratio * compressedSize) {
    throw refuse('bundle.bomb', 'an entry of the bundle unpacks to far more than it takes', {
      path,
      compressedSize,
      uncompressedSize,
    });
  }
}

/** The bytes that an entry takes, after checking that its two headers tell one story. */
function spanOf(path: string, entry: Entry, local: LocalFileHeader): Span {
  const late = (local.generalPurposeBitFlag & hasDescriptor) !== 0;
  const unsaid = (value: number): boolean => value === 0xffffffff || (late && value === 0);
  const agrees =
    local.fileName.equals(entry.fileNameRaw) &&
    ((local.generalPurposeBitFlag ^ entry.generalPurposeBitFlag) & anyEncryption) === 0 &&
    local.compressionMethod === entry.compressionMethod &&
    (local.crc32 === entry.crc32 || (late && local.crc32 === 0)) &&
    (local.compressedSize === entry.compressedSize || unsaid(local.compressedSize)) &&
    (local.uncompressedSize === entry.uncompressedSize || unsaid(local.uncompressedSize));
  if (!agrees) throw malformed('an entry is described differently in two places', { path });
  const start = entry.relativeOffsetOfLocalHeader;
  const dataStart = start + localHeaderBytes + local.fileNameLength + local.extraFieldLength;
  // The description after the data has 12 to 24 bytes; the shortest form shows every overlap that matters.
  return { path, start, end: dataStart + entry.compressedSize + (late ? 12 : 0) };
}

function checkOverlap(spans: readonly Span[], directoryStart: number): void {
  let end = 0;
  for (const span of spans.toSorted((a, b) => a.start - b.start)) {
    if (span.start < end) {
      throw refuse('bundle.bomb', 'entries of the bundle share their bytes', { path: span.path });
    }
    end = span.end;
  }
  if (end > directoryStart) throw malformed('an entry reaches into the directory');
}

function tooLarge(what: string, found: number, most: number): Error {
  return refuse('bundle.too_large', `the bundle has ${found} ${what}; the most is ${most}`, { what, found, most });
}
