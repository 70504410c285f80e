/** The console's files: hashed assets are kept for ever, every unknown page is the console's start page. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { refuse } from '@assay/core';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { sendProblem } from './problems.ts';
import { rowOf } from './request.ts';

/** Serves `directory`; without one, or before it is built, unknown paths are problems. */
export async function serveConsole(app: FastifyInstance, directory: string | undefined): Promise<void> {
  const built = directory !== undefined && existsSync(join(directory, 'index.html'));
  if (built) {
    await app.register(fastifyStatic, {
      root: directory,
      index: false,
      dotfiles: 'deny',
      cacheControl: false,
      setHeaders(reply, path) {
        const immutable = /[\\/]assets[\\/]/.test(path);
        reply.header('cache-control', immutable ? 'public, max-age=31536000, immutable' : 'no-cache');
      },
    });
    app.get('/', (_request, reply) => sendPage(reply));
    app.addHook('onRequest', async (request, reply) => (isNavigation(request) ? sendPage(reply) : undefined));
  }
  app.setNotFoundHandler((request, reply) =>
    built && wantsPage(request) ? sendPage(reply) : unknownPath(request, reply),
  );
}

function sendPage(reply: FastifyReply): FastifyReply {
  return reply.header('cache-control', 'no-cache').sendFile('index.html');
}

/** A person opens or reloads a page whose path is also one of the API's: `/jobs/job_…` shows the job. */
function isNavigation(request: FastifyRequest): boolean {
  const row = rowOf(request);
  if (!row || row.media || row.access === 'probe' || row.tag === 'results') return false;
  return request.headers['sec-fetch-mode'] === 'navigate' && wantsPage(request);
}

/** A browser asks for a page, not for data and not for a file that is not there. */
function wantsPage(request: FastifyRequest): boolean {
  const path = request.url.split('?', 1)[0] ?? '';
  const wantsHtml = request.headers.accept?.includes('text/html') ?? false;
  return request.method === 'GET' && wantsHtml && !/\.[a-z0-9]+$/i.test(path);
}

function unknownPath(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return sendProblem(refuse('request.unknown_path', 'no such path', { path: request.url }), request, reply);
}
