/** Generated files: written, or with `--check` compared with what is committed. */

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import process from 'node:process';

/** Writes `text` to `path`; with `--check` says instead whether it stands there already, and fails where it does not. */
export async function writeOrCheck(path: string, text: string): Promise<void> {
  if (!process.argv.includes('--check')) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
    return;
  }
  const present = await readFile(path, 'utf8').catch(() => '');
  if (present === text) return;
  process.stderr.write(`${path} is stale: run the script that writes it without --check\n`);
  process.exitCode = 1;
}
