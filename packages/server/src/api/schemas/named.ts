/** Named schemas: those that stand under `components` in the OpenAPI document and are referred to by name. */

import { Type, type Static, type TSchema, type TUnsafe } from 'typebox';

/** Every named schema by its name, in the order of definition; the server registers each once. */
export const namedSchemas = new Map<string, TSchema>();

/** Gives `schema` a name. */
export function named<T extends TSchema>(name: string, schema: T): T {
  const withId = { ...schema, $id: name };
  namedSchemas.set(name, withId);
  return withId;
}

/** A reference to a named schema, typed as the schema itself. */
export function ref<T extends TSchema>(schema: T): TUnsafe<Static<T>> {
  const { $id } = schema as { $id?: string };
  if ($id === undefined) throw new Error('only a named schema can be referred to');
  return Type.Unsafe<Static<T>>({ $ref: `${$id}#` });
}

/** `schema` or null. */
export function nullable<T extends TSchema>(schema: T) {
  return Type.Union([schema, Type.Null()]);
}

/** One of the given strings. */
export function oneOf<const T extends readonly string[]>(values: T, description?: string): TUnsafe<T[number]> {
  return Type.Unsafe<T[number]>({ type: 'string', enum: [...values], ...(description ? { description } : {}) });
}

/** An object whose unknown properties are errors: what a caller may send. */
export function closed<T extends Record<string, TSchema>>(properties: T, description?: string) {
  return Type.Object(properties, { additionalProperties: false, ...(description ? { description } : {}) });
}
