/** A driver whose guest has lines of its code exchanged: what a wall, or a step, is there for shows without it. */

import { chmod, cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SandboxDriver } from '@assay/core';
import type { DriverKit } from './driver.setup.ts';
import type { Language } from './languages.ts';
import { runInChild } from './run-unit.ts';
import { prepareRuntime } from './runtime.ts';

/** The module below the guest's folder, a piece of it, and what stands there instead. */
export type Exchange = readonly [module: string, piece: string, other: string];

export interface ExchangedGuest {
  readonly driver: SandboxDriver;
  close(): Promise<void>;
}

/** `kit`'s driver with that guest; it has no pool. */
export async function exchangedGuest(
  kit: DriverKit,
  language: Language,
  exchanges: readonly Exchange[],
): Promise<ExchangedGuest> {
  const sound = await prepareRuntime(language, kit.cacheDir, () => {});
  const folder = await mkdtemp(join(sound.folder, '..', 'exchanged-'));
  await cp(sound.folder, folder, { recursive: true });
  await chmod(folder, 0o755);
  for (const [module, piece, other] of exchanges) {
    const path = join(folder, 'guest', module);
    const text = await readFile(path, 'utf8');
    if (!text.includes(piece)) throw new Error(`${module} has no ${piece}`);
    await rm(path);
    await writeFile(path, text.replace(piece, other), { mode: 0o644 });
  }
  const run: SandboxDriver['run'] = async (unit, log, stop) => {
    const outputRoot = await mkdtemp(join(kit.folder, 'outputs-'));
    const runtime = { ...sound, folder, ...(sound.node.startsWith(sound.folder) && { node: join(folder, 'node') }) };
    const report = await runInChild({ runtime, unit, log, stop, outputRoot, onSpawn: async () => {} });
    return { ...report, outputRoot, release: () => rm(outputRoot, { recursive: true, force: true }) };
  };
  return { driver: { ...kit.driver, run }, close: () => rm(folder, { recursive: true, force: true }) };
}
