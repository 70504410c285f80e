/** Which objects units read, remembered: one merge fetches thousands, and each look-up would read every unit's outputs. */

import type { JobId, UnitKind } from '@assay/core';

/** Reads the hashes of all inputs of a job's units. */
export type ReadInputs = (job: JobId, kind: UnitKind) => Promise<readonly string[]>;

export interface KnownInputs {
  /** Whether units of that kind read the object. */
  has(job: JobId, kind: UnitKind, sha256: string): Promise<boolean>;
}

/** Remembers up to `most` hashes; the jobs that were asked for longest ago are forgotten first. */
export function knownInputs(read: ReadInputs, most: number): KnownInputs {
  const jobs = new Map<string, Promise<ReadonlySet<string>>>();
  const sizes = new Map<string, number>();
  let total = 0;
  const forget = (key: string): void => {
    jobs.delete(key);
    total -= sizes.get(key) ?? 0;
    sizes.delete(key);
  };
  const load = async (key: string, job: JobId, kind: UnitKind): Promise<ReadonlySet<string>> => {
    try {
      const hashes = new Set(await read(job, kind));
      // A job without inputs takes room too.
      sizes.set(key, hashes.size + 1);
      total += hashes.size + 1;
      for (const oldest of jobs.keys()) {
        if (total <= most) break;
        if (oldest !== key && sizes.has(oldest)) forget(oldest);
      }
      return hashes;
    } catch (error) {
      jobs.delete(key);
      throw error;
    }
  };
  return {
    async has(job, kind, sha256) {
      const key = `${job} ${kind}`;
      const found = jobs.get(key) ?? load(key, job, kind);
      jobs.delete(key);
      jobs.set(key, found);
      return (await found).has(sha256);
    },
  };
}
