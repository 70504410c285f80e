/** A run with a folder on this machine for what it hands out. */

import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { SandboxOutcome } from '@assay/core';
import { openRunFolder } from '../wasm/run-folder.ts';
import type { runInCell } from './run-unit.ts';

type Run = Pick<Parameters<typeof runInCell>[0], 'unit' | 'log' | 'stop' | 'askedAt' | 'outputRoot'>;

/** Runs with a new folder below `workDir`, which stays until the outcome is released. */
export async function runIn(
  workDir: string,
  run: Omit<Run, 'outputRoot'>,
  inCell: (run: Run) => ReturnType<typeof runInCell>,
): Promise<SandboxOutcome> {
  const folder = await openRunFolder(workDir, run.unit.label);
  const outputRoot = join(folder.path, 'outputs');
  await mkdir(outputRoot, { mode: 0o700 });
  const release = () => rm(folder.path, { recursive: true, force: true });
  try {
    const report = await inCell({ ...run, outputRoot });
    if (report.ending.kind !== 'exit') await rm(outputRoot, { recursive: true, force: true });
    return { ...report, outputRoot, release };
  } catch (error) {
    await release();
    throw error;
  }
}
