/**
 * Three kinds of error. A `Refusal` is a lawful "no", shown to the caller. A `Fault` says that the world failed.
 * `assert` reports our own bug: the unit of work dies.
 */

import { errorCodes, type ErrorCode } from './error-codes.ts';

export type Details = Readonly<Record<string, unknown>>;

/** A lawful "no": the caller asked for something that the rules do not allow. */
export class Refusal extends Error {
  readonly code: ErrorCode;
  readonly details: Details;
  constructor(code: ErrorCode, message: string, details: Details = {}) {
    super(message);
    this.name = 'Refusal';
    this.code = code;
    this.details = details;
  }
  /** The HTTP status that the table gives the code. */
  get status(): number {
    return errorCodes[this.code].status;
  }
}

/** The world failed: a disk, a network, a provider. `retry` says whether the same call may succeed later. */
export class Fault extends Error {
  readonly code: ErrorCode;
  readonly retry: boolean;
  constructor(code: ErrorCode, message: string, options: { cause?: unknown; retry: boolean }) {
    super(message, { cause: options.cause });
    this.name = 'Fault';
    this.code = code;
    this.retry = options.retry;
  }
  get status(): number {
    return errorCodes[this.code].status;
  }
}

/** Makes a refusal, to be thrown by the caller. */
export function refuse(code: ErrorCode, message: string, details: Details = {}): Refusal {
  return new Refusal(code, message, details);
}

/** Throws when a condition that our own code guarantees does not hold. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${message}`);
}

/** Marks a branch that the types rule out. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}
