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

/** An unsigned number of at most `bits` bits (64-bit numbers lose precision beyond 2^53, which no size here reaches). */
export function readUnsigned(from: Reader, bits = 32): number {
  let value = 0;
  for (let shift = 0; shift < Math.ceil(bits / 7) * 7; shift += 7) {
    const byte = readByte(from);
    value += (byte & 0x7f) * 2 ** shift;
    if ((byte & 0x80) === 0) return value;
  }
  throw new ModuleRefused('a number is too long');
}

/** Passes over a number of either sign. */
export function skipNumber(from: Reader): void {
  for (let count = 0; count < 10; count += 1) if ((readByte(from) & 0x80) === 0) return;
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
  return new TextDecoder().decode(from.bytes.subarray(start, from.at));
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
