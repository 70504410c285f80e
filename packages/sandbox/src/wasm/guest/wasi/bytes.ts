/** Reading and writing the encodings of a WebAssembly module. */

/** Thrown for a module that this sandbox does not run; the message is for the job's author. */
export class ModuleRefused extends Error {
  override readonly name = 'ModuleRefused';
}

export interface Reader {
  readonly bytes: Uint8Array;
  at: number;
  readonly end: number;
}

export function reader(bytes: Uint8Array, at = 0, end = bytes.length): Reader {
  return { bytes, at, end };
}

export function readByte(from: Reader): number {
  if (from.at >= from.end) throw new ModuleRefused('it is cut short');
  const byte = from.bytes[from.at] ?? 0;
  from.at += 1;
  return byte;
}

/**
 * An unsigned number of at most `bits` bits, in no more bytes than such a number takes and with nothing in the bits that
 * are left over: what every reader of the format agrees on. (Beyond 2^53 precision is lost, which no size here reaches.)
 */
export function readUnsigned(from: Reader, bits = 32): number {
  let value = 0;
  for (let shift = 0; shift < bits; shift += 7) {
    const byte = readByte(from);
    if (shift + 7 > bits && byte >= 2 ** (bits - shift)) break;
    value += (byte & 0x7f) * 2 ** shift;
    if ((byte & 0x80) === 0) return value;
  }
  throw new ModuleRefused('a number is too long');
}

/** A number of either sign, as strictly; 64 bits lose precision. */
export function readSigned(from: Reader, bits: number): number {
  let value = 0;
  for (let shift = 0; shift < bits; shift += 7) {
    const byte = readByte(from);
    const low = byte & 0x7f;
    if (shift + 7 > bits) {
      // The bits that are left over repeat the sign.
      const sign = low >> (bits - shift - 1);
      if (byte >= 0x80 || (sign !== 0 && sign !== 0x7f >> (bits - shift - 1))) break;
    }
    value += low * 2 ** shift;
    if ((byte & 0x80) === 0) return (byte & 0x40) === 0 ? value : value - 2 ** (shift + 7);
  }
  throw new ModuleRefused('a number is too long');
}

export function skip(from: Reader, count: number): void {
  if (from.at + count > from.end) throw new ModuleRefused('it is cut short');
  from.at += count;
}

export function readName(from: Reader): string {
  const length = readUnsigned(from);
  const start = from.at;
  skip(from, length);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(from.bytes.subarray(start, from.at));
  } catch {
    throw new ModuleRefused('a name is no text');
  }
}

/** A list: its length and that many entries, each of at least a byte. */
export function readList<Entry>(from: Reader, readEntry: (from: Reader) => Entry): Entry[] {
  const count = readUnsigned(from);
  if (count > from.end - from.at) throw new ModuleRefused('it is cut short');
  const entries: Entry[] = [];
  for (let left = count; left > 0; left -= 1) entries.push(readEntry(from));
  return entries;
}

/** Throws where something follows what was read. */
export function readEnd(from: Reader): void {
  if (from.at !== from.end) throw new ModuleRefused('a section is longer than what it holds');
}

/** A growing run of bytes. */
export interface Writer {
  byte(value: number): void;
  unsigned(value: number): void;
  copy(bytes: Uint8Array): void;
  finish(): Uint8Array<ArrayBuffer>;
}

export function writer(expected: number): Writer {
  let room = new Uint8Array(Math.max(64, expected));
  let length = 0;
  const provide = (more: number) => {
    if (length + more <= room.length) return;
    const larger = new Uint8Array(Math.max(room.length * 2, length + more));
    larger.set(room.subarray(0, length));
    room = larger;
  };
  const byte = (value: number) => {
    provide(1);
    room[length] = value;
    length += 1;
  };
  return {
    byte,
    unsigned(value) {
      let left = value;
      for (; left >= 0x80; left = Math.floor(left / 128)) byte((left % 128) | 0x80);
      byte(left);
    },
    copy(bytes) {
      provide(bytes.length);
      room.set(bytes, length);
      length += bytes.length;
    },
    finish: () => room.slice(0, length),
  };
}
