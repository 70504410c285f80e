/** Stores the files that a unit hands out, each named by its SHA-256 and never by a name of the job's. */

import { createHash, type Hash } from 'node:crypto';
import { open, rename, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { isSafePath, parseSha256, type SandboxLimits, type TreeFile } from '@assay/core';
import { FrameViolation } from './frames.ts';

/** Thrown when the unit wrote more than it may. */
export class QuotaExceeded extends Error {
  override readonly name = 'QuotaExceeded';
  readonly why: 'outputs' | 'log';
  constructor(why: 'outputs' | 'log') {
    super(why);
    this.why = why;
  }
}

export interface OutputStore {
  /** Starts a file from its header; answers its path where the bytes will be dropped because the name is unsafe. */
  start(header: Uint8Array): Promise<string | undefined>;
  append(bytes: Uint8Array): Promise<void>;
  /** Whether the bytes of a file are still to come. */
  unfinished(): boolean;
  /** What was stored, by path in code unit order. */
  files(): readonly TreeFile[];
  close(): Promise<void>;
}

interface OpenFile {
  readonly path: string;
  readonly sizeBytes: number;
  /** Whether its bytes are stored; those of a file with an unsafe name are read and dropped. */
  readonly kept: boolean;
  readonly handle: FileHandle;
  readonly hash: Hash;
  written: number;
}

/** A store in `folder`, which exists. */
export function outputStore(folder: string, bounds: SandboxLimits): OutputStore {
  let count = 0;
  let totalBytes = 0;
  let current: OpenFile | undefined;
  const stored: TreeFile[] = [];
  /** In lower case: names that differ only in case cannot lie side by side on every file system. */
  const names = new Set<string>();

  const finish = async () => {
    const file = current;
    if (!file || file.written < file.sizeBytes) return;
    current = undefined;
    await file.handle.close();
    if (!file.kept) return;
    const sha256 = parseSha256(file.hash.digest('hex'));
    if (sha256 === undefined) throw new Error('SHA-256 in hex');
    await rename(join(folder, 'incoming'), join(folder, sha256));
    stored.push({ path: file.path, sizeBytes: file.sizeBytes, sha256 });
  };

  return {
    async start(payload) {
      if (payload.length <= 6 || current) throw new FrameViolation('file header');
      const header = Buffer.from(payload);
      const sizeBytes = header.readUIntBE(0, 6);
      const path = header.toString('utf8', 6);
      count += 1;
      totalBytes += sizeBytes;
      if (count > bounds.outputFiles || totalBytes > bounds.outputBytes) throw new QuotaExceeded('outputs');
      const kept = isSafePath(path) && !names.has(path.toLowerCase());
      names.add(path.toLowerCase());
      const handle = await open(kept ? join(folder, 'incoming') : '/dev/null', 'w', 0o600);
      current = { path, sizeBytes, kept, handle, hash: createHash('sha256'), written: 0 };
      await finish();
      return kept ? undefined : path;
    },
    async append(bytes) {
      const left = current ? current.sizeBytes - current.written : 0;
      if (!current || bytes.length === 0 || bytes.length > left) throw new FrameViolation('data beyond its file');
      await current.handle.write(bytes);
      current.hash.update(bytes);
      current.written += bytes.length;
      await finish();
    },
    unfinished: () => current !== undefined,
    files: () => stored.toSorted((a, b) => (a.path < b.path ? -1 : 1)),
    async close() {
      await current?.handle.close();
      current = undefined;
    },
  };
}
