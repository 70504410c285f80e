/**
 * A program before it runs: only imports of the system interface, one bounded memory of its own, no threads, no
 * instructions whose results differ between machines, and every NaN made the same.
 */

import { ModuleRefused, readByte, readEnd, readList, readName, readUnsigned, reader, skip, writer } from './bytes.ts';
import type { Reader } from './bytes.ts';
import { canonicalBody } from './nan.ts';
import { checkSection, readSections, section } from './sections.ts';
import { readFunctionTypes, type FunctionType } from './value-types.ts';

const systemInterface = 'wasi_snapshot_preview1';
const functionKind = 0;
const magic = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];

export interface Bounds {
  /** The calls that may be imported. */
  readonly calls: ReadonlySet<string>;
  readonly mostPages: number;
}

/** The module as it runs here; throws `ModuleRefused` with the reason. */
export function admitModule(bytes: Uint8Array, bounds: Bounds): Uint8Array<ArrayBuffer> {
  if (magic.some((byte, index) => bytes[index] !== byte)) {
    throw new ModuleRefused('it is no WebAssembly module of version 1');
  }
  const sections = readSections(reader(bytes, magic.length));
  const open = (id: number) => {
    const found = sections.find((one) => one.id === id);
    return found && reader(bytes, found.at, found.end);
  };
  for (const { id, at, end } of sections) checkSection(id, reader(bytes, at, end));
  const typesFrom = open(section.type);
  const types = typesFrom ? readFunctionTypes(typesFrom) : [];
  const functionsFrom = open(section.functions);
  const functions = functionsFrom ? readList(functionsFrom, readUnsigned) : [];
  const out = writer(bytes.length * 2);
  out.copy(Uint8Array.from(magic));
  for (const { id, at, end } of sections) {
    const from = reader(bytes, at, end);
    let content = bytes.subarray(at, end);
    if (id === section.imports) checkImports(from, bounds.calls, types);
    if (id === section.memory) content = boundedMemory(from, bounds.mostPages);
    if (id === section.code) content = canonicalCode(from, functions, types);
    out.byte(id);
    out.unsigned(content.length);
    out.copy(content);
  }
  if (!open(section.memory)) throw new ModuleRefused('it has no memory');
  return out.finish();
}

function checkImports(from: Reader, calls: ReadonlySet<string>, types: readonly FunctionType[]): void {
  readList(from, () => {
    const name = `${readName(from)}.${readName(from)}`;
    const kind = readByte(from);
    const isCall = name.startsWith(`${systemInterface}.`) && calls.has(name.slice(systemInterface.length + 1));
    if (kind !== functionKind || !isCall) throw new ModuleRefused(`it imports ${name}, which is not given here`);
    const type = types[readUnsigned(from)];
    if (!type || !isPlain(type)) throw new ModuleRefused(`it imports ${name} with a type that no such call has`);
  });
  readEnd(from);
}

const i32 = 0x7f;
const i64 = 0x7e;

/** Whether only integers go in and one of 32 bits comes out, as with every call of the system interface. */
function isPlain({ parameters, results }: FunctionType): boolean {
  return (
    parameters.every((type) => type === i32 || type === i64) &&
    results.length <= 1 &&
    results.every((type) => type === i32)
  );
}

const hasMaximum = 1;

/** The memory section with the unit's bound as its maximum. */
function boundedMemory(from: Reader, mostPages: number): Uint8Array<ArrayBuffer> {
  if (readUnsigned(from) !== 1) throw new ModuleRefused('it has several memories');
  const flags = readByte(from);
  if (flags > hasMaximum) throw new ModuleRefused('its memory is shared or has 64-bit addresses');
  const least = readUnsigned(from);
  const most = Math.min(flags === hasMaximum ? readUnsigned(from) : mostPages, mostPages);
  readEnd(from);
  if (least > most) throw new ModuleRefused(`its memory starts with ${least} pages, ${most} are allowed`);
  const out = writer(16);
  out.byte(1);
  out.byte(hasMaximum);
  out.unsigned(least);
  out.unsigned(most);
  return out.finish();
}

function canonicalCode(from: Reader, functions: readonly number[], types: readonly FunctionType[]): Uint8Array {
  const { bytes } = from;
  const out = writer((from.end - from.at) * 2);
  const count = readUnsigned(from);
  if (count !== functions.length) throw new ModuleRefused('it has not one body for each function');
  out.unsigned(count);
  for (const typeIndex of functions) {
    const length = readUnsigned(from);
    const start = from.at;
    skip(from, length);
    const parameters = types[typeIndex]?.parameters.length;
    if (parameters === undefined) throw new ModuleRefused('a function has no type');
    const body = canonicalBody(bytes, start, from.at, { parameters, types: types.length });
    out.unsigned(body.length);
    out.copy(body);
  }
  readEnd(from);
  return out.finish();
}
