/** The strict reader of what a sandbox's child writes. The child is hostile: any deviation ends the reading. */

import { frameBytes, frameKinds, type FrameKind } from '../wasm/guest/wire.ts';

export interface Frame<Kind extends number = FrameKind> {
  readonly kind: Kind;
  readonly payload: Uint8Array;
}

/** Thrown when the child broke the protocol. */
export class FrameViolation extends Error {
  override readonly name = 'FrameViolation';
}

export interface FrameReader<Kind extends number> {
  push(chunk: Uint8Array): Frame<Kind>[];
  pendingBytes(): number;
}

const guestKinds: ReadonlySet<FrameKind> = new Set(Object.values(frameKinds));

/** Splits a byte stream into frames of the kinds that every guest has; holds at most one frame's bytes back. */
export function frameReader(): FrameReader<FrameKind> {
  return frameReaderOf(guestKinds);
}

/** The same for a guest that has further kinds. */
export function frameReaderOf<Kind extends number>(kinds: ReadonlySet<Kind>): FrameReader<Kind> {
  let held = Buffer.alloc(0);
  const isKind = (kind: number): kind is Kind => (kinds as ReadonlySet<number>).has(kind);
  return {
    push(chunk) {
      const frames: Frame<Kind>[] = [];
      let bytes = held.length === 0 ? Buffer.from(chunk) : Buffer.concat([held, chunk]);
      while (bytes.length >= 5) {
        const kind = bytes[0] ?? 0;
        const length = bytes.readUInt32BE(1);
        if (!isKind(kind)) throw new FrameViolation(`frame kind ${kind}`);
        if (length > frameBytes) throw new FrameViolation(`frame of ${length} bytes`);
        if (bytes.length < 5 + length) break;
        frames.push({ kind, payload: bytes.subarray(5, 5 + length) });
        bytes = bytes.subarray(5 + length);
      }
      held = Buffer.from(bytes);
      return frames;
    },
    pendingBytes: () => held.length,
  };
}
