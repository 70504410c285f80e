/** Reading and writing a program's memory at addresses that the program chose. */

import { errno, WasiError } from './disk.ts';

export interface Memory {
  bytes(at: number, length: number): Uint8Array;
  text(at: number, length: number): string;
  u8(at: number, value: number): void;
  u16(at: number, value: number): void;
  u32(at: number, value: number): void;
  u64(at: number, value: bigint): void;
  readU8(at: number): number;
  readU16(at: number): number;
  readU32(at: number): number;
  readU64(at: number): bigint;
  /** The pieces of memory that an array of `iovec` names. */
  vectors(at: number, count: number): Uint8Array[];
}

const mostVectors = 1024;
const mostPathBytes = 4096;

/** A view of `memory` that answers `errno.fault` for what lies outside. */
export function programMemory(memory: WebAssembly.Memory): Memory {
  let view = new DataView(memory.buffer);
  const current = () => {
    if (view.buffer !== memory.buffer) view = new DataView(memory.buffer);
    return view;
  };
  const within = (at: number, length: number) => {
    const from = at >>> 0;
    const size = length >>> 0;
    if (from + size > memory.buffer.byteLength) throw new WasiError(errno.fault);
    return from;
  };
  const readU32 = (at: number) => current().getUint32(within(at, 4), true);
  const bytes = (at: number, length: number) => new Uint8Array(memory.buffer, within(at, length), length >>> 0);
  return {
    bytes,
    text(at, length) {
      if (length >>> 0 > mostPathBytes) throw new WasiError(errno.nameTooLong);
      try {
        return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes(at, length));
      } catch (error) {
        throw error instanceof WasiError ? error : new WasiError(errno.invalid);
      }
    },
    u8: (at, value) => current().setUint8(within(at, 1), value),
    u16: (at, value) => current().setUint16(within(at, 2), value, true),
    u32: (at, value) => current().setUint32(within(at, 4), value, true),
    u64: (at, value) => current().setBigUint64(within(at, 8), BigInt.asUintN(64, value), true),
    readU8: (at) => current().getUint8(within(at, 1)),
    readU16: (at) => current().getUint16(within(at, 2), true),
    readU32,
    readU64: (at) => current().getBigUint64(within(at, 8), true),
    vectors(at, count) {
      if (count >>> 0 > mostVectors) throw new WasiError(errno.invalid);
      return Array.from({ length: count }, (_, index) => {
        const entry = (at >>> 0) + index * 8;
        return bytes(readU32(entry), readU32(entry + 4));
      });
    },
  };
}
