/** Folders and a driver that the wasm driver's own tests share. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SandboxHarness } from '@assay/core/conformance';
import { layFiles, readOutput, sha256 } from '../capture/inputs.setup.ts';
import { wasmDriver, type WasmDriverDeps } from './driver.ts';
import { pythonRunner } from './languages.ts';

export interface DriverKit extends SandboxHarness {
  /** A folder of this kit's own. */
  readonly folder: string;
  readonly cacheDir: string;
  readonly workDir: string;
  close(): Promise<void>;
}

/** A driver over staged runtimes that all tests on this machine share; `runner` is Python's where left out. */
export async function driverKit(runner = pythonRunner, more: Partial<WasmDriverDeps> = {}): Promise<DriverKit> {
  const folder = await mkdtemp(join(tmpdir(), 'assay-sandbox-'));
  const cacheDir = join(tmpdir(), `assay-sandbox-runtime-${process.getuid?.() ?? 0}`);
  const workDir = join(folder, 'runs');
  const driver = wasmDriver({ cacheDir, workDir, ...more });
  return {
    name: 'wasm',
    sha256,
    driver,
    runner,
    folder,
    cacheDir,
    workDir,
    lay: (files) => layFiles(join(folder, 'inputs'), files),
    read: readOutput,
    async close() {
      await driver.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
