/** What every guest does around its unit: read the orders, speak, hand out what was written. */

import { readExactly, sendFrames } from './channel.ts';
import { frameKinds, type GuestUnit } from './wire.ts';

/** The unit's working folder in every guest's file system. */
export const workFolder = '/job';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Waits for the orders that the driver sends after `ready`. */
export function readUnit(): GuestUnit {
  const length = new DataView(readExactly(4).buffer).getUint32(0);
  return JSON.parse(decoder.decode(readExactly(length))) as GuestUnit;
}

/** Says that the interpreter waits for its unit. */
export function sendReady(): void {
  sendFrames(frameKinds.ready, new Uint8Array());
}

/** Writes text of the unit's; `bytes` may be a view of the interpreter's memory. */
export function say(stream: 'stdout' | 'stderr', bytes: Uint8Array): void {
  if (bytes.length > 0) sendFrames(stream === 'stdout' ? frameKinds.stdout : frameKinds.stderr, bytes);
}

/** A sentence of the sandbox's own on the unit's stderr. */
export function remark(text: string): void {
  say('stderr', encoder.encode(`${text}\n`));
}

/** The unit ended: with its exit code, or because it called what is sealed. */
export function sendEnded(broken: boolean, code: number): void {
  const payload = new Uint8Array(5);
  payload[0] = broken ? 1 : 0;
  new DataView(payload.buffer).setInt32(1, code);
  sendFrames(frameKinds.ended, payload);
}

/** Hands out every regular file, in code unit order of their paths. */
export function sendOutputs(outputs: Iterable<{ readonly path: string; readonly bytes: Uint8Array }>): void {
  for (const { path, bytes } of outputs) {
    const name = encoder.encode(path);
    if (name.length > 1024) continue;
    const header = new Uint8Array(6 + name.length);
    new DataView(header.buffer).setUint16(0, Math.floor(bytes.length / 2 ** 32));
    new DataView(header.buffer).setUint32(2, bytes.length % 2 ** 32);
    header.set(name, 6);
    sendFrames(frameKinds.file, header);
    if (bytes.length > 0) sendFrames(frameKinds.data, bytes);
  }
}

/** Everything that this process had to say. */
export function sendDone(): void {
  sendFrames(frameKinds.done, new Uint8Array());
}
