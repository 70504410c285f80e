/** The interpreter's descriptors 1 and 2, a write at a time. */

import type { MemoryFiles } from './files.ts';

/** Where the text of a stream goes; the bytes may be a view of the interpreter's memory. */
export type Speak = (stream: 'stdout' | 'stderr', bytes: Uint8Array) => void;

/** Makes the two descriptors devices that hand every write to `speak`. */
export function divertOutput(files: MemoryFiles, speak: Speak): void {
  for (const [descriptor, stream] of [
    [1, 'stdout'],
    [2, 'stderr'],
  ] as const) {
    const device = files.makedev(80 + descriptor, 0);
    files.registerDevice(device, {
      open(opened) {
        opened.seekable = false;
      },
      write(_stream, buffer, offset, length) {
        speak(stream, new Uint8Array(buffer.buffer, buffer.byteOffset + offset, length));
        return length;
      },
    });
    const path = `/dev/${stream}`;
    files.unlink(path);
    files.mkdev(path, device);
    const open = files.streams[descriptor];
    if (open) files.close(open);
    if (files.open(path, 1).fd !== descriptor) throw new Error('the descriptors of the interpreter are not in order');
  }
}
