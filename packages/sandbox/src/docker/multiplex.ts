/** The daemon's stream of a container without a terminal: a stream byte, three zeros, the length as 32 bits, the bytes. */

import { bounds } from './bounds.ts';
import type { Attachment } from './daemon.ts';

export interface ContainerOutput {
  /** The bytes of stdout. */
  readonly output: AsyncIterator<Uint8Array>;
  /** The end of what came on stderr so far. */
  complaint(): string;
}

/** Splits what comes on an attachment. */
export function outputOf({ socket, head }: Attachment): ContainerOutput {
  let tail = '';
  const complain = (bytes: Buffer) => {
    tail = (tail + bytes.toString('latin1')).slice(-bounds.complaintChars);
  };
  async function* read(): AsyncGenerator<Uint8Array> {
    const split = splitter();
    for (const { stream, bytes } of split(head)) {
      if (stream === 1) yield bytes;
      else complain(bytes);
    }
    try {
      for await (const chunk of socket) {
        for (const { stream, bytes } of split(chunk as Buffer)) {
          if (stream === 1) yield bytes;
          else complain(bytes);
        }
      }
    } catch {
      // The connection broke: the container's end says why.
    }
  }
  return { output: read(), complaint: () => tail };
}

interface Piece {
  readonly stream: number;
  readonly bytes: Buffer;
}

/** Gives pieces on as they come, without waiting for the end of a message. */
export function splitter(): (chunk: Buffer) => Piece[] {
  let header = Buffer.alloc(0);
  let stream = 0;
  let left = 0;
  return (chunk) => {
    const pieces: Piece[] = [];
    let rest = chunk;
    while (rest.length > 0) {
      if (left === 0) {
        const wanted = 8 - header.length;
        header = Buffer.concat([header, rest.subarray(0, wanted)]);
        rest = rest.subarray(wanted);
        if (header.length < 8) return pieces;
        stream = header[0] ?? 0;
        left = header.readUInt32BE(4);
        header = Buffer.alloc(0);
        continue;
      }
      const bytes = rest.subarray(0, left);
      pieces.push({ stream, bytes });
      left -= bytes.length;
      rest = rest.subarray(bytes.length);
    }
    return pieces;
  };
}
