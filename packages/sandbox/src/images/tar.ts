/** Writing tar archives (POSIX ustar) whose every byte follows from what is in them. */

const blockBytes = 512;

/** The most that an entry can hold: eleven octal digits. */
export const maxEntryBytes = 8 ** 11 - 1;

export interface TarEntry {
  /** At most 100 characters; ends with a slash for a folder. */
  readonly path: string;
  readonly mode: number;
  readonly mtimeSeconds: number;
}

/** The head of an entry of root's. */
export function tarHead({ path, mode, mtimeSeconds }: TarEntry, sizeBytes: number): Buffer {
  if (Buffer.byteLength(path) > 100) throw new RangeError(`too long a path for this archive: ${path}`);
  if (sizeBytes > maxEntryBytes) throw new RangeError(`too much for an entry of this archive: ${sizeBytes} bytes`);
  const head = Buffer.alloc(blockBytes);
  head.write(path, 0, 'utf8');
  head.write(octal(mode, 7), 100, 'latin1');
  head.write(octal(0, 7), 108, 'latin1');
  head.write(octal(0, 7), 116, 'latin1');
  head.write(octal(sizeBytes, 11), 124, 'latin1');
  head.write(octal(mtimeSeconds, 11), 136, 'latin1');
  head.write('        ', 148, 'latin1');
  head.write(path.endsWith('/') ? '5' : '0', 156, 'latin1');
  head.write('ustar\x0000', 257, 'latin1');
  const sum = head.reduce((total, byte) => total + byte, 0);
  head.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return head;
}

function octal(value: number, digits: number): string {
  return `${value.toString(8).padStart(digits, '0')}\0`;
}

/** What follows an entry's bytes. */
export function tarPadding(sizeBytes: number): Buffer {
  return Buffer.alloc((blockBytes - (sizeBytes % blockBytes)) % blockBytes);
}

/** What ends an archive. */
export function tarEnd(): Buffer {
  return Buffer.alloc(2 * blockBytes);
}
