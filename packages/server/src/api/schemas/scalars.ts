/** The small values that all shapes are made of. */

import { currencyExponents, idPattern, limits, regions, type Currency, type IdKind } from '@assay/core';
import { Type, type TSchema } from 'typebox';
import { named, nullable, oneOf, ref } from './named.ts';

/** An id of the given kind. */
export function id(kind: IdKind, description?: string) {
  return Type.String({ pattern: idPattern(kind), ...(description ? { description } : {}) });
}

/** 64 lower-case hex digits. */
export const sha256 = Type.String({ pattern: '^[0-9a-f]{64}$' });

/** An instant, ISO 8601 in UTC. */
export const instant = Type.String({ format: 'date-time' });

/** A whole number of zero or more. */
export const count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

/** A position in a stream: a decimal string, since it may exceed what a double holds. */
export const position = Type.String({ pattern: '^\\d{1,19}$' });

/** One line that nothing can be hidden in: no control characters, no marks that turn the direction of writing. */
export const printable = '^[^\\u0000-\\u001f\\u007f-\\u009f\\u2028-\\u202e\\u2066-\\u2069]+$';

/** One word of visible ASCII. */
export const graphic = '^[!-~]+$';

/** A place in the feed of changes. */
export const cursor = Type.String({ pattern: '^\\d{1,19}\\.\\d{1,19}$' });

export const region = oneOf(regions, 'Where data lives and money moves.');

export const Money = named(
  'Money',
  Type.Object(
    {
      currency: oneOf(Object.keys(currencyExponents) as Currency[]),
      minor: Type.String({ pattern: '^-?\\d{1,18}$', description: 'Whole minor units (cents), a decimal string.' }),
    },
    { description: 'An amount of money.' },
  ),
);

export const money = ref(Money);

export const TreeFile = named(
  'TreeFile',
  Type.Object({
    path: Type.String({ minLength: 1, maxLength: 255 }),
    sizeBytes: count,
    sha256,
  }),
);

/** Files by path, at most as many as a bundle may hold. */
export const tree = Type.Array(ref(TreeFile), { maxItems: limits.bundleFiles });

/** One page of a list: the next page starts at `next`, null at the end. */
export function page<T extends TSchema>(item: T) {
  return Type.Object({ items: Type.Array(item), next: nullable(Type.String()) });
}

/** The query of a paged list. */
export const pageQuery = Type.Object({
  after: Type.Optional(Type.String({ maxLength: 200, description: 'The `next` of the page before.' })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: limits.pageItems })),
});
