/** Turns rows of the route table into what Fastify checks and what the OpenAPI document says. */

import { errorCodes, limits } from '@assay/core';
import type { FastifySchema } from 'fastify';
import type { Route } from './routes/route.ts';
import { ref } from './schemas/named.ts';
import { Problem } from './schemas/problem.ts';

const problem = ref(Problem);

/** The codes that any route with this access may answer, besides its own. */
function generalCodes(row: Route): (keyof typeof errorCodes)[] {
  const codes: (keyof typeof errorCodes)[] = ['internal.fault'];
  if (row.access !== 'probe') codes.push('request.rate_limited');
  if (row.params || row.query || row.body) codes.push('request.malformed');
  if (row.body || row.upload) codes.push('request.too_large');
  if (typeof row.access === 'object') codes.push('auth.required', 'auth.forbidden');
  if (row.idempotent === 'key') {
    codes.push('idempotency.key_missing', 'idempotency.key_reused', 'idempotency.in_progress');
  }
  return codes;
}

function problems(row: Route): Record<string, object> {
  const byStatus = new Map<number, string[]>();
  for (const code of new Set([...row.refuses, ...generalCodes(row)])) {
    const { status } = errorCodes[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  const entries = [...byStatus].toSorted(([a], [b]) => a - b);
  return Object.fromEntries(
    entries.map(([status, codes]) => [
      String(status),
      { description: codes.toSorted().join(', '), content: { 'application/problem+json': { schema: problem } } },
    ]),
  );
}

function success(row: Route): object {
  const description = row.summary;
  if (row.status === 204) return { description, type: 'null' };
  if (row.media === 'text/event-stream') {
    return { description, content: { 'text/event-stream': { schema: { type: 'string' } } } };
  }
  if (row.media) return { description, content: { [row.media]: { schema: { type: 'string', format: 'binary' } } } };
  if (row.reply) return { description, content: { 'application/json': { schema: row.reply } } };
  return { description };
}

const bundleUpload = {
  type: 'object',
  required: ['bundle'],
  properties: {
    bundle: { type: 'string', format: 'binary', description: `A zip of at most ${limits.bundleZipBytes} bytes.` },
  },
};

function consumes(row: Route): Record<string, unknown> {
  if (!row.upload) return {};
  return { consumes: [row.upload] };
}

/** What the document says about the body where Fastify must not check it. */
export function uploadSchema(row: Route): object | undefined {
  if (row.rawBody && row.body) return row.body;
  if (row.upload === 'multipart/form-data') return bundleUpload;
  if (row.upload === 'application/octet-stream') return { type: 'string', format: 'binary' };
  if (row.upload === 'application/json') return { type: 'object', additionalProperties: true };
  return undefined;
}

function security(row: Route): object[] {
  if (row.access === 'device') return [{ device: [] }];
  return typeof row.access === 'object' ? [{ session: [] }, { apiKey: [] }] : [];
}

function accessNote(row: Route): string | undefined {
  if (typeof row.access !== 'object') return undefined;
  return `Scope \`${row.access.scope}\`; roles: ${row.access.roles.join(', ')}.`;
}

/** The Fastify schema of a row. */
export function describeRoute(operationId: string, row: Route): FastifySchema {
  const text = accessNote(row);
  return {
    ...(row.params ? { params: row.params } : {}),
    ...(row.query ? { querystring: row.query } : {}),
    ...(row.body && !row.rawBody ? { body: row.body } : {}),
    ...(row.idempotent === 'key' ? { headers: { type: 'object', properties: { 'idempotency-key': keyHeader } } } : {}),
    response: { [row.status]: success(row), ...problems(row) },
    operationId,
    tags: [row.tag],
    summary: row.summary,
    ...(text ? { description: text } : {}),
    security: security(row),
    ...consumes(row),
  } as FastifySchema;
}

const keyHeader = {
  type: 'string',
  minLength: limits.idempotencyKeyMinChars,
  maxLength: limits.idempotencyKeyMaxChars,
  description: 'The same key with the same request answers the same again.',
};
