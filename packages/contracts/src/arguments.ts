/** Arguments are strings from outside: each is taken only in its exact form. */

import {
  limits,
  parseId,
  parseSha256,
  refuse,
  type JobId,
  type Refusal,
  type Sha256Hex,
  type WorkerId,
} from '@assay/core';

/** The refusal of an argument that does not have its form. */
export function malformed(what: string): Refusal {
  return refuse('request.malformed', what);
}

export function jobIdOf(text: string): JobId {
  const id = parseId('job', text);
  if (id === undefined) throw malformed('the contract id is not a job id');
  return id;
}

export function workerIdOf(text: string): WorkerId {
  const id = parseId('worker', text);
  if (id === undefined) throw malformed('the worker id is not one');
  return id;
}

export function hashOfArgument(name: string, text: unknown): Sha256Hex {
  const hash = parseSha256(text);
  if (hash === undefined) throw malformed(`${name} is not a SHA-256 in lower-case hex`);
  return hash;
}

/** A whole number in decimal digits without sign or leading zeros. */
export function wholeNumberOf(name: string, text: string, max: number): number {
  if (!/^(?:0|[1-9][0-9]{0,15})$/.test(text)) throw malformed(`${name} is not a whole number`);
  return countOf(name, Number(text), 0, max);
}

export function countOf(name: string, value: unknown, min: number, max: number): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min || value > max) {
    throw malformed(`${name} is not a whole number from ${min} to ${max}`);
  }
  return value;
}

export function oneOf<Choice extends string>(name: string, value: unknown, choices: readonly Choice[]): Choice {
  const choice = choices.find((one) => one === value);
  if (choice === undefined) throw malformed(`${name} is not one of ${choices.join(', ')}`);
  return choice;
}

export function textOf(name: string, value: unknown, pattern: RegExp): string {
  if (typeof value !== 'string' || !pattern.test(value)) throw malformed(`${name} does not match ${pattern.source}`);
  return value;
}

/** The object in a JSON argument, which may have the `required` and the `optional` keys and no others. */
export function objectOf(
  name: string,
  text: string,
  required: readonly string[],
  optional: readonly string[] = [],
): Readonly<Record<string, unknown>> {
  return membersOf(name, jsonOf(name, text), required, optional);
}

/** The list in a JSON argument, of 1 to `limits.ledgerResults` items. */
export function listOf(name: string, text: string): readonly unknown[] {
  const list = jsonOf(name, text);
  if (!Array.isArray(list) || list.length === 0 || list.length > limits.ledgerResults) {
    throw malformed(`${name} is not a list of 1 to ${limits.ledgerResults} items`);
  }
  return list;
}

export function membersOf(
  name: string,
  value: unknown,
  required: readonly string[],
  optional: readonly string[] = [],
): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed(`${name} is not an object`);
  const keys = Object.keys(value).toSorted();
  const unknown = keys.find((key) => !required.includes(key) && !optional.includes(key));
  if (unknown !== undefined) throw malformed(`${name} has an unknown key`);
  const missing = required.find((key) => !keys.includes(key));
  if (missing !== undefined) throw malformed(`${name} lacks ${missing}`);
  return value as Readonly<Record<string, unknown>>;
}

function jsonOf(name: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw malformed(`${name} is not JSON`);
  }
}
