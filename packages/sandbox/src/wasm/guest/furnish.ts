/** Laying a unit's files in an interpreter's in-memory file system, and taking what it wrote out of it. */

import { readExactly } from './channel.ts';
import { limitFiles, regularFiles, type MemoryFiles } from './files.ts';
import { sendDone, sendEnded, sendOutputs, workFolder } from './unit.ts';
import type { GuestUnit } from './wire.ts';

/** Lays the inputs read-only and the output folder, bounds the files, and takes away what is not the unit's. */
export function furnish(files: MemoryFiles, unit: GuestUnit, randomFill: (bytes: Uint8Array) => void): void {
  files.mkdirTree(workFolder);
  for (const input of unit.inputs) {
    const path = `${workFolder}/${input.path}`;
    files.mkdirTree(path.slice(0, path.lastIndexOf('/')));
    files.writeFile(path, readExactly(input.sizeBytes), { canOwn: true });
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

/** Ends a unit whose files lie in an interpreter's memory; outputs of a unit that broke the seal are nobody's. */
export function handOut(files: MemoryFiles, unit: GuestUnit, code: number, broken: boolean): void {
  sendEnded(broken, code);
  if (!broken) sendOutputs(regularFiles(files, `${workFolder}/${unit.outputDir}`));
  sendDone();
}
