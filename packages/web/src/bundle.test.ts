import { limits } from '@assay/core';
import { zipSync } from 'fflate';
import { expect, test } from 'vitest';
import { BundleProblem, makeBundle } from './bundle.ts';

/** A file that is only looked at: reading it fails. */
function picked(name: string, size: number): File {
  const read = (): Promise<never> => Promise.reject(new Error(`${name} was read`));
  const path = name.endsWith('.zip') ? '' : `job/${name}`;
  return { name, size, webkitRelativePath: path, arrayBuffer: read, text: read } as unknown as File;
}

const manifest = picked('manifest.json', 10);

test.each([
  ['a zip', [picked('job.zip', limits.bundleZipBytes + 1)], 'job.zip has 256.0 MiB'],
  ['a file', [manifest, picked('data', limits.bundleFileBytes + 1)], 'data has 512.0 MiB'],
  ['a folder', [manifest, ...['a', 'b', 'c'].map((name) => picked(name, 500 * 2 ** 20))], 'The folder has 1500.0 MiB'],
  ['a manifest', [picked('manifest.json', limits.manifestBytes + 1)], 'manifest.json has 64.0 KiB'],
  [
    'many files',
    [manifest, ...Array.from({ length: limits.bundleFiles }, (_, at) => picked(`${at}`, 1))],
    '10001 files',
  ],
])('%s that no market takes is told before it is read', async (_what, files, message) => {
  const made = makeBundle(files);
  await expect(made).rejects.toThrow(message);
  await expect(made).rejects.toBeInstanceOf(BundleProblem);
});

test('a manifest that is too large in a zip is not called absent', async () => {
  const zip = zipSync({ 'manifest.json': new Uint8Array(limits.manifestBytes + 1) });
  await expect(makeBundle([new File([zip], 'job.zip')])).rejects.toThrow('manifest.json has 64.0 KiB');
  const none = zipSync({ 'other.json': new Uint8Array(1) });
  await expect(makeBundle([new File([none], 'job.zip')])).rejects.toThrow('no manifest.json at its top');
});
