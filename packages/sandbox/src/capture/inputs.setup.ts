/** Inputs on disk and captured outputs, as every driver's tests need them. */

import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseSha256, type InputFile, type SandboxOutcome, type Sha256, type Sha256Hex } from '@assay/core';

/** SHA-256 by Node. */
export const sha256: Sha256 = (bytes) => createHash('sha256').update(bytes).digest();

/** Writes the files below `root`, under names that say nothing. */
export async function layFiles(
  root: string,
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<InputFile[]> {
  const folder = join(root, randomUUID());
  await mkdir(folder, { recursive: true });
  return Promise.all(
    Object.entries(files).map(async ([path, content], index) => {
      const hostPath = join(folder, String(index));
      const bytes = Buffer.from(content);
      await writeFile(hostPath, bytes);
      return { path, hostPath, sizeBytes: bytes.length, sha256: hashOfBytes(bytes) };
    }),
  );
}

function hashOfBytes(bytes: Uint8Array): Sha256Hex {
  const hash = parseSha256(createHash('sha256').update(bytes).digest('hex'));
  if (!hash) throw new Error('SHA-256 in hex');
  return hash;
}

/** The text of a captured file. */
export async function readOutput(outcome: SandboxOutcome, path: string): Promise<string> {
  const file = outcome.outputs.find((output) => output.path === path);
  if (!file) throw new Error(`no output ${path}`);
  return readFile(join(outcome.outputRoot, file.sha256), 'utf8');
}
