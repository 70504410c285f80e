import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';
import { Fault, limits, refuse, treeDigest, type ObjectStore, type Sha256Hex } from '@assay/core';
import { keyringOf, openDiskStore } from '@assay/objects';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { unpackBundle, type UnpackOptions } from './unpack-bundle.ts';
import { bundleLimits } from './zip-directory.ts';

/** One entry of a forged zip; what is not said is honest. */
interface Forged {
  readonly name: string | Buffer;
  readonly content?: string | Buffer;
  readonly stored?: boolean;
  readonly method?: number;
  readonly flags?: number;
  readonly localFlags?: number;
  readonly crc?: number;
  readonly size?: number;
  readonly packedSize?: number;
  readonly localName?: string;
  readonly localSize?: number;
  readonly localPackedSize?: number;
  readonly localCrc?: number;
  readonly localMethod?: number;
  readonly attributes?: number;
  readonly extra?: Buffer;
  readonly comment?: Buffer;
  /** Points at the local header of the entry of this index instead of writing its own. */
  readonly sameDataAs?: number;
  /** Sizes only after the data, as a streaming archiver writes them. */
  readonly late?: boolean;
}

interface Ending {
  readonly before?: Buffer;
  readonly comment?: Buffer;
  readonly after?: Buffer;
  readonly entries?: number;
  readonly disk?: number;
  readonly directoryShift?: number;
  readonly beforeEnd?: Buffer;
}

function u16(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 2);
  values.forEach((value, i) => bytes.writeUInt16LE(value, i * 2));
  return bytes;
}
function u32(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, i) => bytes.writeUInt32LE(value >>> 0, i * 4));
  return bytes;
}

function forge(entries: readonly Forged[], ending: Ending = {}): Buffer {
  const parts: Buffer[] = [ending.before ?? Buffer.alloc(0)];
  let offset = parts[0]?.length ?? 0;
  const offsets: number[] = [];
  const directory: Buffer[] = [];
  for (const entry of entries) {
    const name = Buffer.from(entry.name);
    const content = Buffer.from(entry.content ?? '');
    const data = entry.stored ? content : deflateRawSync(content);
    const method = entry.method ?? (entry.stored ? 0 : 8);
    const crc = entry.crc ?? crc32(content);
    const size = entry.size ?? content.length;
    const packed = entry.packedSize ?? data.length;
    const flags = (entry.flags ?? 0) | (entry.late ? 8 : 0);
    const extra = entry.extra ?? Buffer.alloc(0);
    const comment = entry.comment ?? Buffer.alloc(0);
    if (entry.sameDataAs === undefined) {
      offsets.push(offset);
      const localName = Buffer.from(entry.localName ?? name);
      const sums = entry.late
        ? u32(0, 0, 0)
        : u32(entry.localCrc ?? crc, entry.localPackedSize ?? packed, entry.localSize ?? size);
      const local = Buffer.concat([
        u32(0x04034b50),
        u16(20, entry.localFlags ?? flags, entry.localMethod ?? method, 0, 0x21),
        sums,
        u16(localName.length, 0),
        localName,
        data,
        entry.late ? u32(0x08074b50, crc, packed, size) : Buffer.alloc(0),
      ]);
      parts.push(local);
      offset += local.length;
    } else {
      offsets.push(offsets[entry.sameDataAs] as number);
    }
    directory.push(
      Buffer.concat([
        u32(0x02014b50),
        u16((3 << 8) | 20, 20, flags, method, 0, 0x21),
        u32(crc, packed, size),
        u16(name.length, extra.length, comment.length, 0, 0),
        u32(entry.attributes ?? 0o100644 << 16, offsets.at(-1) as number),
        name,
        extra,
        comment,
      ]),
    );
  }
  const all = Buffer.concat(directory);
  const comment = ending.comment ?? Buffer.alloc(0);
  const count = ending.entries ?? entries.length;
  const end = Buffer.concat([
    u32(0x06054b50),
    u16(ending.disk ?? 0, ending.disk ?? 0, count, count),
    u32(all.length, offset + (ending.directoryShift ?? 0)),
    u16(comment.length),
    comment,
  ]);
  return Buffer.concat([...parts, all, ending.beforeEnd ?? Buffer.alloc(0), end, ending.after ?? Buffer.alloc(0)]);
}

function sized(name: string, size: number): Forged {
  return { name, content: 'x'.repeat(size) };
}

function refuseAll(): void {
  throw refuse('manifest.malformed', 'no', {});
}

const manifest: Forged = { name: 'manifest.json', content: '{"runner":"python"}' };
const main: Forged = { name: 'main.py', content: 'print("hello")\n' };
const hashOfText = (text: string): string => createHash('sha256').update(text).digest('hex');

let folder: string;
let objects: ObjectStore;
let stored: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-bundle-'));
  stored = join(folder, 'objects');
  const keyring = keyringOf({ ru: '1'.repeat(64), eu: '2'.repeat(64), us: '3'.repeat(64), cn: '4'.repeat(64) });
  objects = await openDiskStore({ folder: stored, keyring, clock: { nowMs: () => 0 } });
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function unpack(zip: Buffer, options?: UnpackOptions): ReturnType<typeof unpackBundle> {
  const path = join(folder, 'upload.zip');
  await writeFile(path, zip);
  return await unpackBundle(path, 'eu', objects, options);
}

async function storedFiles(): Promise<number> {
  const all = await readdir(stored, { recursive: true, withFileTypes: true });
  return all.filter((entry) => entry.isFile()).length;
}

async function contentOf(sha256: Sha256Hex): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const chunk of await objects.get('eu', sha256)) parts.push(Buffer.from(chunk));
  return Buffer.concat(parts).toString('utf8');
}

describe('an honest bundle', () => {
  it('becomes a tree in path order whose files are in the store', async () => {
    const bundle = await unpack(
      forge([manifest, { name: 'data/', attributes: 0o40755 << 16 }, main, { name: 'data/a.csv', content: '1,2' }]),
    );
    expect(bundle.tree.map((file) => file.path)).toEqual(['data/a.csv', 'main.py', 'manifest.json']);
    expect(bundle.manifestText).toBe('{"runner":"python"}');
    expect(bundle.sizeBytes).toBe(3 + 15 + 19);
    expect(bundle.digest).toBe(treeDigest((bytes) => createHash('sha256').update(bytes).digest(), bundle.tree));
    expect(bundle.tree[1]).toEqual({ path: 'main.py', sizeBytes: 15, sha256: hashOfText('print("hello")\n') });
    expect(await contentOf(bundle.tree[0]?.sha256 as Sha256Hex)).toBe('1,2');
    expect(await storedFiles()).toBe(3);
  });

  it('may have all its files in one folder, which is taken off', async () => {
    const bundle = await unpack(
      forge([
        { name: 'job/', attributes: 0x10 },
        { ...manifest, name: 'job/manifest.json' },
        { ...main, name: 'job/main.py' },
      ]),
    );
    expect(bundle.tree.map((file) => file.path)).toEqual(['main.py', 'manifest.json']);
  });

  it('may be stored, streamed, empty in parts, commented, and preceded by other bytes', async () => {
    const zip = forge(
      [
        { ...manifest, stored: true },
        { ...main, late: true },
        { name: 'empty.txt', content: '', late: true },
        { name: 'none.txt', content: '', stored: true },
      ],
      { comment: Buffer.from('made with love'), before: Buffer.from('#!/usr/bin/env python\n') },
    );
    const bundle = await unpack(zip);
    expect(bundle.tree).toHaveLength(4);
    expect(bundle.tree.filter((file) => file.sizeBytes === 0)).toHaveLength(2);
    expect(await storedFiles()).toBe(3);
  });

  it('keeps one object for equal files and for a bundle that comes again', async () => {
    const zip = forge([manifest, { name: 'a', content: 'same' }, { name: 'b', content: 'same' }]);
    const first = await unpack(zip);
    expect(await storedFiles()).toBe(2);
    const again = { ...objects, put: () => Promise.reject(new Error('it is there already')) };
    await writeFile(join(folder, 'again.zip'), zip);
    expect(await unpackBundle(join(folder, 'again.zip'), 'eu', again)).toEqual(first);
  });

  it('may list a folder before or after what is in it', async () => {
    const names = ['a/', 'a/x', 'b/y', 'b/', 'c/d/z', 'c/'];
    const entries = names.map((name) => ({ name, attributes: name.endsWith('/') ? 0o040755 << 16 : 0o100644 << 16 }));
    const bundle = await unpack(forge([manifest, ...entries]));
    expect(bundle.tree.map((file) => file.path)).toEqual(['a/x', 'b/y', 'c/d/z', 'manifest.json']);
  });

  it('loses what a Mac adds', async () => {
    const bundle = await unpack(
      forge([
        manifest,
        main,
        { name: '__MACOSX/._main.py', content: 'x' },
        { name: '.DS_Store', content: 'y' },
        { name: 'data/.DS_Store', content: 'z' },
      ]),
    );
    expect(bundle.tree.map((file) => file.path)).toEqual(['main.py', 'manifest.json']);
  });

  it('may hold a file of zeros that packs well', async () => {
    const bundle = await unpack(
      forge([manifest, { name: 'zeros.bin', content: Buffer.alloc(limits.bundleRatioFreeBytes) }]),
    );
    expect(bundle.sizeBytes).toBe(limits.bundleRatioFreeBytes + 19);
  });

  const python = spawnSync('python3', ['--version']).status === 0;
  it.skipIf(!python)('may come from python’s zipfile, deflated or stored (needs python3)', async () => {
    const code = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w', zipfile.ZIP_DEFLATED) as z:
    z.writestr('manifest.json', '{}')
    z.mkdir('data') if hasattr(z, 'mkdir') else None
    with z.open('data/big.txt', 'w', force_zip64=True) as f:
        f.write(b'line\\n' * 1000)
    z.writestr(zipfile.ZipInfo('raw.bin'), b'\\x00\\x01', compress_type=zipfile.ZIP_STORED)
`;
    const path = join(folder, 'python.zip');
    execFileSync('python3', ['-c', code, path]);
    const bundle = await unpackBundle(path, 'eu', objects);
    expect(bundle.tree.map((file) => [file.path, file.sizeBytes])).toEqual([
      ['data/big.txt', 5000],
      ['manifest.json', 2],
      ['raw.bin', 2],
    ]);
  });
});

const link = 0o120777 << 16;
const unicodePath = (name: string, other: string): Buffer => {
  const body = Buffer.concat([Buffer.from([1]), u32(crc32(Buffer.from(name))), Buffer.from(other)]);
  return Buffer.concat([u16(0x7075, body.length), body]);
};

/** Every evil zip: its name, its bytes, the code that refuses it. */
const evil: readonly (readonly [string, () => Buffer, string])[] = [
  ['traversal', () => forge([manifest, { name: '../evil.py' }]), 'bundle.unsafe_path'],
  ['traversal in the middle', () => forge([manifest, { name: 'a/../../evil.py' }]), 'bundle.unsafe_path'],
  ['a dot part', () => forge([manifest, { name: './main.py' }]), 'bundle.unsafe_path'],
  ['an empty part', () => forge([manifest, { name: 'a//b' }]), 'bundle.unsafe_path'],
  ['an absolute path', () => forge([manifest, { name: '/etc/passwd' }]), 'bundle.unsafe_path'],
  ['a backslash', () => forge([manifest, { name: '..\\evil.py' }]), 'bundle.unsafe_path'],
  ['a drive letter', () => forge([manifest, { name: 'C:evil.py' }]), 'bundle.unsafe_path'],
  ['a stream name', () => forge([manifest, { name: 'main.py:hidden' }]), 'bundle.unsafe_path'],
  ['a device name', () => forge([manifest, { name: 'data/NUL.txt' }]), 'bundle.unsafe_path'],
  ['a NUL byte', () => forge([manifest, { name: 'main.py\0.txt' }]), 'bundle.unsafe_path'],
  ['a line feed', () => forge([manifest, { name: 'main\n.py' }]), 'bundle.unsafe_path'],
  ['a hidden file', () => forge([manifest, { name: '.env' }]), 'bundle.unsafe_path'],
  ['no name', () => forge([manifest, { name: '' }]), 'bundle.unsafe_path'],
  ['a trailing dot', () => forge([manifest, { name: 'main.py.' }]), 'bundle.unsafe_path'],
  ['a deep path', () => forge([manifest, { name: 'a/'.repeat(8) + 'b' }]), 'bundle.unsafe_path'],
  ['a long path', () => forge([manifest, { name: 'a'.repeat(256) }]), 'bundle.unsafe_path'],
  ['a composed letter', () => forge([manifest, { name: 'caf\u00e9.txt', flags: 0x800 }]), 'bundle.unsafe_path'],
  ['a decomposed letter', () => forge([manifest, { name: 'cafe\u0301.txt', flags: 0x800 }]), 'bundle.unsafe_path'],
  ['bytes that are no UTF-8', () => forge([manifest, { name: Buffer.from([0x61, 0xff]) }]), 'bundle.unsafe_path'],
  [
    'a second name',
    () => forge([manifest, { ...main, extra: unicodePath('main.py', '../evil.py') }]),
    'bundle.unsafe_path',
  ],
  [
    'a symbolic link',
    () => forge([manifest, { name: 'link', content: '/etc/passwd', attributes: link }]),
    'bundle.unsafe_entry',
  ],
  ['a link to a folder', () => forge([manifest, { name: 'link/', attributes: link }]), 'bundle.unsafe_entry'],
  ['a device', () => forge([manifest, { name: 'dev', attributes: 0o020666 << 16 }]), 'bundle.unsafe_entry'],
  ['a pipe', () => forge([manifest, { name: 'pipe', attributes: 0o010666 << 16 }]), 'bundle.unsafe_entry'],
  ['a socket', () => forge([manifest, { name: 'sock', attributes: 0o140666 << 16 }]), 'bundle.unsafe_entry'],
  [
    'a file marked as a folder',
    () => forge([manifest, { name: 'a', attributes: 0o040755 << 16 }]),
    'bundle.unsafe_entry',
  ],
  [
    'a folder marked as a file',
    () => forge([manifest, { name: 'a/', attributes: 0o100644 << 16 }]),
    'bundle.unsafe_entry',
  ],
  [
    'a folder of DOS without its slash',
    () => forge([manifest, { name: 'a', attributes: 0x10 }]),
    'bundle.unsafe_entry',
  ],
  ['a volume label', () => forge([manifest, { name: 'DISK', attributes: 0x08 }]), 'bundle.unsafe_entry'],
  ['a reparse point', () => forge([manifest, { name: 'a', attributes: 0x400 }]), 'bundle.unsafe_entry'],
  [
    'a folder with content',
    () => forge([manifest, { name: 'a/', content: 'x', attributes: 0x10 }]),
    'bundle.unsafe_entry',
  ],
  ['an encrypted entry', () => forge([manifest, { ...main, flags: 1 }]), 'bundle.unsafe_entry'],
  ['masked headers', () => forge([manifest, { ...main, flags: 0x2000 }]), 'bundle.unsafe_entry'],
  [
    'an entry encrypted in its local header only',
    () => forge([manifest, { ...main, localFlags: 1 }]),
    'bundle.malformed',
  ],
  ['strong encryption', () => forge([manifest, { ...main, flags: 0x40 }]), 'bundle.malformed'],
  ['patch data', () => forge([manifest, { ...main, flags: 0x20 }]), 'bundle.malformed'],
  ['another compression', () => forge([manifest, { ...main, method: 12 }]), 'bundle.malformed'],
  ['a name twice', () => forge([manifest, main, { ...main, content: 'other' }]), 'bundle.duplicate_path'],
  [
    'a folder twice',
    () => forge([manifest, { name: 'a/', attributes: 0x10 }, { name: 'a/', attributes: 0x10 }]),
    'bundle.duplicate_path',
  ],
  ['case twins', () => forge([manifest, main, { name: 'MAIN.py' }]), 'bundle.duplicate_path'],
  ['case twins of folders', () => forge([manifest, { name: 'a/x' }, { name: 'A/y' }]), 'bundle.duplicate_path'],
  ['a second manifest in other case', () => forge([manifest, { name: 'Manifest.json' }]), 'bundle.duplicate_path'],
  ['a file under a file', () => forge([manifest, { name: 'a' }, { name: 'a/b' }]), 'bundle.duplicate_path'],
  ['a file where a folder is', () => forge([manifest, { name: 'a/b' }, { name: 'a' }]), 'bundle.duplicate_path'],
  [
    'a larger content than declared',
    () => forge([manifest, { name: 'a', content: 'x'.repeat(500), size: 400 }]),
    'bundle.bomb',
  ],
  [
    'a smaller content than declared',
    () => forge([manifest, { name: 'a', content: 'x'.repeat(500), size: 600 }]),
    'bundle.malformed',
  ],
  [
    'a high ratio',
    () => forge([manifest, { name: 'a', content: Buffer.alloc(limits.bundleRatioFreeBytes + 1) }]),
    'bundle.bomb',
  ],
  [
    'entries that share data',
    () => forge([manifest, { name: 'a', content: 'x', localName: 'b' }, { name: 'b', content: 'x', sameDataAs: 1 }]),
    'bundle.malformed',
  ],
  [
    'an entry twice over the same bytes',
    () => forge([{ ...main, name: '__MACOSX/x' }, manifest, { ...main, name: '__MACOSX/x', sameDataAs: 0 }]),
    'bundle.bomb',
  ],
  ['an entry inside another', () => quine(), 'bundle.bomb'],
  ['another name in the local header', () => forge([manifest, { ...main, localName: 'evil.py' }]), 'bundle.malformed'],
  [
    'another packed size in the local header',
    () => forge([manifest, { ...main, localPackedSize: 1 }]),
    'bundle.malformed',
  ],
  ['another checksum in the local header', () => forge([manifest, { ...main, localCrc: 1 }]), 'bundle.malformed'],
  ['another method in the local header', () => forge([manifest, { ...main, localMethod: 0 }]), 'bundle.malformed'],
  [
    'a folder twice after its file',
    () => forge([manifest, { name: 'a/x' }, { name: 'a/', attributes: 0x10 }, { name: 'a/', attributes: 0x10 }]),
    'bundle.duplicate_path',
  ],
  [
    'a 64-bit locator hidden in a comment',
    () => forge([manifest, { ...main, comment: u32(0x07064b50, 0, 0, 0, 1) }]),
    'bundle.malformed',
  ],
  ['another size in the local header', () => forge([manifest, { ...main, localSize: 14 }]), 'bundle.malformed'],
  ['a wrong checksum', () => forge([manifest, { ...main, crc: 1 }]), 'bundle.malformed'],
  ['a stored entry of two sizes', () => forge([manifest, { ...main, stored: true, size: 5 }]), 'bundle.malformed'],
  [
    'rubbish as deflate',
    () => forge([manifest, { ...main, content: Buffer.from([0xff, 0xff, 0xff]), stored: true, method: 8 }]),
    'bundle.malformed',
  ],
  ['data beyond the file', () => forge([manifest, { ...main, packedSize: 1_000_000 }]), 'bundle.malformed'],
  ['data in the directory', () => forge([manifest, { ...main, packedSize: 60 }]), 'bundle.malformed'],
  ['no entries', () => forge([]), 'manifest.file_missing'],
  ['no manifest', () => forge([main]), 'manifest.file_missing'],
  [
    'a manifest in one of two folders',
    () =>
      forge([
        { ...manifest, name: 'a/manifest.json' },
        { ...main, name: 'b/main.py' },
      ]),
    'manifest.file_missing',
  ],
  ['a manifest two folders down', () => forge([{ ...manifest, name: 'a/b/manifest.json' }]), 'manifest.file_missing'],
  ['a manifest that is a folder', () => forge([{ name: 'manifest.json/', attributes: 0x10 }]), 'manifest.file_missing'],
  [
    'a huge manifest',
    () => forge([{ name: 'manifest.json', content: 'a'.repeat(limits.manifestBytes + 1) }]),
    'bundle.too_large',
  ],
  [
    'a manifest that is no text',
    () => forge([{ name: 'manifest.json', content: Buffer.from([0xc3, 0x28]) }]),
    'manifest.malformed',
  ],
  ['an empty file', () => Buffer.alloc(0), 'bundle.malformed'],
  ['no zip', () => Buffer.from('not a zip at all, only text that is long enough'), 'bundle.malformed'],
  ['a cut zip', () => forge([manifest, main]).subarray(0, -5), 'bundle.malformed'],
  ['bytes after the end', () => forge([manifest], { after: Buffer.from('x') }), 'bundle.malformed'],
  ['two end records', () => twoEnds(), 'bundle.malformed'],
  ['one part of several', () => forge([manifest], { disk: 1 }), 'bundle.malformed'],
  ['fewer entries counted than listed', () => forge([manifest, main], { entries: 1 }), 'bundle.malformed'],
  ['more entries counted than listed', () => forge([manifest], { entries: 2 }), 'bundle.malformed'],
  ['a directory elsewhere', () => forge([manifest], { directoryShift: 1 }), 'bundle.malformed'],
  ['a 64-bit end record', () => forge([manifest], { beforeEnd: zip64End() }), 'bundle.malformed'],
  ['bytes between directory and end', () => forge([manifest], { beforeEnd: Buffer.from('gap') }), 'bundle.malformed'],
  ['a cut extra field', () => forge([manifest, { ...main, extra: Buffer.from([1, 0, 99, 0, 1]) }]), 'bundle.malformed'],
  [
    'a size of more than 32 bits',
    () => forge([manifest, { ...main, size: 0xffffffff, extra: zip64Sizes() }]),
    'bundle.too_large',
  ],
  [
    'other bytes before it that shift the offsets',
    () => Buffer.concat([Buffer.from('#!/bin/sh\n'), forge([manifest])]),
    'bundle.malformed',
  ],
];

/** A local header within the data of another entry, listed twice: unpackers that follow offsets read it twice. */
function quine(): Buffer {
  const inner = forge([{ name: 'inner.txt', content: 'x'.repeat(50), stored: true }]);
  const local = inner.subarray(0, 30 + 9 + 50);
  const zip = forge([
    manifest,
    { name: 'outer.bin', content: local, stored: true },
    { name: 'inner.txt', content: 'x'.repeat(50), stored: true },
  ]);
  const innerAt = zip.indexOf(local);
  const directoryAt = zip.lastIndexOf(Buffer.from('inner.txt'));
  zip.writeUInt32LE(innerAt, directoryAt - 4);
  return zip;
}

/** The comment of the real end is an end record of its own: readers that search from either side differ. */
function twoEnds(): Buffer {
  const evilTail = forge([manifest]).subarray(-22);
  return forge([manifest, main], { comment: evilTail });
}

function zip64End(): Buffer {
  return Buffer.concat([u32(0x06064b50, 44, 0), u16(45, 45), u32(0, 0), Buffer.alloc(32), u32(0x07064b50, 0, 0, 0, 1)]);
}

function zip64Sizes(): Buffer {
  return Buffer.concat([u16(1, 8), u32(0, 0x1000)]);
}

describe('an evil bundle is refused and nothing is stored', () => {
  it.each(evil)('%s', async (_name, make, code) => {
    await expect(unpack(make())).rejects.toMatchObject({ name: 'Refusal', code });
    expect(await storedFiles()).toBe(0);
  });

  it('cannot hide behind a count: too many files, too many bytes in one or in all', async () => {
    const bounds = { ...bundleLimits, files: 3, fileBytes: 100, unpackedBytes: 150 };
    for (const entries of [
      [manifest, sized('a', 1), sized('b', 1), sized('c', 1)],
      [manifest, sized('a', 101)],
      [manifest, sized('a', 100), sized('b', 100)],
    ]) {
      await expect(unpack(forge(entries), { bounds })).rejects.toMatchObject({ code: 'bundle.too_large' });
    }
    await expect(unpack(forge([manifest, sized('a', 100)]), { bounds })).resolves.toMatchObject({ sizeBytes: 119 });
  });

  it('cannot be larger than an upload may be', async () => {
    const path = join(folder, 'upload.zip');
    await writeFile(path, forge([manifest]));
    await truncate(path, limits.bundleZipBytes + 1);
    await expect(unpackBundle(path, 'eu', objects)).rejects.toMatchObject({ code: 'bundle.too_large' });
  });

  it('cannot fill the memory with a directory of comments', async () => {
    const comment = Buffer.alloc(0xffff);
    const padding = Array.from({ length: 260 }, (_, i) => ({ name: `f${i}`, comment }));
    await expect(unpack(forge([manifest, ...padding]))).rejects.toMatchObject({ code: 'bundle.too_large' });
  });

  it('of which a byte changed never unpacks to another content', async () => {
    const honest = forge([manifest, main, { name: 'data/a.csv', content: '1,2,3\n'.repeat(20) }]);
    const first = await unpack(honest);
    for (let at = 0; at < honest.length; at += 1) {
      const changed = Buffer.from(honest);
      changed[at] = (changed[at] as number) ^ 0x41;
      const outcome = await unpack(changed).then(
        (bundle) => bundle.sizeBytes,
        (error: Error) => error.name,
      );
      expect(['Refusal', first.sizeBytes], `byte ${at}`).toContain(outcome);
    }
  });
});

describe('a store that fails', () => {
  it('is the caller’s fault to see, after all that was under way has ended', async () => {
    let running = 0;
    const fault = new Fault('object.store_unavailable', 'the disk is full', { retry: true });
    const failing: ObjectStore = {
      ...objects,
      async put(...args) {
        running += 1;
        try {
          if (args[2].maxBytes === 15) throw fault;
          return await objects.put(...args);
        } finally {
          running -= 1;
        }
      },
    };
    const path = join(folder, 'upload.zip');
    const more = Array.from({ length: 40 }, (_, i) => ({ name: `f${i}`, content: `content ${i}` }));
    await writeFile(path, forge([manifest, main, ...more]));
    await expect(unpackBundle(path, 'eu', failing)).rejects.toBe(fault);
    expect(running).toBe(0);
  });
});

describe('the caller’s own checks', () => {
  it('may choose the region that the files go to', async () => {
    const bundle = await unpack(forge([manifest]), { accept: () => 'us' });
    expect(await objects.head('us', bundle.tree[0]?.sha256 as Sha256Hex)).toBeDefined();
    expect(await objects.head('eu', bundle.tree[0]?.sha256 as Sha256Hex)).toBeUndefined();
  });

  it('run before anything is stored', async () => {
    await expect(unpack(forge([manifest, main]), { accept: refuseAll })).rejects.toMatchObject({
      code: 'manifest.malformed',
    });
    expect(await storedFiles()).toBe(0);
  });
});
