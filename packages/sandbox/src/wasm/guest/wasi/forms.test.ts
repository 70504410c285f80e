/** What this sandbox reads must be what V8 runs: everything that V8 might read otherwise is refused. */

import { expect, it } from 'vitest';
import { ModuleRefused, reader } from './bytes.ts';
import { readInstruction } from './instructions.ts';
import { admitModule } from './module.ts';
import { assemble, importOf, twoToOne, type Parts } from './modules.setup.ts';

const bounds = { calls: new Set(['fd_write']), mostPages: 16 };
const none = [0x60, 0, 0];
/** A function without parameters and results, and so many types. */
const code = (...bytes: number[]): Parts => ({ types: Array.from({ length: 45 }, () => none), body: [0, ...bytes] });
const locals = (...bytes: number[]): Parts => ({ types: [none], body: bytes });
const of = (id: number, ...bytes: number[]): Parts => ({ types: [none], body: [0], sections: { [id]: bytes } });
const number = [0x41, 0, 0x0b];

it.each<[string, Parts]>([
  ['a block of a reference that may be null', code(0x02, 0x63, 0x28, 0x00, 0x0b)],
  ['a loop of a reference', code(0x03, 0x64, 0x28, 0x00, 0x0b)],
  ['a condition of a reference to anything', code(0x41, 0, 0x04, 0x6e, 0x00, 0x0b)],
  ['a block of an exception', code(0x02, 0x69, 0x00, 0x0b)],
  ['a block whose type is no type', code(0x02, 0x2d, 0x0b)],
  ['a block type in more bytes than it needs, below zero', code(0x02, 0xc0, 0x7f, 0x0b)],
  ['a block type that is too long', code(0x02, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00, 0x0b)],
  ['a choice between references', code(0xd0, 0x70, 0xd0, 0x70, 0x41, 0, 0x1c, 1, 0x63, 0x70, 0x1a)],
  ['a choice between several values', code(0x00, 0x1c, 2, 0x7f, 0x7f, 0x1a, 0x1a)],
  ['no reference of a type of its own', code(0xd0, 0x28, 0x1a)],
  ['no reference of the types above', code(0xd0, 0x6e, 0x1a)],
  ['a variable that is a reference', locals(1, 1, 0x63, 0x70)],
  ['a variable of another type', locals(1, 1, 0x77)],
  ['too many variables', locals(1, 0xd1, 0x86, 0x03, 0x7f)],
  ['a memory by another name', code(0x00, 0x28, 0x42, 0, 0, 0x1a)],
  ['a memory by another name in its size', code(0x3f, 1, 0x1a)],
  ['a memory by another name in a copy', code(0x00, 0xfc, 10, 1, 0)],
  ['an alignment beyond all', code(0x00, 0x28, 5, 0, 0x1a)],
  ['an offset of 64 bits', code(0x00, 0x28, 2, 0x80, 0x80, 0x80, 0x80, 0x80, 0, 0x1a)],
  ['a constant in six bytes', code(0x41, 0x80, 0x80, 0x80, 0x80, 0x80, 0, 0x1a)],
  ['a constant with bits left over', code(0x41, 0x80, 0x80, 0x80, 0x80, 0x10, 0x1a)],
  ['an index with bits left over', code(0x10, 0x80, 0x80, 0x80, 0x80, 0x10)],
  ['a try', code(0x06, 0x40, 0x0b)],
  ['a try with a table', code(0x1f, 0x40, 0, 0x0b)],
  ['a throw', code(0x08, 0)],
  ['a throw of a reference', code(0x00, 0x0a)],
  ['a call of a reference', code(0x00, 0x14, 0)],
  ['a tail call of a reference', code(0x00, 0x15, 0)],
  ['a comparison of references', code(0x00, 0xd3, 0x1a)],
  ['a reference that is not null', code(0x00, 0xd4, 0x1a)],
  ['a branch on null', code(0x00, 0xd5, 0)],
  ['a branch on what is not null', code(0x00, 0xd6, 0)],
  ['a switch of stacks', code(0x00, 0xe0, 0)],
  ['an instruction of asm.js', code(0x00, 0xdc, 0x1a)],
  ['a structure', code(0xfb, 0, 0, 0x1a)],
  ['a string', code(0xfb, 0x80, 1, 0, 0x1a)],
  ['arithmetic of 128 bits', code(0x00, 0xfc, 0x13, 0x1a, 0x1a)],
  ['a vector of halves', code(0x00, 0xfd, 0xa0, 2, 0x1a)],
  ['a vector instruction that is none', code(0x00, 0xfd, 0x9a, 1, 0x1a)],
  ['atomic instructions', code(0x00, 0xfe, 0, 2, 0, 0x1a)],
  ['a structure type', { types: [[0x5f, 0], none], body: [0] }],
  ['an array type', { types: [[0x5e, 0x7f, 0], none], body: [0] }],
  ['a group of types', { types: [[0x4e, 1, ...none], none], body: [0] }],
  ['a type below another', { types: [[0x50, 0, ...none], none], body: [0] }],
  ['a final type', { types: [[0x4f, 0, ...none], none], body: [0] }],
  ['a parameter that is a reference', { types: [[0x60, 1, 0x63, 0x70, 0], none], body: [0] }],
  ['a result that is an exception', { types: [[0x60, 0, 1, 0x69], none], body: [0] }],
  ['more types than there are bytes', of(1, 0xff, 0xff, 0xff, 0xff, 0x0f)],
  ['bytes after the types', { types: [none], body: [0], sections: { 1: [1, ...none, 0] } }],
  ['a function of a type that is not there', of(3, 1, 9)],
  ['a function without a body', of(3, 2, 0, 0)],
  [
    'a call with a number that is not whole',
    { types: [[0x60, 1, 0x7c, 0]], imports: [importOf('wasi_snapshot_preview1', 'fd_write')] },
  ],
  ['a call that answers with 64 bits', { imports: [importOf('wasi_snapshot_preview1', 'fd_write')] }],
  ['a call of a type that is not there', { imports: [importOf('wasi_snapshot_preview1', 'fd_write', [0, 9])] }],
  ['a name that is no text', { types: [none], imports: [[1, 0xff, 1, 0xff, 0, 0]], body: [0] }],
  ['a table with 64-bit indices', of(4, 1, 0x70, 4, 1)],
  ['a table that is shared', of(4, 1, 0x70, 3, 1, 1)],
  ['a table with a value to start with', of(4, 1, 0x40, 0, 0x70, 0, 1, 0xd0, 0x70, 0x0b)],
  ['a table of numbers', of(4, 1, 0x7f, 0, 1)],
  ['a table of references that are never null', of(4, 1, 0x64, 0x70, 0, 1)],
  ['a memory with pages of another size', of(5, 1, 8, 1, 0)],
  ['bytes after the memory', of(5, 1, 0, 1, 0)],
  ['a global variable that is shared', of(6, 1, 0x7f, 2, ...number)],
  ['a global variable that is a reference', of(6, 1, 0x63, 0x70, 0, 0xd0, 0x70, 0x0b)],
  ['a global variable that is computed', of(6, 1, 0x7f, 0, 0x41, 0, 0x41, 0, 0x6a, 0x0b)],
  ['a global variable of a structure', of(6, 1, 0x7f, 0, 0xfb, 0, 0, 0x0b)],
  [
    'a global variable by a vector instruction',
    of(6, 1, 0x7b, 0, 0xfd, 0x0d, ...Array.from({ length: 16 }, () => 0), 0x0b),
  ],
  ['an exported tag', of(7, 1, 1, 0x74, 4, 0)],
  ['elements of an unknown kind', of(9, 1, 8, ...number, 0)],
  ['elements that are no functions', of(9, 1, 1, 1, 0)],
  ['elements that are references', of(9, 1, 5, 0x63, 0x70, 0)],
  ['elements that are computed', of(9, 1, 5, 0x70, 1, 0xfb, 0x1c, 0x0b)],
  ['data of an unknown kind', of(11, 1, 3, ...number, 0)],
  ['data for another memory', of(11, 1, 2, 1, ...number, 0)],
  ['bytes after the number of data', of(12, 0, 0)],
  ['tags', { more: [13, 1, 0] }],
  ['strings', { more: [14, 1, 0] }],
  ['a section in another order', { more: [8, 1, 0] }],
])('refuses %s', (_name, parts) => {
  expect(() => admitModule(assemble(parts), bounds)).toThrow(ModuleRefused);
});

it('refuses code that hides behind a type', () => {
  // Read a byte at a time, this is a load, a constant of eight bytes and a drop; V8 divides 0 by 0 in it.
  const hidden = [
    0x02, 0x63, 0x28, 0x01, 0x41, 0x44, 0x20, 0, 0x20, 0, 0xa3, 0x21, 1, 0x01, 0x1a, 0xd0, 0x28, 0x0b, 0x1a,
  ];
  const bytes = assemble({ types: Array.from({ length: 45 }, () => none), body: [1, 2, 0x7c, ...hidden] });
  expect(WebAssembly.validate(bytes)).toBe(true);
  expect(() => admitModule(bytes, bounds)).toThrow('type 0x63');
});

const functionElements = [8, 0, ...number, 1, 0, 1, 0, 1, 0, 2, 0, ...number, 0, 1, 0, 3, 0, 1, 0];
const inTheirPlace = [4, ...number, 1, 0xd2, 0, 0x0b];
const inATable = [6, 0, ...number, 0x70, 0];
const expressionElements = [...inTheirPlace, 5, 0x70, 1, 0xd0, 0x70, 0x0b, ...inATable, 7, 0x6f, 0];

it('lets everything of WebAssembly 2 through', () => {
  const bytes = assemble({
    types: [none, twoToOne, [0x60, 1, 0x7f, 2, 0x7b, 0x6f], [0x60, 0, 0]],
    body: [
      1, 1, 0x70, 0x02, 0, 0x0b, 0x02, 0x40, 0x0b, 0xd0, 0x6f, 0xd0, 0x6f, 0x41, 0xff, 0xff, 0xff, 0xff, 0x7f, 0x1c, 1,
      0x6f, 0x1a,
    ],
    sections: {
      4: [2, 0x70, 0, 1, 0x6f, 1, 1, 2],
      6: [4, 0x7f, 1, ...number, 0x7e, 0, 0x42, 0x7f, 0x0b, 0x70, 0, 0xd2, 0, 0x0b, 0x6f, 0, 0xd0, 0x6f, 0x0b],
      9: [...functionElements, ...expressionElements],
      11: [3, 0, ...number, 1, 7, 1, 0, 2, 0, ...number, 0],
      12: [3],
    },
  });
  expect(WebAssembly.validate(admitModule(bytes, bounds))).toBe(true);
});

const types = [none, [0x60, 1, 0x7f, 1, 0x7f], [0x60, 0, 2, 0x7f, 0x7b], none];
const kindsOfVariables = [0x7f, 0x7e, 0x7d, 0x7c, 0x7b, 0x70, 0x6f];
const start = [0x00, 0x04, 0x40, 0x00];
const stop = 0xff;

const surroundings = {
  4: [2, 0x70, 0, 1, 0x6f, 0, 1],
  6: [1, 0x7f, 1, ...number],
  9: [1, 3, 0, 1, 0],
  11: [1, 1, 0],
  12: [1],
};

/** A function with a variable of each type, in a condition that is never reached, so that any operand will do. */
function around(instruction: readonly number[]): Uint8Array<ArrayBuffer> {
  const variables = [kindsOfVariables.length, ...kindsOfVariables.flatMap((type) => [1, type])];
  const stops = Array.from({ length: 24 }, () => stop);
  return assemble({ types, body: [...variables, ...start, ...instruction, ...stops], sections: surroundings });
}

const origin = around([]).indexOf(stop);

/** Where V8 stands when it meets the byte that is no instruction after `instruction`; undefined where it stops earlier. */
function v8Boundary(instruction: readonly number[]): number | undefined {
  try {
    const { name } = new WebAssembly.Module(around(instruction)).constructor;
    throw new Error(`V8 made a ${name} of an instruction that is none`);
  } catch (error) {
    expect((error as Error).name).toBe('CompileError');
    const at = /Invalid opcode 0xff @\+(\d+)$/.exec((error as Error).message)?.[1];
    return at === undefined ? undefined : Number(at) - origin;
  }
}

function ourLength(bytes: readonly number[]): number | undefined {
  const from = reader(Uint8Array.from(bytes));
  try {
    readInstruction(from, types.length);
    return from.at;
  } catch (error) {
    expect((error as Error).name).toBe('ModuleRefused');
    return undefined;
  }
}

/** Beginnings of instructions: every opcode, those of the groups with a prefix also in more bytes than needed. */
function* openings(): Generator<number[]> {
  for (let opcode = 0; opcode < 0x100; opcode += 1) {
    if (opcode < 0xfb || opcode === 0xff) yield [opcode];
    else {
      for (let sub = 0; sub < 0x140; sub += 1) {
        yield [opcode, ...(sub < 0x80 ? [sub] : [(sub & 0x7f) | 0x80, sub >> 7])];
        if (sub < 0x80) yield [opcode, sub | 0x80, 0x80, 0x00];
      }
    }
  }
}

const telling = [
  0, 1, 2, 3, 4, 0x28, 0x40, 0x41, 0x44, 0x63, 0x64, 0x69, 0x6e, 0x6f, 0x70, 0x77, 0x7b, 0x7f, 0x80, 0xc0,
];

/** What may follow an opening; few for the long groups, whose instructions name no types. */
function* candidates(): Generator<number[]> {
  for (const opening of openings()) {
    for (const first of opening.length === 1 ? telling : [0, 1, 0x40, 0x80]) {
      for (const second of opening.length === 1 ? [0, 0x70] : [0]) {
        yield [...opening, first, second, ...Array.from({ length: 20 }, () => 0)];
      }
    }
  }
}

/** How long V8 takes the first instruction of `bytes` to be; undefined where it refuses it. */
function v8Length(bytes: readonly number[]): number | undefined {
  for (let length = 1; length < 8; length += 1) {
    if (v8Boundary(bytes.slice(0, length)) === length) return length;
  }
  return undefined;
}

it('reads each instruction as long as V8 does', () => {
  const agreed = new Set<string>();
  const differ: string[] = [];
  for (const bytes of candidates()) {
    const length = ourLength(bytes);
    if (length === undefined) continue;
    const instruction = bytes.slice(0, length);
    const key = instruction.join(' ');
    if (agreed.has(key)) continue;
    const isShorter = instruction.some((_byte, cut) => cut > 0 && v8Boundary(instruction.slice(0, cut)) === cut);
    if (!isShorter && v8Boundary(instruction) === length) agreed.add(key);
    else {
      const seen = v8Length(bytes);
      if (seen !== undefined) differ.push(`${bytes.slice(0, 12).join(' ')}: ${length}, V8 ${seen}`);
    }
  }
  expect(differ).toEqual([]);
  // Every opcode that is let through is one to V8 as well: the comparison is not void.
  expect(new Set([...agreed].map((key) => key.split(' ', 1)[0])).size).toBe(187);
}, 60_000);
