import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { removeHalfWritten } from './half-written.ts';

it('removes what a kill cut short and nothing else', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'assay-half-'));
  try {
    await mkdir(join(folder, 'inputs'));
    const kept = ['device.pem', 'worker.json', 'running.1.pid', 'status.json', join('inputs', 'a'.repeat(64))];
    const cut = ['status.json.writing', 'running.1.pid.0123456789ab', join('inputs', 'arriving-0011')];
    await mkdir(join(folder, 'sandbox', 'runtime', '0011.building-0123456789ab', 'python'), { recursive: true });
    await mkdir(join(folder, 'sandbox', 'runtime', '0011'));
    for (const name of [...kept, ...cut]) await writeFile(join(folder, name), 'x');
    await removeHalfWritten(folder);
    const left = await readdir(folder, { recursive: true });
    const folders = ['inputs', 'sandbox', join('sandbox', 'runtime'), join('sandbox', 'runtime', '0011')];
    expect(new Set(left)).toEqual(new Set([...kept, ...folders]));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
