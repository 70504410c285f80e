/** The instructions that a module may use, and how long each is: WebAssembly 2 with tail calls, nothing newer. */

import { ModuleRefused, readByte, readSigned, readUnsigned, skip, type Reader } from './bytes.ts';
import { readBlockType, readReferenceType, readValueType } from './value-types.ts';

const multipleMemories = 0x40;
const mostAlignment = 4;

function memoryArgument(from: Reader): void {
  const alignment = readUnsigned(from);
  if (alignment === multipleMemories) throw new ModuleRefused('it uses several memories');
  if (alignment > mostAlignment) throw new ModuleRefused('it aligns memory in an unknown way');
  readUnsigned(from);
}

function memoryIndex(from: Reader): void {
  if (readUnsigned(from) !== 0) throw new ModuleRefused('it uses several memories');
}

const isBare = bytes([0x00, 0x01], 0x05, 0x0b, 0x0f, 0x1a, 0x1b, [0x45, 0xc4], 0xd1);
/** Branches, calls, variables, tables and references to functions. */
const hasOneIndex = bytes(0x0c, 0x0d, 0x10, 0x12, [0x20, 0x26], 0xd2);

/** One flag for each byte; a pair stands for all from the first to the last. */
function bytes(...those: readonly (number | readonly [number, number])[]): readonly boolean[] {
  const flags = Array.from({ length: 256 }, () => false);
  for (const one of those) {
    const [first, last] = typeof one === 'number' ? [one, one] : one;
    flags.fill(true, first, last + 1);
  }
  return flags;
}

/** Passes over the immediates of a plain instruction whose opcode was read; `types` is how many the module has. */
function skipPlain(from: Reader, opcode: number, types: number): void {
  if (isBare[opcode] === true) return;
  if (hasOneIndex[opcode] === true) readUnsigned(from);
  else if (opcode >= 0x28 && opcode <= 0x3e) memoryArgument(from);
  else if (opcode === 0x41) readSigned(from, 32);
  else if (opcode === 0x42) readSigned(from, 64);
  else if (opcode === 0x43) skip(from, 4);
  else if (opcode === 0x44) skip(from, 8);
  else if (opcode >= 0x02 && opcode <= 0x04) readBlockType(from, types);
  else if (opcode === 0x0e) for (let left = readUnsigned(from); left >= 0; left -= 1) readUnsigned(from);
  else if (opcode === 0x1c) {
    if (readUnsigned(from) !== 1) throw new ModuleRefused('it selects several values at once');
    readValueType(from);
  } else if (opcode === 0x11 || opcode === 0x13) {
    readUnsigned(from);
    readUnsigned(from);
  } else if (opcode === 0x3f || opcode === 0x40) memoryIndex(from);
  else if (opcode === 0xd0) readReferenceType(from);
  else throw new ModuleRefused(`it uses the instruction 0x${opcode.toString(16)}, which is not supported here`);
}

/** What follows each instruction of the bulk group: indices (i) and memories (m). */
const bulk = ['', '', '', '', '', '', '', '', 'im', 'i', 'mm', 'm', 'ii', 'i', 'ii', 'i', 'i', 'i'];

function skipBulk(from: Reader): void {
  const opcode = readUnsigned(from);
  const immediates = bulk[opcode];
  if (immediates === undefined)
    throw new ModuleRefused(`it uses the instruction 0xfc ${opcode}, which is not supported here`);
  for (const one of immediates) {
    if (one === 'm') memoryIndex(from);
    else readUnsigned(from);
  }
}

const firstRelaxed = 0x100;
const vectorGaps = new Set([
  0x9a, 0xa2, 0xa5, 0xa6, 0xaf, 0xb0, 0xb2, 0xb3, 0xb4, 0xbb, 0xc2, 0xc5, 0xc6, 0xcf, 0xd0, 0xd2, 0xd3, 0xd4, 0xe2,
  0xee,
]);

/** Passes over a vector instruction and answers its number. */
function skipVector(from: Reader): number {
  const opcode = readUnsigned(from);
  if (opcode >= firstRelaxed) throw new ModuleRefused('it uses relaxed SIMD, whose results differ between machines');
  if (vectorGaps.has(opcode)) {
    throw new ModuleRefused(`it uses the instruction 0xfd ${opcode}, which is not supported here`);
  }
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

/** What an instruction takes where that is not what it gives. */
const otherOperand: Readonly<Record<string, FloatKind>> = {
  'plain 182': 'f64',
  'plain 187': 'f32',
  'vector 94': 'f64x2',
  'vector 95': 'f32x4',
};

export interface Instruction {
  readonly opcode: number;
  /** The kind of its result, where that may be a NaN whose bits WebAssembly leaves to the machine. */
  readonly nan: FloatKind | undefined;
  /** Then, the kind of what it takes. */
  readonly takes: FloatKind | undefined;
}

/** Passes over one instruction of a module with so many `types`. Throws for instructions that may not run here. */
export function readInstruction(from: Reader, types: number): Instruction {
  const opcode = readByte(from);
  if (opcode === 0xfc) {
    skipBulk(from);
    return { opcode, nan: undefined, takes: undefined };
  }
  if (opcode === 0xfd) {
    const vector = skipVector(from);
    const nan = f32x4Arithmetic.has(vector) ? 'f32x4' : f64x2Arithmetic.has(vector) ? 'f64x2' : undefined;
    return { opcode, nan, takes: nan && (otherOperand[`vector ${vector}`] ?? nan) };
  }
  if (opcode === 0xfe) throw new ModuleRefused('it uses atomic instructions, which are for threads');
  skipPlain(from, opcode, types);
  const nan = f32Arithmetic.has(opcode) ? 'f32' : f64Arithmetic.has(opcode) ? 'f64' : undefined;
  return { opcode, nan, takes: nan && (otherOperand[`plain ${opcode}`] ?? nan) };
}
