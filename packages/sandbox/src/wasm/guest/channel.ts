/** Blocking reads from the driver and writes to it: once the job runs, no event loop turns in this process. */

import { readSync, writeSync } from 'node:fs';
import { frameBytes, type FrameKind } from './wire.ts';

const inFd = 0;
const outFd = 3;
const pause = new Int32Array(new SharedArrayBuffer(4));

function retrying(step: () => number): number {
  for (;;) {
    try {
      return step();
    } catch (error) {
      if ((error as { code?: string }).code !== 'EAGAIN') throw error;
      Atomics.wait(pause, 0, 0, 1);
    }
  }
}

/** Exactly `length` bytes from the driver; throws when it hangs up. */
export function readExactly(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const count = retrying(() => readSync(inFd, bytes, at, length - at, null));
    if (count === 0) throw new Error('the driver hung up');
    at += count;
  }
  return bytes;
}

/** Writes `payload` as one frame, or as several where it is longer than a frame may be. */
export function sendFrames(kind: FrameKind, payload: Uint8Array): void {
  let at = 0;
  do {
    const part = payload.subarray(at, at + frameBytes);
    const frame = new Uint8Array(5 + part.length);
    frame[0] = kind;
    new DataView(frame.buffer).setUint32(1, part.length);
    frame.set(part, 5);
    writeAll(frame);
    at += part.length;
  } while (at < payload.length);
}

function writeAll(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) {
    at += retrying(() => writeSync(outFd, bytes, at, bytes.length - at));
  }
}

/** Sleeps until the driver hangs up; it kills this process when it has what it wants. */
export function waitForTheEnd(): void {
  const ignored = new Uint8Array(1024);
  while (retrying(() => readSync(inFd, ignored)) > 0);
}
