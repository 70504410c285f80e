/** The provider's API key from a file, the environment, a pipe or the keyboard; never from the command line, which others see. */

import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { refuse } from '@assay/core';
import { apiKeyIn } from '@assay/worker';
import { saidAccess } from '../config.ts';
import { print } from '../terminal.ts';

/** The key that somebody gives now; undefined where nobody does and nobody can be asked. Refuses `auth.required`. */
export async function givenApiKey(file: string | undefined, ask: boolean): Promise<string | undefined> {
  if (file === '-') return apiKeyIn(await text(process.stdin), 'standard input');
  if (file !== undefined) return apiKeyIn(await keyFile(file), file);
  const said = saidAccess().apiKey;
  if (said !== undefined) return apiKeyIn(said, 'ASSAY_API_KEY');
  if (!ask || !process.stdin.isTTY) return undefined;
  return apiKeyIn(await typed('API key of your provider account (not shown): '), 'what was typed');
}

async function keyFile(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw refuse('auth.required', `the key file cannot be read: ${error.message}`);
  });
}

const [enter, interrupt, endOfText, backspace] = ['\r', '\u0003', '\u0004', '\u007f'];

/** A line from the keyboard that the screen does not show. */
function typed(question: string): Promise<string> {
  process.stdout.write(question);
  const { stdin } = process;
  stdin.setRawMode(true);
  stdin.setEncoding('utf8');
  return new Promise((resolve, reject) => {
    let line = '';
    const end = (): void => {
      stdin.off('data', hear);
      stdin.setRawMode(false);
      stdin.pause();
      print('');
    };
    const hear = (piece: string): void => {
      for (const key of piece) {
        if (key === interrupt) {
          end();
          reject(new DOMException('interrupted', 'AbortError'));
          return;
        }
        if (key === enter || key === '\n' || key === endOfText) {
          end();
          resolve(line);
          return;
        }
        line = key === backspace ? line.slice(0, -1) : line + key;
      }
    };
    stdin.on('data', hear);
    stdin.resume();
  });
}
