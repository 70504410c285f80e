/** Composite keys as Fabric writes them: U+0000, the type, U+0000, then each attribute with U+0000 after it. */

const separator = '\u0000';
const last = '\u{10ffff}';

/** The key; attributes may hold neither separator nor the last code point, which ends a partial range. */
export function compositeKey(objectType: string, attributes: readonly string[]): string {
  if (objectType === '') throw new Error('objectType must be a non-empty string');
  for (const part of [objectType, ...attributes]) {
    if (part.includes(separator) || part.includes(last)) throw new Error('a part of a composite key is not plain text');
  }
  return [separator, objectType, separator, ...attributes.map((part) => part + separator)].join('');
}

export function splitCompositeKey(key: string): { objectType: string; attributes: string[] } {
  const [objectType = '', ...attributes] = key.slice(1).split(separator).slice(0, -1);
  return { objectType, attributes };
}

/** The bounds of all keys that begin with these attributes. */
export function partialRange(objectType: string, attributes: readonly string[]): { start: string; end: string } {
  const start = compositeKey(objectType, attributes);
  return { start, end: start + last };
}

/** The bounds of a plain range: composite keys lie outside it. */
export function simpleRange(start: string, end: string): { start: string; end: string } {
  if (start.startsWith(separator) || end.startsWith(separator))
    throw new Error('a plain key does not start with U+0000');
  return { start: start === '' ? '\u0001' : start, end };
}
