/** The instructions that a module may use, and how long each is: WebAssembly 2 with tail calls, nothing newer. */

import { ModuleRefused, readByte, readUnsigned, skip, skipNumber, type Reader } from './bytes.ts';

const multipleMemories = 0x40;

function memoryArgument(from: Reader): void {
  if ((readUnsigned(from) & multipleMemories) !== 0) throw new ModuleRefused('it uses several memories');
  readUnsigned(from, 64);
}

/** Passes over the immediates of a plain instruction whose opcode was read. */
function skipPlain(from: Reader, opcode: number): void {
  if (opcode >= 0x28 && opcode <= 0x3e) memoryArgument(from);
  else if (opcode >= 0x45 && opcode <= 0xc4) return;
  else if (opcode === 0x02 || opcode === 0x03 || opcode === 0x04) skipNumber(from);
  else if (opcode === 0x0e) for (let left = readUnsigned(from); left >= 0; left -= 1) readUnsigned(from);
  else if (opcode === 0x1c) for (let left = readUnsigned(from); left > 0; left -= 1) readByte(from);
  else if (opcode === 0x11 || opcode === 0x13) {
    readUnsigned(from);
    readUnsigned(from);
  } else if (opcode === 0x43) skip(from, 4);
  else if (opcode === 0x44) skip(from, 8);
  else if (isBare(opcode)) return;
  else if (hasOneNumber(opcode)) skipNumber(from);
  else throw new ModuleRefused(`it uses the instruction 0x${opcode.toString(16)}, which is not supported here`);
}

function isBare(opcode: number): boolean {
  return [0x00, 0x01, 0x05, 0x0b, 0x0f, 0x1a, 0x1b, 0xd1].includes(opcode);
}

/** Branches, calls, variables, tables, memory size and growth, constants, references. */
function hasOneNumber(opcode: number): boolean {
  if (opcode >= 0x20 && opcode <= 0x26) return true;
  return [0x0c, 0x0d, 0x10, 0x12, 0x3f, 0x40, 0x41, 0x42, 0xd0, 0xd2].includes(opcode);
}

/** Numbers after each instruction of the bulk group. */
const bulkNumbers = [0, 0, 0, 0, 0, 0, 0, 0, 2, 1, 2, 1, 2, 1, 2, 1, 1, 1];

function skipBulk(from: Reader): void {
  const opcode = readUnsigned(from);
  const numbers = bulkNumbers[opcode];
  if (numbers === undefined)
    throw new ModuleRefused(`it uses the instruction 0xfc ${opcode}, which is not supported here`);
  for (let left = numbers; left > 0; left -= 1) readUnsigned(from);
}

const firstRelaxed = 0x100;

/** Passes over a vector instruction and answers its number. */
function skipVector(from: Reader): number {
  const opcode = readUnsigned(from);
  if (opcode >= firstRelaxed) throw new ModuleRefused('it uses relaxed SIMD, whose results differ between machines');
  if (opcode <= 11 || opcode === 92 || opcode === 93) memoryArgument(from);
  else if (opcode === 12 || opcode === 13) skip(from, 16);
  else if (opcode >= 21 && opcode <= 34) readByte(from);
  else if (opcode >= 84 && opcode <= 91) {
    memoryArgument(from);
    readByte(from);
  }
  return opcode;
}

/** What an instruction's result may be where a NaN must be made the same on every machine. */
export type FloatKind = 'f32' | 'f64' | 'f32x4' | 'f64x2';

const f32Arithmetic = new Set([0x8d, 0x8e, 0x8f, 0x90, 0x91, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0xb6]);
const f64Arithmetic = new Set([0x9b, 0x9c, 0x9d, 0x9e, 0x9f, 0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xbb]);
const f32x4Arithmetic = new Set([0x67, 0x68, 0x69, 0x6a, 0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9, 0x5e]);
const f64x2Arithmetic = new Set([0x74, 0x75, 0x7a, 0x94, 0xef, 0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0x5f]);

/**
 * Passes over one instruction; answers its opcode and the kind of its result where that may be a NaN whose bits
 * WebAssembly leaves to the machine. Throws for instructions that may not run here.
 */
export function readInstruction(from: Reader): { readonly opcode: number; readonly nan: FloatKind | undefined } {
  const opcode = readByte(from);
  if (opcode === 0xfc) {
    skipBulk(from);
    return { opcode, nan: undefined };
  }
  if (opcode === 0xfd) {
    const vector = skipVector(from);
    if (f32x4Arithmetic.has(vector)) return { opcode, nan: 'f32x4' };
    return { opcode, nan: f64x2Arithmetic.has(vector) ? 'f64x2' : undefined };
  }
  if (opcode === 0xfe) throw new ModuleRefused('it uses atomic instructions, which are for threads');
  skipPlain(from, opcode);
  if (f32Arithmetic.has(opcode)) return { opcode, nan: 'f32' };
  return { opcode, nan: f64Arithmetic.has(opcode) ? 'f64' : undefined };
}
