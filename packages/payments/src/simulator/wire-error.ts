/** The errors that Stripe's API answers with. */

import { wireJson } from './bank-books.ts';

/** An answer other than 2xx; handlers throw it. */
export class WireError extends Error {
  readonly status: number;
  readonly type: string;
  readonly code: string | undefined;
  readonly extra: Readonly<Record<string, unknown>>;
  constructor(status: number, type: string, code: string | undefined, message: string, extra = {}) {
    super(message);
    this.name = 'WireError';
    this.status = status;
    this.type = type;
    this.code = code;
    this.extra = extra;
  }
}

/** A request that is wrong in itself: 400. */
export function badRequest(code: string | undefined, message: string, extra = {}): WireError {
  return new WireError(400, 'invalid_request_error', code, message, extra);
}

/** Something that is not there: 404 by its path, 400 as a parameter. */
export function missing(what: string, id: string, status: 400 | 404): WireError {
  return new WireError(status, 'invalid_request_error', 'resource_missing', `No such ${what}: '${id}'`);
}

/** The body that carries an error. */
export function errorBody(error: WireError, requestId: string): string {
  const { type, code, message, extra } = error;
  return wireJson({
    error: { type, ...(code !== undefined && { code }), message, ...extra, request: requestId },
  });
}
