/** The end record of a zip: how many entries there are and where their directory lies. One reading, or a refusal. */

import type { FileHandle } from 'node:fs/promises';
import { limits, refuse, type Refusal } from '@assay/core';

const endBytes = 22;
const endSignature = 0x06054b50;
const zip64LocatorBytes = 20;
const zip64LocatorSignature = 0x07064b50;
const commentBytes = 0xffff;

/** Where the central directory lies. */
export interface ZipEnd {
  readonly entries: number;
  readonly directoryStart: number;
  readonly directoryEnd: number;
}

/**
 * Finds the end record of a plain, single-part zip. Refuses `bundle.malformed` where readers could disagree: more than
 * one possible end record, bytes after it, counts or sizes that do not add up, or the 64-bit form, which no bundle needs;
 * and `bundle.too_large`.
 */
export async function readZipEnd(file: FileHandle): Promise<ZipEnd> {
  const { size } = await file.stat();
  if (size > limits.bundleZipBytes) {
    throw refuse('bundle.too_large', `a bundle may have ${limits.bundleZipBytes} bytes`, { size });
  }
  const tail = Buffer.alloc(Math.min(size, endBytes + commentBytes + zip64LocatorBytes));
  await file.read(tail, 0, tail.length, size - tail.length);
  const at = onlyEndRecord(tail);
  const record = tail.subarray(at);
  const position = size - tail.length + at;
  if (at >= zip64LocatorBytes && tail.readUInt32LE(at - zip64LocatorBytes) === zip64LocatorSignature) {
    throw malformed('it uses the 64-bit end record, which files of this size do not need');
  }
  const entries = record.readUInt16LE(10);
  if (record.readUInt16LE(4) !== 0 || record.readUInt16LE(6) !== 0 || record.readUInt16LE(8) !== entries) {
    throw malformed('it is one part of several');
  }
  const directoryStart = record.readUInt32LE(16);
  const directoryEnd = directoryStart + record.readUInt32LE(12);
  if (directoryEnd !== position) throw malformed('its directory does not end where its end record begins');
  return { entries, directoryStart, directoryEnd };
}

function onlyEndRecord(tail: Buffer): number {
  const found: number[] = [];
  for (let at = tail.length - endBytes; at >= 0; at -= 1) {
    if (tail.readUInt32LE(at) === endSignature && at + endBytes + tail.readUInt16LE(at + 20) === tail.length) {
      found.push(at);
    }
  }
  const [at] = found;
  if (at === undefined) throw malformed('no end record was found; the file is no zip, or was cut');
  if (found.length > 1) throw malformed('it has several end records');
  return at;
}

/** The refusal of a file that is not a zip that every reader reads alike. */
export function malformed(why: string, details: Readonly<Record<string, unknown>> = {}): Refusal {
  return refuse('bundle.malformed', `the bundle cannot be read: ${why}`, details);
}
