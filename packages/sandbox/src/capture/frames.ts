/** The strict reader of what a sandbox's child writes. The child is hostile: any deviation ends the reading. */

import { frameBytes, frameKinds, type FrameKind } from '../wasm/guest/wire.ts';

export interface Frame {
  readonly kind: FrameKind;
  readonly payload: Uint8Array;
}

/** Thrown when the child broke the protocol. */
export class FrameViolation extends Error {
  override readonly name = 'FrameViolation';
}

const kinds: ReadonlySet<number> = new Set(Object.values(frameKinds));

/** Splits a byte stream into frames; holds at most one frame's bytes back. */
export function frameReader(): { push(chunk: Uint8Array): Frame[]; pendingBytes(): number } {
  let held = Buffer.alloc(0);
  return {
    push(chunk) {
      const frames: Frame[] = [];
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

function isKind(kind: number): kind is FrameKind {
  return kinds.has(kind);
}
