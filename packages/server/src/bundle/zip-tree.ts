/** A tree as a zip for download, written as it is read: deflated entries in path order, the same bytes each time. */

import { createDeflateRaw, crc32, constants } from 'node:zlib';
import { Readable } from 'node:stream';
import { assert, isSafePath, refuse, type Tree, type TreeFile } from '@assay/core';

const localSignature = 0x04034b50;
const descriptorSignature = 0x08074b50;
const directorySignature = 0x02014b50;
const endSignature = 0x06054b50;
const version = 20;
/** Sizes follow the data; the name is UTF-8. */
const flags = 0x0808;
const deflated = 8;
/** 1980-01-01, the first day that a zip can name. */
const date = 0x0021;
const madeByUnix = (3 << 8) | version;
const plainFileMode = 0o100644;
const maxBytes = 0xffff_0000;
const maxFiles = 0xfffe;

interface Written {
  readonly name: Buffer;
  readonly offset: number;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
}

/**
 * The bytes of a zip of `tree`, whose contents `get` hands out. Refuses `request.too_large` before the first byte where
 * the plain form of a zip could not hold it.
 */
export async function* zipTree(
  tree: Tree,
  get: (file: TreeFile) => Promise<AsyncIterable<Uint8Array>>,
): AsyncGenerator<Uint8Array> {
  const total = tree.reduce((sum, file) => sum + file.sizeBytes + 512, 0);
  if (tree.length > maxFiles || total > maxBytes) {
    throw refuse('request.too_large', 'these files do not fit into one zip; fetch them one by one', {});
  }
  const written: Written[] = [];
  let offset = 0;
  for (const file of tree.toSorted((a, b) => (a.path < b.path ? -1 : 1))) {
    assert(isSafePath(file.path), 'paths of a tree are safe');
    const name = Buffer.from(file.path, 'utf8');
    const start = offset;
    const header = localHeader(name);
    yield header;
    offset += header.length;
    const sums = { crc: 0, packed: 0, size: 0 };
    for await (const chunk of deflate(counted(await get(file), sums))) {
      sums.packed += chunk.length;
      yield chunk;
    }
    offset += sums.packed;
    const entry = { name, offset: start, ...sums };
    const after = descriptor(entry);
    yield after;
    offset += after.length;
    written.push(entry);
  }
  const directory = Buffer.concat(written.map(directoryEntry));
  yield directory;
  yield endRecord(written.length, directory.length, offset);
}

async function* counted(
  content: AsyncIterable<Uint8Array>,
  sums: { crc: number; size: number },
): AsyncGenerator<Uint8Array> {
  for await (const chunk of content) {
    sums.crc = crc32(chunk, sums.crc);
    sums.size += chunk.length;
    yield chunk;
  }
}

function deflate(content: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const source = Readable.from(content, { objectMode: false });
  const filter = createDeflateRaw({ level: constants.Z_BEST_SPEED });
  source.once('error', (error) => filter.destroy(error));
  filter.once('close', () => source.destroy());
  return source.pipe(filter);
}

function localHeader(name: Buffer): Buffer {
  const header = Buffer.alloc(30);
  header.writeUInt32LE(localSignature, 0);
  header.writeUInt16LE(version, 4);
  header.writeUInt16LE(flags, 6);
  header.writeUInt16LE(deflated, 8);
  header.writeUInt16LE(date, 12);
  header.writeUInt16LE(name.length, 26);
  return Buffer.concat([header, name]);
}

function descriptor(entry: Written): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt32LE(descriptorSignature, 0);
  bytes.writeUInt32LE(entry.crc, 4);
  bytes.writeUInt32LE(entry.packed, 8);
  bytes.writeUInt32LE(entry.size, 12);
  return bytes;
}

function directoryEntry(entry: Written): Buffer {
  const header = Buffer.alloc(46);
  header.writeUInt32LE(directorySignature, 0);
  header.writeUInt16LE(madeByUnix, 4);
  header.writeUInt16LE(version, 6);
  header.writeUInt16LE(flags, 8);
  header.writeUInt16LE(deflated, 10);
  header.writeUInt16LE(date, 14);
  header.writeUInt32LE(entry.crc, 16);
  header.writeUInt32LE(entry.packed, 20);
  header.writeUInt32LE(entry.size, 24);
  header.writeUInt16LE(entry.name.length, 28);
  header.writeUInt32LE((plainFileMode << 16) >>> 0, 38);
  header.writeUInt32LE(entry.offset, 42);
  return Buffer.concat([header, entry.name]);
}

function endRecord(count: number, directoryBytes: number, directoryStart: number): Buffer {
  const record = Buffer.alloc(22);
  record.writeUInt32LE(endSignature, 0);
  record.writeUInt16LE(count, 8);
  record.writeUInt16LE(count, 10);
  record.writeUInt32LE(directoryBytes, 12);
  record.writeUInt32LE(directoryStart, 16);
  return record;
}
