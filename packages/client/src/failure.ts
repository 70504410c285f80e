/** Turns what is not a success into the errors of core: a problem into a `Refusal`, an outage into a `Fault`. */

import { Fault, isErrorCode, Refusal, type ErrorCode } from '@assay/core';
import type { Problem } from './generated/types.ts';

const passing = new Set([429, 502, 503, 504]);

/** The error that a response which is not a success stands for. */
export async function failureOf(response: Response): Promise<Refusal | Fault> {
  const text = await response.text().catch(() => '');
  const problem = readProblem(text);
  if (!problem) {
    return new Fault('server.unreachable', `the server answered ${response.status} without a problem document`, {
      retry: passing.has(response.status),
    });
  }
  const code: ErrorCode = isErrorCode(problem.code) ? problem.code : unknownCode(response.status);
  if (response.status >= 500) return new Fault(code, problem.detail, { retry: passing.has(response.status) });
  const extra = { requestId: problem.requestId, ...(code === problem.code ? {} : { code: problem.code }) };
  return new Refusal(code, problem.detail, { ...problem.details, ...extra });
}

/** The fault of a request that got no answer at all. */
export function unreachable(cause: unknown): Fault {
  return new Fault('server.unreachable', 'the server does not answer', { cause, retry: true });
}

/** Whether the same request may succeed a little later. */
export function mayPass(error: unknown): boolean {
  if (error instanceof Fault) return error.retry;
  return (
    error instanceof Refusal && (error.code === 'request.rate_limited' || error.code === 'idempotency.in_progress')
  );
}

function unknownCode(status: number): ErrorCode {
  return status >= 500 ? 'internal.fault' : 'request.malformed';
}

function readProblem(text: string): Problem | undefined {
  try {
    const value = JSON.parse(text) as Partial<Problem> | null;
    if (typeof value?.code !== 'string' || typeof value.detail !== 'string') return undefined;
    const { code, detail, type = 'about:blank', title = '', status = 0, details = {}, requestId = '' } = value;
    return { code, detail, type, title, status, details, requestId };
  } catch {
    return undefined;
  }
}
