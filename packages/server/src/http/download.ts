/** Files that strangers' code wrote: handed out as attachments that no browser runs or guesses the type of. */

import { extname } from 'node:path';
import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { hostilePolicy } from './security-headers.ts';

/** What a downloaded file is called and what is in it. */
export interface Download {
  readonly name: string;
  readonly content: AsyncIterable<Uint8Array>;
  readonly sizeBytes?: number;
}

const types: Readonly<Record<string, string>> = {
  '.json': 'application/json',
  '.txt': 'text/plain; charset=utf-8',
  '.log': 'text/plain; charset=utf-8',
  '.md': 'text/plain; charset=utf-8',
  '.csv': 'text/csv; charset=utf-8',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.pdf': 'application/pdf',
  '.zip': 'application/zip',
};

/** Sends a download. */
export function sendDownload(reply: FastifyReply, download: Download): FastifyReply {
  const { name, content, sizeBytes } = download;
  const plain = name.replaceAll(/[^\w.-]/g, '_');
  void reply
    .header('content-type', types[extname(name).toLowerCase()] ?? 'application/octet-stream')
    .header('content-disposition', `attachment; filename="${plain}"; filename*=UTF-8''${encodeURIComponent(name)}`)
    .header('content-security-policy', hostilePolicy)
    .header('cache-control', 'private, no-store');
  if (sizeBytes !== undefined) void reply.header('content-length', String(sizeBytes));
  return reply.send(Readable.from(content, { objectMode: false }));
}
