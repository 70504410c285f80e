/** What must survive a crash: which replicas were taken, and each finished result until it was revealed. */

import { copyFile, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  parseId,
  parseSha256,
  type JobId,
  type ReplicaId,
  type Sha256Hex,
  type Tree,
  type UnitId,
  type Usage,
} from '@assay/core';
import { syncPath, writeDurably } from './durable-file.ts';

/** A finished run: everything that its commitment binds and its reveal shows. */
export interface Result {
  readonly machineClass: string;
  readonly nonce: Sha256Hex;
  readonly commitment: Sha256Hex;
  readonly digest: Sha256Hex;
  readonly exitCode: number;
  readonly outputs: Tree;
  /** The text of `metrics.json` where the job is judged by it. */
  readonly metrics: string | null;
  readonly usage: Usage;
  /** What the unit reached for, where the sandbox ended it for that. */
  readonly breach?: string;
}

export interface ShelvedReplica {
  readonly replica: ReplicaId;
  readonly unit: UnitId;
  readonly job: JobId;
  /** Missing while the unit runs. */
  readonly result?: Result;
}

export interface ReplicaShelf {
  /** Everything on the shelf, as a crash may have left it. */
  list(): Promise<ShelvedReplica[]>;
  put(replica: ShelvedReplica): Promise<void>;
  /** Moves an output file onto the shelf and onto the disk. */
  keepOutput(replica: ReplicaId, hash: Sha256Hex, from: string): Promise<void>;
  outputPath(replica: ReplicaId, hash: Sha256Hex): string;
  remove(replica: ReplicaId): Promise<void>;
}

const recordName = 'record.json';

/** A shelf in `folder`, which it owns. */
export function replicaShelf(folder: string): ReplicaShelf {
  const at = (replica: ReplicaId, ...rest: string[]) => join(folder, replica, ...rest);
  return {
    async list() {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const found: ShelvedReplica[] = [];
      for (const name of await readdir(folder)) {
        const record = await readRecord(join(folder, name, recordName));
        if (record && record.replica === name) found.push(record);
        else await rm(join(folder, name), { recursive: true, force: true });
      }
      return found;
    },
    async put(replica) {
      await mkdir(at(replica.replica), { recursive: true, mode: 0o700 });
      await writeDurably(at(replica.replica, recordName), JSON.stringify(replica));
      await syncPath(folder);
    },
    async keepOutput(replica, hash, from) {
      const to = at(replica, hash);
      await rename(from, to).catch(async (error: unknown) => {
        if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error;
        await copyFile(from, to);
      });
      await syncPath(to);
    },
    outputPath: (replica, hash) => at(replica, hash),
    remove: (replica) => rm(at(replica), { recursive: true, force: true }),
  };
}

async function readRecord(path: string): Promise<ShelvedReplica | undefined> {
  try {
    const record = JSON.parse(await readFile(path, 'utf8')) as ShelvedReplica;
    const { replica, unit, job, result } = record;
    const sound = parseId('replica', replica) && parseId('unit', unit) && parseId('job', job);
    const whole = result === undefined || (parseSha256(result.nonce) && typeof result.machineClass === 'string');
    return sound && whole ? record : undefined;
  } catch {
    return undefined;
  }
}
