/** Uploaded bundles wait in a file of their own until they are unpacked; it is removed in every case. */

import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { limits, refuse, Refusal } from '@assay/core';
import '@fastify/multipart';
import type { FastifyRequest } from 'fastify';

/** A spooled upload. */
export interface Spooled {
  readonly path: string;
  remove(): Promise<void>;
}

/** Writes the field `bundle` of a multipart request under `folder`. Refuses `bundle.malformed` and `bundle.too_large`. */
export async function spoolBundle(request: FastifyRequest, folder: string): Promise<Spooled> {
  const own = await mkdtemp(join(folder, 'upload-'));
  const remove = (): Promise<void> => rm(own, { recursive: true, force: true });
  try {
    const path = join(own, 'bundle.zip');
    await receive(request, path);
    return { path, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function receive(request: FastifyRequest, path: string): Promise<void> {
  if (!request.isMultipart()) throw refuse('bundle.malformed', 'send multipart/form-data with the field `bundle`', {});
  try {
    const part = await request.file();
    if (part?.fieldname !== 'bundle') throw refuse('bundle.malformed', 'the field `bundle` is missing', {});
    await pipeline(part.file, createWriteStream(path, { flags: 'wx', mode: 0o600 }));
    if (part.file.truncated) throw tooLarge();
  } catch (error) {
    if (error instanceof Refusal) throw error;
    if ((error as { statusCode?: number }).statusCode === 413) throw tooLarge();
    throw refuse('bundle.malformed', 'the upload broke off or is not multipart/form-data', {});
  }
}

function tooLarge(): Refusal {
  return refuse('bundle.too_large', `a zip may have ${limits.bundleZipBytes} bytes`, {
    maxBytes: limits.bundleZipBytes,
  });
}

/** Makes the folder and empties it of what a crash left behind. */
export async function prepareSpool(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const name of await readdir(folder)) {
    if (name.startsWith('upload-')) await rm(join(folder, name), { recursive: true, force: true });
  }
}
