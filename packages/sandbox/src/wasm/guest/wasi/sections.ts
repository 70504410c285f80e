/** The sections that are passed on as they are, read to their last byte: nothing in them that is not understood here. */

import {
  ModuleRefused,
  readByte,
  readEnd,
  readList,
  readName,
  readSigned,
  readUnsigned,
  skip,
  type Reader,
} from './bytes.ts';
import { readFunctionTypes, readReferenceType, readValueType } from './value-types.ts';

export const section = {
  custom: 0,
  type: 1,
  imports: 2,
  functions: 3,
  tables: 4,
  memory: 5,
  globals: 6,
  exports: 7,
  start: 8,
  elements: 9,
  code: 10,
  data: 11,
  dataCount: 12,
} as const;

/** The order in which sections come. */
const order: readonly number[] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 10, 11];

export interface Section {
  readonly id: number;
  readonly at: number;
  readonly end: number;
}

/** All sections but those of names and notes, which decide nothing. */
export function readSections(from: Reader): Section[] {
  const sections: Section[] = [];
  let place = -1;
  while (from.at < from.end) {
    const id = readByte(from);
    const length = readUnsigned(from);
    const at = from.at;
    skip(from, length);
    if (id === section.custom) continue;
    if (!order.includes(id)) throw new ModuleRefused(`it has a section ${id}, which is not supported here`);
    if (sections.some((one) => one.id === id)) throw new ModuleRefused(`it has the section ${id} twice`);
    if (order.indexOf(id) < place) throw new ModuleRefused(`its section ${id} comes too late`);
    place = order.indexOf(id);
    sections.push({ id, at, end: from.at });
  }
  return sections;
}

/** Reads a section of the kind `id` that is copied; imports, memory and code are read elsewhere. */
export function checkSection(id: number, from: Reader): void {
  const check = checks[id];
  if (!check) return;
  check(from);
  readEnd(from);
}

const checks: Readonly<Record<number, (from: Reader) => void>> = {
  [section.type]: (from) => void readFunctionTypes(from),
  [section.functions]: (from) => void readList(from, index),
  [section.tables]: (from) => void readList(from, table),
  [section.globals]: (from) => void readList(from, global),
  [section.exports]: (from) => void readList(from, exported),
  [section.start]: (from) => void index(from),
  [section.elements]: (from) => void readList(from, elements),
  [section.data]: (from) => void readList(from, data),
  [section.dataCount]: (from) => void index(from),
};

function index(from: Reader): number {
  return readUnsigned(from);
}

function table(from: Reader): void {
  readReferenceType(from);
  const flags = readByte(from);
  if (flags > 1) throw new ModuleRefused('its table is shared or has 64-bit indices');
  readUnsigned(from);
  if (flags === 1) readUnsigned(from);
}

function global(from: Reader): void {
  readValueType(from);
  if (readByte(from) > 1) throw new ModuleRefused('its global variable is shared');
  constant(from);
}

function exported(from: Reader): void {
  readName(from);
  const kind = readByte(from);
  if (kind > 3) throw new ModuleRefused(`it exports a thing of the kind ${kind}, which is not supported here`);
  readUnsigned(from);
}

/** One constant, a function, a global variable or no reference, and the end. */
function constant(from: Reader): void {
  const opcode = readByte(from);
  if (opcode === 0x41) readSigned(from, 32);
  else if (opcode === 0x42) readSigned(from, 64);
  else if (opcode === 0x43) skip(from, 4);
  else if (opcode === 0x44) skip(from, 8);
  else if (opcode === 0x23 || opcode === 0xd2) readUnsigned(from);
  else if (opcode === 0xd0) readReferenceType(from);
  else if (opcode === 0xfd && readUnsigned(from) === 0x0c) skip(from, 16);
  else throw new ModuleRefused(`it starts with the instruction 0x${opcode.toString(16)}, which is not supported here`);
  if (readByte(from) !== 0x0b) throw new ModuleRefused('it computes what it starts with, which is not supported here');
}

/** Bits of the flags: not put in place at the start, a table's index (or only declared), expressions. */
function elements(from: Reader): void {
  const flags = readUnsigned(from);
  if (flags > 7) throw new ModuleRefused(`it has elements of the kind ${flags}, which is not supported here`);
  const isActive = (flags & 1) === 0;
  const hasExpressions = (flags & 4) !== 0;
  if (isActive && (flags & 2) !== 0) readUnsigned(from);
  if (isActive) constant(from);
  if ((flags & 3) !== 0) {
    if (hasExpressions) readReferenceType(from);
    else if (readByte(from) !== 0) throw new ModuleRefused('it has elements that are no functions');
  }
  readList(from, hasExpressions ? constant : index);
}

function data(from: Reader): void {
  const flags = readUnsigned(from);
  if (flags > 2) throw new ModuleRefused(`it has data of the kind ${flags}, which is not supported here`);
  if (flags === 2 && readUnsigned(from) !== 0) throw new ModuleRefused('it has several memories');
  if (flags !== 1) constant(from);
  skip(from, readUnsigned(from));
}
