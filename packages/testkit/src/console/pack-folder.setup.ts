/** A zip of a few small files, stored as they are (APPNOTE 6.3.10 §4.3). */

import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

/** The files of a flat folder as a zip, with another manifest where one is given. */
export async function packFolder(folder: string, manifest?: object): Promise<Buffer> {
  const names = await readdir(folder);
  const files = await Promise.all(
    names.map(async (name): Promise<[string, Buffer]> => {
      const replaced = name === 'manifest.json' && manifest !== undefined;
      return [name, replaced ? Buffer.from(JSON.stringify(manifest)) : await readFile(join(folder, name))];
    }),
  );
  return zipOf(files);
}

/** What local header and directory say alike: version, flags, method, time, date, checksum, two sizes, two lengths. */
function facts(name: Buffer, body: Buffer): Buffer {
  const bytes = Buffer.alloc(26);
  bytes.writeUInt16LE(20, 0);
  bytes.writeUInt16LE(33, 8);
  bytes.writeUInt32LE(crc32(body), 10);
  bytes.writeUInt32LE(body.length, 14);
  bytes.writeUInt32LE(body.length, 18);
  bytes.writeUInt16LE(name.length, 22);
  return bytes;
}

function zipOf(files: readonly (readonly [string, Buffer])[]): Buffer {
  const bodies: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [path, body] of files) {
    const name = Buffer.from(path);
    const local = Buffer.concat([Buffer.from('PK\u0003\u0004'), facts(name, body), name, body]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(offset, 10);
    directory.push(Buffer.from('PK\u0001\u0002\u0014\u0000'), facts(name, body), rest, name);
    bodies.push(local);
    offset += local.length;
  }
  const listed = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(files.length, 4);
  end.writeUInt16LE(files.length, 6);
  end.writeUInt32LE(listed.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...bodies, listed, Buffer.from('PK\u0005\u0006'), end]);
}
