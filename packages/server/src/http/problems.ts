/** Every error that leaves the server is an RFC 9457 problem made from core's table of codes. */

import type { Socket } from 'node:net';
import {
  errorCodes,
  Fault,
  limits,
  newId,
  Refusal,
  refuse,
  type Details,
  type ErrorCode,
  type IdSource,
} from '@assay/core';
import type { ConnectionError, FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { FastifySchemaValidationError } from 'fastify/types/schema.js';
import type { Problem } from '../api/schemas/problem.ts';

/** The problem that a code stands for. */
export function problemOf(code: ErrorCode, detail: string, details: Details, requestId: string): Problem {
  const { status, text } = errorCodes[code];
  return {
    type: `urn:assay:problem:${code}`,
    title: text,
    status,
    detail,
    code,
    details: jsonSafe(details),
    requestId,
  };
}

/** The refusal or fault that an error of any origin counts as. */
export function classify(error: unknown): Refusal | Fault {
  if (error instanceof Refusal || error instanceof Fault) return error;
  const { validation, validationContext, code, statusCode, message } = error as Partial<FastifyError>;
  if (validation) {
    const issues = validation.map(issueText);
    return refuse('request.malformed', `${validationContext ?? 'request'}: ${issues.join('; ')}`, { issues });
  }
  if (statusCode === 413) return refuse('request.too_large', 'the request exceeds a size limit', {});
  if (statusCode === 429) return refuse('request.rate_limited', 'too many requests', {});
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return refuse('request.malformed', code?.startsWith('FST_') ? (message ?? 'malformed') : 'malformed request', {});
  }
  return new Fault('internal.fault', 'something failed on our side', { cause: error, retry: false });
}

/** One issue of a validator in a sentence, with the key that a closed object does not know. */
function issueText({ instancePath, message, params }: FastifySchemaValidationError): string {
  const extra = params['additionalProperty'];
  const text = typeof extra === 'string' ? `has the unknown key ${JSON.stringify(extra)}` : (message ?? '');
  return `${instancePath || '/'} ${text}`.trim();
}

/** Answers `error` as a problem; what went wrong inside goes to the log, not to the caller. */
export function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const known = classify(error);
  if (known instanceof Fault) request.log.error({ err: known, cause: causeOf(known) }, known.message);
  const inside = known instanceof Fault;
  const detail = inside ? errorCodes[known.code].text : known.message;
  const problem = problemOf(known.code, detail, inside ? {} : known.details, request.id);
  const { waitMs } = problem.details as { waitMs?: unknown };
  // A body that nobody reads must not stand in the way of the next request.
  if (!request.raw.complete) void reply.header('connection', 'close');
  if (typeof waitMs === 'number') void reply.header('retry-after', String(Math.ceil(waitMs / 1000)));
  return reply
    .code(problem.status)
    .header('content-type', 'application/problem+json; charset=utf-8')
    .header('cache-control', 'no-store')
    .send(JSON.stringify(problem));
}

/** Makes the whole app answer problems. */
export function answerProblems(app: FastifyInstance): void {
  app.setErrorHandler((error, request, reply) => sendProblem(error, request, reply));
}

/** Answers bytes that are no HTTP request, which Fastify never sees. */
export function answerMalformedHttp(ids: IdSource): (error: ConnectionError, socket: Socket) => void {
  return (error, socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy();
      return;
    }
    const code = error.code === 'HPE_HEADER_OVERFLOW' ? 'request.too_large' : 'request.malformed';
    const problem = problemOf(code, 'this is no HTTP request that we understand', {}, newId('request', ids));
    const body = JSON.stringify(problem);
    socket.end(
      `HTTP/1.1 ${problem.status} Refused\r\ncontent-type: application/problem+json\r\n` +
        `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
    );
    // Nothing else looks after it any more: a connection that its other end keeps would be there for ever.
    const late = setTimeout(() => socket.destroy(), limits.partingMs);
    socket.once('close', () => clearTimeout(late));
  };
}

function causeOf(fault: Fault): unknown {
  return fault.cause instanceof Error ? { message: fault.cause.message, stack: fault.cause.stack } : fault.cause;
}

/** Money's bigints and the like become strings. */
function jsonSafe(details: Details): Record<string, unknown> {
  const text = JSON.stringify(details, (_key, value: unknown) =>
    typeof value === 'bigint' ? value.toString() : value,
  );
  return JSON.parse(text) as Record<string, unknown>;
}
