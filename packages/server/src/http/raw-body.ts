/** Bodies are read once as bytes, because signatures and idempotency keys are about bytes. */

import { limits, refuse } from '@assay/core';
import multipart from '@fastify/multipart';
import type { FastifyInstance } from 'fastify';

/** JSON bodies: parsed, with their bytes kept; `__proto__` and `constructor` keys are refused. */
export function parseJsonBodies(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeContentTypeParser(['application/json', 'text/plain']);
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    request.rawBody = body as Buffer;
    if (body.length === 0) {
      done(null, undefined);
      return;
    }
    void parse(request, textOf(body as Buffer), done);
  });
}

/** Bytes as they come, whatever they claim to be: for routes that check them by themselves. */
export function keepRawBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (request, body, done) => {
    request.rawBody = body as Buffer;
    done(null, undefined);
  });
}

/** Forms with one file, which is streamed to whoever asks for it. */
export async function acceptMultipart(app: FastifyInstance): Promise<void> {
  app.removeAllContentTypeParsers();
  const files = { fileSize: limits.bundleZipBytes, files: 1, fields: 0, parts: 1, headerPairs: 20 };
  await app.register(multipart, { limits: files, throwFileSizeLimit: false });
}

/** Hands the body to the handler as a stream. */
export function passBodiesThrough(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
}

const decoder = new TextDecoder('utf-8', { fatal: true });

function textOf(body: Buffer): string {
  try {
    return decoder.decode(body);
  } catch {
    throw refuse('request.malformed', 'the body is not UTF-8 text', {});
  }
}
