/** Room for a file's bytes that grows and shrinks without leaving garbage: what V8 collects late counts as the unit's memory. */

/** From here on a file gets pages that more are added to in place; below, growing copies and frees the old at once. */
const inPlaceBytes = 1024 * 1024;

/** `bytes` made `size` long, new ones zero; the old ones are gone. It may come to hold `mostBytes` in place. */
export function resized(bytes: Uint8Array<ArrayBuffer>, size: number, mostBytes: number): Uint8Array<ArrayBuffer> {
  const { buffer } = bytes;
  const isWhole = bytes.byteOffset === 0 && bytes.length === buffer.byteLength && bytes.length > 0;
  if (isWhole && buffer.resizable && size <= buffer.maxByteLength) {
    buffer.resize(size);
    return bytes;
  }
  if (size < inPlaceBytes && isWhole && !buffer.resizable) return new Uint8Array(buffer.transfer(size));
  const room =
    size < inPlaceBytes ? new ArrayBuffer(size) : new ArrayBuffer(size, { maxByteLength: Math.max(size, mostBytes) });
  const grown = new Uint8Array(room);
  grown.set(bytes.subarray(0, Math.min(size, bytes.length)));
  if (isWhole) buffer.transfer(0);
  return grown;
}
