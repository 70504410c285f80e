/**
 * The types that a module may name: those of WebAssembly 2, one byte each. Newer ones are longer, so that a reader who
 * passes over a byte where there are more reads other code than the one that runs.
 */

import { ModuleRefused, readByte, readList, readSigned, type Reader } from './bytes.ts';

const vectorsAndNumbers = [0x7f, 0x7e, 0x7d, 0x7c, 0x7b];
const references = [0x70, 0x6f];
const valueTypes = new Set([...vectorsAndNumbers, ...references]);
const empty = 0x40;
const functionForm = 0x60;

export interface FunctionType {
  readonly parameters: readonly number[];
  readonly results: readonly number[];
}

export function readValueType(from: Reader): number {
  return oneOf(from, valueTypes);
}

const referenceTypes = new Set(references);

export function readReferenceType(from: Reader): number {
  return oneOf(from, referenceTypes);
}

function oneOf(from: Reader, allowed: ReadonlySet<number>): number {
  const type = readByte(from);
  if (!allowed.has(type))
    throw new ModuleRefused(`it uses the type 0x${type.toString(16)}, which is not supported here`);
  return type;
}

/** The type of a block: none, one value, or one of the module's `types` by its index. */
export function readBlockType(from: Reader, types: number): void {
  const first = from.bytes[from.at] ?? 0;
  if (from.at < from.end && (first === empty || valueTypes.has(first))) {
    from.at += 1;
    return;
  }
  const index = readSigned(from, 33);
  if (index < 0 || index >= types) {
    throw new ModuleRefused(`it uses the block type 0x${first.toString(16)}, which is not supported here`);
  }
}

export function readFunctionTypes(from: Reader): FunctionType[] {
  return readList(from, () => {
    const form = readByte(from);
    if (form !== functionForm) {
      throw new ModuleRefused(`it defines a type of the form 0x${form.toString(16)}, which is not supported here`);
    }
    return { parameters: readList(from, readValueType), results: readList(from, readValueType) };
  });
}
