/** What every guest does around its unit: read the orders, lay the files, hand out what was written. */

import { readExactly, sendFrames } from './channel.ts';
import { limitFiles, regularFiles, type MemoryFiles } from './files.ts';
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

/** Lays the inputs read-only and the output folder, bounds the files, and takes away what is not the unit's. */
export function furnish(files: MemoryFiles, unit: GuestUnit, randomFill: (bytes: Uint8Array) => void): void {
  files.mkdirTree(workFolder);
  for (const input of unit.inputs) {
    const path = `${workFolder}/${input.path}`;
    files.mkdirTree(path.slice(0, path.lastIndexOf('/')));
    files.writeFile(path, readExactly(input.sizeBytes));
    files.chmod(path, 0o444);
  }
  files.mkdirTree(`${workFolder}/${unit.outputDir}`);
  for (const device of ['/dev/tty', '/dev/tty1', '/dev/random', '/dev/urandom']) {
    try {
      files.unlink(device);
    } catch {
      // This interpreter has no such device.
    }
  }
  const next = randomBytes(randomFill);
  for (const device of ['random', 'urandom']) files.createDevice('/dev', device, next);
  limitFiles(files, unit.scratchBytes, unit.scratchFiles);
}

function randomBytes(randomFill: (bytes: Uint8Array) => void): () => number {
  const block = new Uint8Array(1024);
  let left = 0;
  return () => {
    if (left === 0) {
      randomFill(block);
      left = block.length;
    }
    left -= 1;
    return block[left] ?? 0;
  };
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

/** Ends a unit whose files lie in an interpreter's memory; outputs of a unit that broke the seal are nobody's. */
export function handOut(files: MemoryFiles, unit: GuestUnit, code: number, broken: boolean): void {
  sendEnded(broken, code);
  if (!broken) sendOutputs(regularFiles(files, `${workFolder}/${unit.outputDir}`));
  sendDone();
}

/** Everything that this process had to say. */
export function sendDone(): void {
  sendFrames(frameKinds.done, new Uint8Array());
}
