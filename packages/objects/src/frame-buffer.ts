/** Regroups a stream of chunks of any size into frames of one size, the last one marked. */

/** One frame of a stream. */
export interface Frame {
  readonly bytes: Uint8Array;
  readonly last: boolean;
}

/**
 * Frames of exactly `size` bytes, then a last one that may be shorter; an empty stream is one empty last frame. A frame's
 * bytes are valid until the next one is asked for: one buffer serves them all.
 */
export async function* frames(content: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Frame> {
  const buffer = Buffer.allocUnsafe(size);
  let filled = 0;
  for await (const chunk of content) {
    let offset = 0;
    while (offset < chunk.length) {
      if (filled === size) {
        yield { bytes: buffer, last: false };
        filled = 0;
      }
      const part = chunk.subarray(offset, offset + size - filled);
      buffer.set(part, filled);
      filled += part.length;
      offset += part.length;
    }
  }
  yield { bytes: buffer.subarray(0, filled), last: true };
}
