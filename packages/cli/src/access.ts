/** Where the command finds a market and the key to it: the environment, else the file that a running demo leaves. */

import { readFileSync } from 'node:fs';
import { refuse } from '@assay/core';
import { accessFile, defaultStateDir, saidAccess } from './config.ts';

export interface Access {
  readonly url: string;
  readonly apiKey: string;
  /** A demo's arbiter is another person than its customer: nobody decides their own dispute. */
  readonly arbiterApiKey?: string;
}

/** Who this command speaks as; refuses `auth.required` with what to do. */
export function readAccess(): Access {
  const { url, apiKey } = saidAccess();
  if (url !== undefined && apiKey !== undefined) return { url, apiKey };
  // A key from the demo's file is not for another market.
  if (url !== undefined) throw refuse('auth.required', 'ASSAY_URL needs ASSAY_API_KEY beside it');
  const demo = demoAccess();
  if (demo) return demo;
  throw refuse(
    'auth.required',
    `no market is known: start one with ./assay demo (it leaves its key in ${accessFile(defaultStateDir())}; ASSAY_STATE_DIR moves that), or set ASSAY_URL and ASSAY_API_KEY`,
  );
}

/** What a running demo left, with a key that the environment may name; undefined where none runs. */
export function demoAccess(): Access | undefined {
  const { apiKey } = saidAccess();
  try {
    const parsed: unknown = JSON.parse(readFileSync(accessFile(defaultStateDir()), 'utf8'));
    if (isAccess(parsed)) return apiKey === undefined ? parsed : { url: parsed.url, apiKey };
  } catch {
    // No file.
  }
  return undefined;
}

function isAccess(value: unknown): value is Access {
  return (
    typeof value === 'object' &&
    value !== null &&
    'url' in value &&
    typeof value.url === 'string' &&
    'apiKey' in value &&
    typeof value.apiKey === 'string'
  );
}
