/** Inputs, folders and the open interpreter that the sandbox's own tests share. */

import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseSha256, type InputFile, type Sha256, type Sha256Hex } from '@assay/core';
import type { SandboxHarness } from '@assay/core/conformance';
import { wasmDriver } from './driver.ts';
import { pythonRunner } from './languages.ts';

/** SHA-256 by Node. */
const sha256: Sha256 = (bytes) => createHash('sha256').update(bytes).digest();

export interface DriverKit extends SandboxHarness {
  /** A folder of this kit's own. */
  readonly folder: string;
  readonly cacheDir: string;
  readonly workDir: string;
  close(): Promise<void>;
}

/** A driver over a staged runtime that all tests on this machine share. */
export async function driverKit(): Promise<DriverKit> {
  const folder = await mkdtemp(join(tmpdir(), 'assay-sandbox-'));
  const cacheDir = join(tmpdir(), `assay-sandbox-runtime-${process.getuid?.() ?? 0}`);
  const workDir = join(folder, 'runs');
  const driver = wasmDriver({ cacheDir, workDir });
  return {
    name: 'wasm',
    sha256,
    driver,
    runner: pythonRunner,
    folder,
    cacheDir,
    workDir,
    lay: (files) => layFiles(join(folder, 'inputs'), files),
    async read(outcome, path) {
      const file = outcome.outputs.find((output) => output.path === path);
      if (!file) throw new Error(`no output ${path}`);
      return readFile(join(outcome.outputRoot, file.sha256), 'utf8');
    },
    close: () => rm(folder, { recursive: true, force: true }),
  };
}

async function layFiles(root: string, files: Readonly<Record<string, string>>): Promise<InputFile[]> {
  const folder = join(root, randomUUID());
  await mkdir(folder, { recursive: true });
  return Promise.all(
    Object.entries(files).map(async ([path, text], index) => {
      const hostPath = join(folder, String(index));
      await writeFile(hostPath, text);
      return { path, hostPath, sizeBytes: Buffer.byteLength(text), sha256: hashOfText(text) };
    }),
  );
}

function hashOfText(text: string): Sha256Hex {
  const hash = parseSha256(createHash('sha256').update(text).digest('hex'));
  if (!hash) throw new Error('SHA-256 in hex');
  return hash;
}

/** What each piece of Python prints in the same interpreter without any wall: the positive control of an attack. */
export async function inOpenInterpreter(codes: readonly string[], env: Record<string, string>): Promise<string[]> {
  const pyodide = dirname(createRequire(import.meta.url).resolve('pyodide'));
  const program = `
    const { loadPyodide } = await import(${JSON.stringify(join(pyodide, 'pyodide.mjs'))});
    const answers = [];
    const python = await loadPyodide({ stdout: (line) => answers.push(line), stderr: () => {} });
    const all = [];
    for (const code of ${JSON.stringify(codes)}) {
      answers.length = 0;
      try { await python.runPythonAsync(code); } catch (error) { answers.push(String(error.message).slice(-300)); }
      all.push(answers.join('\\n'));
    }
    await new Promise((done) => setTimeout(done, 100));
    process.stdout.write('ANSWERS' + JSON.stringify(all), () => process.exit(0));
  `;
  const text = await new Promise<string>((resolve, reject) => {
    const options = { env, timeout: 60_000, maxBuffer: 16 * 1024 * 1024 };
    execFile(process.execPath, ['--input-type=module', '-e', program], options, (error, stdout) => {
      if (error) reject(error);
      else resolve(stdout);
    });
  });
  return JSON.parse(text.slice(text.indexOf('ANSWERS') + 7)) as string[];
}
