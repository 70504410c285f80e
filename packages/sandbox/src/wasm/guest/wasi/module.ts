/**
 * A program before it runs: only imports of the system interface, one bounded memory of its own, no threads, no
 * instructions whose results differ between machines, and every NaN made the same.
 */

import { ModuleRefused, readByte, readName, readUnsigned, reader, skip, writer, type Reader } from './bytes.ts';
import { canonicalBody, readParameters } from './nan.ts';

const section = { custom: 0, type: 1, imports: 2, functions: 3, memory: 5, code: 10, count: 12 } as const;
const systemInterface = 'wasi_snapshot_preview1';
const functionKind = 0;
const magic = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];

export interface Bounds {
  /** The calls that may be imported. */
  readonly calls: ReadonlySet<string>;
  readonly mostPages: number;
}

interface Section {
  readonly id: number;
  readonly at: number;
  readonly end: number;
}

/** The module as it runs here; throws `ModuleRefused` with the reason. */
export function admitModule(bytes: Uint8Array, bounds: Bounds): Uint8Array<ArrayBuffer> {
  const sections = readSections(bytes);
  const find = (id: number) => sections.find((one) => one.id === id);
  const types = find(section.type);
  const parameters = types ? readParameters(bytes, types.at, types.end) : [];
  const functions = find(section.functions);
  const typeOfFunction = functions ? readIndices(reader(bytes, functions.at, functions.end)) : [];
  const imports = find(section.imports);
  if (imports) checkImports(reader(bytes, imports.at, imports.end), bounds.calls);
  const out = writer(bytes.length * 2);
  out.copy(Uint8Array.from(magic));
  for (const { id, at, end } of sections) {
    // Names and notes of compilers decide nothing.
    if (id === section.custom) continue;
    let content = bytes.subarray(at, end);
    if (id === section.memory) content = boundedMemory(reader(bytes, at, end), bounds.mostPages);
    if (id === section.code)
      content = canonicalCode(bytes, at, end, (index) => parameters[typeOfFunction[index] ?? -1]);
    out.byte(id);
    out.unsigned(content.length);
    out.copy(content);
  }
  if (!find(section.memory)) throw new ModuleRefused('it has no memory');
  return out.finish();
}

function readSections(bytes: Uint8Array): Section[] {
  if (magic.some((byte, index) => bytes[index] !== byte)) {
    throw new ModuleRefused('it is no WebAssembly module of version 1');
  }
  const from = reader(bytes, magic.length);
  const sections: Section[] = [];
  while (from.at < from.end) {
    const id = readByte(from);
    const length = readUnsigned(from);
    const at = from.at;
    skip(from, length);
    if (id > section.count) throw new ModuleRefused(`it has a section ${id}, which is not supported here`);
    if (id !== section.custom && sections.some((one) => one.id === id)) {
      throw new ModuleRefused(`it has the section ${id} twice`);
    }
    sections.push({ id, at, end: from.at });
  }
  return sections;
}

function readIndices(from: Reader): number[] {
  return Array.from({ length: readUnsigned(from) }, () => readUnsigned(from));
}

function checkImports(from: Reader, calls: ReadonlySet<string>): void {
  for (let left = readUnsigned(from); left > 0; left -= 1) {
    const name = `${readName(from)}.${readName(from)}`;
    const kind = readByte(from);
    const isCall = name.startsWith(`${systemInterface}.`) && calls.has(name.slice(systemInterface.length + 1));
    if (kind !== functionKind || !isCall) throw new ModuleRefused(`it imports ${name}, which is not given here`);
    readUnsigned(from);
  }
}

const hasMaximum = 1;

/** The memory section with the unit's bound as its maximum. */
function boundedMemory(from: Reader, mostPages: number): Uint8Array {
  if (readUnsigned(from) !== 1) throw new ModuleRefused('it has several memories');
  const flags = readByte(from);
  if (flags > hasMaximum) throw new ModuleRefused('its memory is shared or has 64-bit addresses');
  const least = readUnsigned(from);
  const most = Math.min(flags === hasMaximum ? readUnsigned(from) : mostPages, mostPages);
  if (least > most) throw new ModuleRefused(`its memory starts with ${least} pages, ${most} are allowed`);
  const out = writer(16);
  out.byte(1);
  out.byte(hasMaximum);
  out.unsigned(least);
  out.unsigned(most);
  return out.finish();
}

function canonicalCode(
  bytes: Uint8Array,
  at: number,
  end: number,
  parametersOf: (index: number) => number | undefined,
): Uint8Array {
  const from = reader(bytes, at, end);
  const count = readUnsigned(from);
  const out = writer((end - at) * 2);
  out.unsigned(count);
  for (let index = 0; index < count; index += 1) {
    const length = readUnsigned(from);
    const start = from.at;
    skip(from, length);
    const parameters = parametersOf(index);
    if (parameters === undefined) throw new ModuleRefused('a function has no type');
    const body = canonicalBody(bytes, start, from.at, parameters);
    out.unsigned(body.length);
    out.copy(body);
  }
  return out.finish();
}
