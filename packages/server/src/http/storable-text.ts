/** Text that PostgreSQL cannot hold, NUL and halves of surrogate pairs, is refused wherever it arrives. */

import { refuse } from '@assay/core';
import type { FastifyInstance } from 'fastify';
import { rowOf } from './request.ts';

/** Checks path, query and body of every request before anything else reads them. */
export function refuseUnstorableText(app: FastifyInstance): void {
  app.addHook('preValidation', async (request) => {
    const row = rowOf(request);
    if (!row || row.anyText || row.upload === 'application/octet-stream') return;
    const { params, query, body } = request;
    if (!isStorable([params, query, row.rawBody ? undefined : body])) {
      throw refuse('request.malformed', 'text must be Unicode without NUL', {});
    }
  });
}

/** Whether every string in a JSON value can be stored. */
export function isStorable(value: unknown): boolean {
  // A stack instead of recursion: the nesting of a body has no bound but its size.
  const open: unknown[] = [value];
  while (open.length > 0) {
    const one = open.pop();
    if (typeof one === 'string' && (one.includes('\0') || !one.isWellFormed())) return false;
    if (typeof one !== 'object' || one === null || Buffer.isBuffer(one)) continue;
    // One by one: a list may be longer than a call may have arguments.
    if (Array.isArray(one)) for (const item of one) open.push(item);
    else for (const [key, item] of Object.entries(one)) open.push(key, item);
  }
  return true;
}
