/**
 * Arrays as PostgreSQL reads them in binary: `int32 dimensions, int32 has nulls, int32 type, int32 length, int32 lower
 * bound`, then for each element its length and its bytes. The driver sends a Buffer as it is, so that neither side quotes
 * or parses a text of thousands of elements.
 */

const headBytes = 20;
const oids = { bytea: 17, int8: 20, int2: 21, int4: 23, text: 25 } as const;

function headed(size: number, count: number, oid: number, hasNulls = false): Buffer {
  const bytes = Buffer.allocUnsafe(headBytes + size);
  bytes.writeInt32BE(1, 0);
  bytes.writeInt32BE(hasNulls ? 1 : 0, 4);
  bytes.writeInt32BE(oid, 8);
  bytes.writeInt32BE(count, 12);
  bytes.writeInt32BE(1, 16);
  return bytes;
}

function ofTexts(values: readonly (string | null)[], oid: number): Buffer {
  let size = values.length * 4;
  let hasNulls = false;
  const lengths = values.map((value) => {
    if (value === null) hasNulls = true;
    const length = value === null ? -1 : Buffer.byteLength(value);
    size += Math.max(length, 0);
    return length;
  });
  const bytes = headed(size, values.length, oid, hasNulls);
  let at = headBytes;
  for (let i = 0; i < values.length; i += 1) {
    const value = values[i];
    at = bytes.writeInt32BE(lengths[i] ?? -1, at);
    if (typeof value === 'string') at += bytes.write(value, at);
  }
  return bytes;
}

/** `text[]`. */
export function textArray(values: readonly (string | null)[]): Buffer {
  return ofTexts(values, oids.text);
}

/** `bytea[]`, each element the UTF-8 of its text. */
export function bytesArray(values: readonly string[]): Buffer {
  return ofTexts(values, oids.bytea);
}

/** `smallint[]`. */
export function smallArray(values: readonly number[]): Buffer {
  const bytes = headed(values.length * 6, values.length, oids.int2);
  let at = headBytes;
  for (const value of values) at = bytes.writeInt16BE(value, bytes.writeInt32BE(2, at));
  return bytes;
}

/** `integer[]`. */
export function integerArray(values: readonly number[]): Buffer {
  const bytes = headed(values.length * 8, values.length, oids.int4);
  let at = headBytes;
  for (const value of values) at = bytes.writeInt32BE(value, bytes.writeInt32BE(4, at));
  return bytes;
}

/** `bigint[]`. */
export function bigintArray(values: readonly bigint[]): Buffer {
  const bytes = headed(values.length * 12, values.length, oids.int8);
  let at = headBytes;
  for (const value of values) at = bytes.writeBigInt64BE(value, bytes.writeInt32BE(8, at));
  return bytes;
}
