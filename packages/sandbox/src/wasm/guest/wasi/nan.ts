/**
 * Makes every NaN that a function computes the same on all machines. WebAssembly lets the machine choose a NaN's sign
 * and payload, and x86 and ARM choose differently; after each instruction that may produce one, the value is replaced
 * by one fixed NaN where it is none equal to itself.
 */

import { ModuleRefused, readUnsigned, reader, writer, type Writer } from './bytes.ts';
import { readInstruction, type FloatKind } from './instructions.ts';
import { readValueType } from './value-types.ts';

const kinds: readonly FloatKind[] = ['f32', 'f64', 'f32x4', 'f64x2'];

/** The type of the variable that holds a value of the kind meanwhile. */
const valueType: Readonly<Record<FloatKind, number>> = { f32: 0x7d, f64: 0x7c, f32x4: 0x7b, f64x2: 0x7b };

const f32Nan = [0x00, 0x00, 0xc0, 0x7f];
const f64Nan = [0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xf8, 0x7f];

/** The fixed NaN as a constant, the comparison with itself, and the choice between the value and the constant. */
const replacement: Readonly<Record<FloatKind, { nan: number[]; equal: number[]; choose: number[] }>> = {
  f32: { nan: [0x43, ...f32Nan], equal: [0x5b], choose: [0x1b] },
  f64: { nan: [0x44, ...f64Nan], equal: [0x61], choose: [0x1b] },
  f32x4: {
    nan: [0xfd, 0x0c, ...f32Nan, ...f32Nan, ...f32Nan, ...f32Nan],
    equal: [0xfd, 0x41],
    choose: [0xfd, 0x52],
  },
  f64x2: { nan: [0xfd, 0x0c, ...f64Nan, ...f64Nan], equal: [0xfd, 0x47], choose: [0xfd, 0x52] },
};

const localGet = 0x20;
const localTee = 0x22;

/** Where a piece of the body is followed by a replacement. */
interface Cut {
  readonly at: number;
  readonly kind: FloatKind;
}

/** As many as V8 gives a function; more could only serve to confuse what counts them. */
const mostVariables = 50_000;

/** How many parameters the function has, and how many types its module. */
export interface Surrounding {
  readonly parameters: number;
  readonly types: number;
}

/** The function body `bytes[start…end]`, checked and rewritten; as it is where nothing in it computes a NaN. */
export function canonicalBody(
  bytes: Uint8Array,
  start: number,
  end: number,
  { parameters, types }: Surrounding,
): Uint8Array {
  const from = reader(bytes, start, end);
  let variables = parameters;
  const groups = readUnsigned(from);
  const groupsAt = from.at;
  for (let left = groups; left > 0; left -= 1) {
    variables += readUnsigned(from);
    readValueType(from);
    if (variables > mostVariables) throw new ModuleRefused('a function has too many variables');
  }
  const codeAt = from.at;
  const cuts: Cut[] = [];
  let last: Cut | undefined;
  while (from.at < end) {
    const { nan, takes } = readInstruction(from, types);
    // What takes a NaN of this kind from the top and computes with it gives one that is replaced itself. (Numbers of
    // another kind in the same vector need not be NaNs to it.)
    if (last && takes !== last.kind) cuts.push(last);
    last = nan === undefined ? undefined : { at: from.at, kind: nan };
  }
  if (cuts.length === 0) return bytes.subarray(start, end);
  const out = writer((end - start) * 2);
  const used = kinds.filter((kind) => cuts.some((cut) => cut.kind === kind));
  out.unsigned(groups + used.length);
  out.copy(bytes.subarray(groupsAt, codeAt));
  for (const kind of used) {
    out.unsigned(1);
    out.byte(valueType[kind]);
  }
  let copied = codeAt;
  for (const { at, kind } of cuts) {
    out.copy(bytes.subarray(copied, at));
    replaceNan(out, kind, variables + used.indexOf(kind));
    copied = at;
  }
  out.copy(bytes.subarray(copied, end));
  return out.finish();
}

function replaceNan(out: Writer, kind: FloatKind, variable: number): void {
  const { nan, equal, choose } = replacement[kind];
  const read = () => {
    out.byte(localGet);
    out.unsigned(variable);
  };
  out.byte(localTee);
  out.unsigned(variable);
  for (const byte of nan) out.byte(byte);
  read();
  read();
  for (const byte of [...equal, ...choose]) out.byte(byte);
}
