import type { JobId, UnitKind } from '@assay/core';
import { expect, test } from 'vitest';
import { knownInputs } from './known-inputs.ts';

const job = (n: number) => `job_${n}` as JobId;
/** Job `n` has the inputs `n-work-0` up to `n-work-3`, and the same for its merge. */
const fake = () => {
  const reads: string[] = [];
  const read = async (id: JobId, kind: UnitKind) => {
    reads.push(`${id} ${kind}`);
    return [0, 1, 2, 3].map((file) => `${id.slice(4)}-${kind}-${file}`);
  };
  return { reads, read };
};

test('inputs of a job are read once for all its files, also when many ask at the same time', async () => {
  const { reads, read } = fake();
  const known = knownInputs(read, 100);
  const asked = await Promise.all([0, 1, 2, 3, 4].map((file) => known.has(job(1), 'merge', `1-merge-${file}`)));
  expect(asked).toEqual([true, true, true, true, false]);
  expect(await known.has(job(1), 'work', '1-merge-0')).toBe(false);
  expect(await known.has(job(2), 'merge', '1-merge-0')).toBe(false);
  expect(await known.has(job(1), 'merge', '1-merge-3')).toBe(true);
  expect(reads).toEqual(['job_1 merge', 'job_1 work', 'job_2 merge']);
});

test('the job that was asked for longest ago is forgotten when there are too many hashes', async () => {
  const { reads, read } = fake();
  const known = knownInputs(read, 10);
  for (const n of [1, 2, 1, 3, 1, 3, 2]) expect(await known.has(job(n), 'work', `${n}-work-0`)).toBe(true);
  expect(reads).toEqual(['job_1 work', 'job_2 work', 'job_3 work', 'job_2 work']);
});

test('a job with more hashes than fit is answered all the same, and a failed read is tried again', async () => {
  const { read } = fake();
  expect(await knownInputs(read, 2).has(job(1), 'work', '1-work-3')).toBe(true);
  let failures = 1;
  const known = knownInputs(async (id, kind) => {
    if ((failures -= 1) >= 0) throw new Error('the database is away');
    return read(id, kind);
  }, 100);
  await expect(known.has(job(1), 'work', '1-work-0')).rejects.toThrow('the database is away');
  expect(await known.has(job(1), 'work', '1-work-0')).toBe(true);
});
