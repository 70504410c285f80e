/** The provider's API key from a file, the environment, a pipe or the keyboard; never from the command line, which others see. */

import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { refuse } from '@assay/core';
import { apiKeyIn } from '@assay/worker';
import { saidAccess } from '../config.ts';
import { hiddenLine } from '../hidden-line.ts';

/** The key that somebody gives now; undefined where nobody does and nobody can be asked. Refuses `auth.required`. */
export async function givenApiKey(file: string | undefined, ask: boolean): Promise<string | undefined> {
  if (file === '-') return apiKeyIn(await text(process.stdin), 'standard input');
  if (file !== undefined) return apiKeyIn(await keyFile(file), file);
  const said = saidAccess().apiKey;
  if (said !== undefined) return apiKeyIn(said, 'ASSAY_API_KEY');
  if (!ask || !process.stdin.isTTY) return undefined;
  return apiKeyIn(await hiddenLine('API key of your provider account (not shown): '), 'what was typed');
}

async function keyFile(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw refuse('auth.required', `the key file cannot be read: ${error.message}`);
  });
}
