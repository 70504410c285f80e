/**
 * Shapes of untrusted JSON. A shape reads `unknown` into a typed value and reports every fault with its path, and it
 * carries the JSON Schema (2020-12) that says the same: parser and published schema come from one table.
 */

import { nearestKey } from './nearest-key.ts';

export type JsonSchema = { readonly [key: string]: unknown };
export type FaultKind = 'malformed' | 'unknown_key' | 'out_of_bounds' | 'unsupported';

export interface ShapeFault {
  /** `resources.cpu_cores`, `args[3]`; empty for the whole. */
  readonly path: string;
  readonly kind: FaultKind;
  readonly message: string;
}

export type Report = (fault: ShapeFault) => void;

export interface Shape<T> {
  readonly schema: JsonSchema;
  /** The value, or undefined after at least one report. */
  read(value: unknown, path: string, report: Report): T | undefined;
  /** What a missing key stands for; a key whose shape has none is required. */
  readonly absent?: { readonly value: T };
}

export type ShapeOf<S> = S extends Shape<infer T> ? T : never;

/** The same shape for a key that may be left out and then means `value`. */
export function withDefault<T>(shape: Shape<T>, value: T): Shape<T> {
  const plain = typeof value === 'object' && value !== null ? {} : { default: value };
  return { ...shape, schema: { ...shape.schema, ...plain }, absent: { value } };
}

/** The same shape with a sentence for readers of the schema. */
export function described<T>(description: string, shape: Shape<T>): Shape<T> {
  return { ...shape, schema: { description, ...shape.schema } };
}

/** A string of `min` to `max` characters (code points) that matches `pattern`, explained by `rule`. */
export function textShape(bounds: { pattern: string; rule: string; min?: number; max: number }): Shape<string> {
  const { pattern, rule, min = 0, max } = bounds;
  const expression = new RegExp(pattern, 'u');
  return {
    schema: { type: 'string', minLength: min, maxLength: max, pattern },
    read(value, path, report) {
      if (typeof value !== 'string') return malformed(report, path, 'must be a string');
      // Code points are counted only where the count of code units leaves a doubt.
      const length = value.length > max || value.length < 2 * min ? Array.from(value).length : value.length;
      if (length < min || length > max) return outOfBounds(report, path, `must have ${min} to ${max} characters`);
      return expression.test(value) ? value : malformed(report, path, `must be ${rule}`);
    },
  };
}

/** A whole number within bounds. */
export function integerShape(min: number, max: number): Shape<number> {
  return {
    schema: { type: 'integer', minimum: min, maximum: max },
    read(value, path, report) {
      if (typeof value !== 'number' || !Number.isInteger(value))
        return malformed(report, path, 'must be a whole number');
      return value < min || value > max ? outOfBounds(report, path, `must be ${min} to ${max}`) : value + 0;
    },
  };
}

/** A finite number within bounds, with at most `decimals` decimals where given. */
export function decimalShape(min: number, max: number, decimals?: number): Shape<number> {
  const step = decimals === undefined ? {} : { multipleOf: Number(`1e-${decimals}`) };
  return {
    schema: { type: 'number', minimum: min, maximum: max, ...step },
    read(value, path, report) {
      if (typeof value !== 'number' || !Number.isFinite(value)) return malformed(report, path, 'must be a number');
      if (value < min || value > max) return outOfBounds(report, path, `must be ${min} to ${max}`);
      if (decimals !== undefined && Number(value.toFixed(decimals)) !== value) {
        return malformed(report, path, `must have at most ${decimals} decimals`);
      }
      return value + 0;
    },
  };
}

export function flagShape(): Shape<boolean> {
  return {
    schema: { type: 'boolean' },
    read: (value, path, report) =>
      typeof value === 'boolean' ? value : malformed(report, path, 'must be true or false'),
  };
}

/** One of a few values. */
export function oneOfShape<const T extends string | boolean | null>(values: readonly T[]): Shape<T> {
  return {
    schema: { enum: values },
    read(value, path, report) {
      const found = values.find((one) => one === value);
      if (found !== undefined) return found;
      return malformed(report, path, `must be ${values.map((one) => JSON.stringify(one)).join(' or ')}`);
    },
  };
}

/** A list of at most `max` items. */
export function listShape<T>(item: Shape<T>, max: number): Shape<readonly T[]> {
  return {
    schema: { type: 'array', items: item.schema, maxItems: max },
    read(value, path, report) {
      if (!Array.isArray(value)) return malformed(report, path, 'must be a list');
      if (value.length > max) return outOfBounds(report, path, `must have at most ${max} items`);
      const items = value.map((one, index) => item.read(one, `${path}[${index}]`, report));
      const read = items.filter((one) => one !== undefined);
      return read.length === items.length ? read : undefined;
    },
  };
}

type Fields = { readonly [key: string]: Shape<unknown> };
type Read<R extends Fields> = { readonly [K in keyof R]: ShapeOf<R[K]> };

/** An object with exactly these keys; `optional` ones may be left out and then stay out. */
export function recordShape<R extends Fields>(fields: R): Shape<Read<R>>;
export function recordShape<R extends Fields, O extends Fields>(
  fields: R,
  optional: O,
): Shape<Read<R> & Partial<Read<O>>>;
export function recordShape(fields: Fields, optional: Fields = {}): Shape<unknown> {
  const all: Fields = { ...fields, ...optional };
  const keys = Object.keys(all);
  const required = Object.keys(fields).filter((key) => fields[key]?.absent === undefined);
  const properties = Object.fromEntries(keys.map((key) => [key, all[key]?.schema]));
  return {
    schema: { type: 'object', properties, required, additionalProperties: false },
    read(value, path, report) {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) {
        return malformed(report, path, 'must be an object');
      }
      let sound = true;
      const failed: Report = (fault) => {
        sound = false;
        report(fault);
      };
      for (const key of Object.keys(value)) if (!keys.includes(key)) unknownKey(failed, join(path, key), key, keys);
      const out: Record<string, unknown> = {};
      for (const [key, shape] of Object.entries(all)) {
        const at = join(path, key);
        if (Object.hasOwn(value, key)) out[key] = shape.read((value as Record<string, unknown>)[key], at, failed);
        else if (shape.absent) out[key] = shape.absent.value;
        else if (Object.hasOwn(fields, key)) malformed(failed, at, 'is missing');
      }
      return sound ? out : undefined;
    },
  };
}

/** The path of a key below `path`. */
export function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}

function unknownKey(report: Report, path: string, key: string, known: readonly string[]): void {
  const meant = nearestKey(key, known);
  const hint = meant === undefined ? '' : `; did you mean ${meant}?`;
  report({ path, kind: 'unknown_key', message: `is not a known key${hint}` });
}

function malformed(report: Report, path: string, message: string): undefined {
  report({ path, kind: 'malformed', message });
}

function outOfBounds(report: Report, path: string, message: string): undefined {
  report({ path, kind: 'out_of_bounds', message });
}
