/** What goes between the driver and the collector (`images/shim/shim`) beside the kinds that all guests have. */

import { frameBytes, frameKinds } from '../wasm/guest/wire.ts';

/** What the collector may say further. Tunnels begin with their number as 32 bits. */
export const collectorKinds = {
  /** The unit wrote more than its scratch space. */
  overflow: 8,
  /** A program asks for a connection: `host:port`. */
  tunnelOpen: 9,
  tunnelData: 10,
  tunnelEnd: 11,
  /** So many bytes, as 32 bits, went on to the program. */
  tunnelTaken: 12,
} as const;

export type CollectorKind =
  | (typeof frameKinds)[keyof typeof frameKinds]
  | (typeof collectorKinds)[keyof typeof collectorKinds];

export const allCollectorKinds: ReadonlySet<CollectorKind> = new Set([
  ...Object.values(frameKinds),
  ...Object.values(collectorKinds),
]);

/** What the driver tells the collector. */
export const orderKinds = {
  order: 1,
  input: 2,
  /** The outputs are here: end. */
  leave: 3,
  tunnelOpened: 16,
  tunnelRefused: 17,
  tunnelData: 18,
  tunnelEnd: 19,
  tunnelTaken: 20,
} as const;

/** What the collector calls itself in its first frame; an image with another one is too old or too new. */
export const collectorVersion = '1';

/** One frame; throws where the payload is longer than a frame may be. */
export function orderFrame(kind: (typeof orderKinds)[keyof typeof orderKinds], payload: Uint8Array): Buffer {
  const most = kind === orderKinds.order ? 64 * frameBytes : frameBytes;
  if (payload.length > most) throw new RangeError('the frame is too long');
  const head = Buffer.alloc(5);
  head[0] = kind;
  head.writeUInt32BE(payload.length, 1);
  return Buffer.concat([head, payload]);
}

/** Texts behind their lengths. */
export function fields(texts: readonly (string | number)[]): Buffer {
  return Buffer.concat(
    texts.flatMap((text) => {
      const bytes = Buffer.from(String(text));
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      return [length, bytes];
    }),
  );
}
