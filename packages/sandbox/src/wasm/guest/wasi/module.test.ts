import { expect, it } from 'vitest';
import { admitModule } from './module.ts';
import { assemble, importOf, i64, section, twoToOne, type Parts } from './modules.setup.ts';

const calls = new Set(['fd_write', 'proc_exit']);
const bounds = { calls, mostPages: 16 };

function load(bytes: Uint8Array) {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(bytes)));
  return exports as { f: (a: bigint, b: bigint) => bigint; memory: WebAssembly.Memory };
}

const bits = (value: number) => new BigUint64Array(Float64Array.of(value).buffer)[0] ?? 0n;
const canonical = 0x7ff8_0000_0000_0000n;
/** Parameters as numbers, the instructions, the result as its bits. */
const onDoubles = (...code: number[]) => [0, 0x20, 0, 0xbf, 0x20, 1, 0xbf, ...code, 0xbd];

it.each([
  ['f64.div', [0xa3], 0, 0],
  ['f64.sub', [0xa1], Infinity, Infinity],
  ['f64.min', [0xa4], Number.NaN, 1],
  ['f64.add then f64.sqrt', [0xa0, 0x9f], -1, -1],
  ['f32.div', [0xb6, 0x1a, 0xb6, 0x43, 0, 0, 0, 0, 0x94, 0x43, 0, 0, 0, 0, 0x95, 0xbb], 1, 1],
  [
    'f64x2.mul',
    [0x1a, 0xfd, 0x14, 0x44, 0, 0, 0, 0, 0, 0, 0, 0, 0xfd, 0x14, 0xfd, 0xf2, 1, 0xfd, 0x21, 1],
    Infinity,
    0,
  ],
] as const)('gives the same NaN for %s', (_name, code, a, b) => {
  const { f } = load(admitModule(assemble({ body: onDoubles(...code) }), bounds));
  expect(BigInt.asUintN(64, f(bits(a), bits(b)))).toBe(canonical);
});

it('gives the same NaN where one kind of number is read as another', () => {
  // The bits of the quotient's NaN, taken for numbers of 64 bits, are an infinity of the sign that the machine chose.
  const splat = [0x1a, 0xb6, 0xfd, 0x13];
  const body = onDoubles(...splat, 0x43, 0, 0, 0, 0, 0xfd, 0x13, 0xfd, 0xe7, 1, 0xfd, 0x5e, 0xfd, 0x1f, 0, 0xbb);
  const { f } = load(admitModule(assemble({ body }), bounds));
  expect(f(0n, 0n)).toBe(bits(Infinity));
});

it('takes the payload and the sign from a NaN that goes through arithmetic, and leaves other values alone', () => {
  const bytes = assemble({ body: onDoubles(0xa2) });
  const { f } = load(admitModule(bytes, bounds));
  const odd = 0xfff8_0000_0000_0123n;
  expect(BigInt.asUintN(64, load(bytes).f(odd, bits(1)))).not.toBe(canonical);
  expect(BigInt.asUintN(64, f(odd, bits(1)))).toBe(canonical);
  for (const value of [0, -0, 1.5, -Infinity, 5e-324]) {
    expect(BigInt.asUintN(64, f(bits(value), bits(-1)))).toBe(bits(value * -1));
  }
});

it('keeps the bits of what is only moved', () => {
  const { f } = load(admitModule(assemble({ body: [0, 0x20, 0, 0xbf, 0xbd] }), bounds));
  expect(BigInt.asUintN(64, f(0xfff8_0000_0000_0123n, 0n))).toBe(0xfff8_0000_0000_0123n);
});

it('finds the variables of a function that has some of its own', () => {
  // Two variables of type i64 and one f64; the quotient goes through the last.
  const body = [2, 2, i64, 1, 0x7c, 0x20, 0, 0xbf, 0x20, 1, 0xbf, 0xa3, 0x22, 4, 0xbd];
  const { f } = load(admitModule(assemble({ body }), bounds));
  expect(BigInt.asUintN(64, f(0n, 0n))).toBe(canonical);
  expect(BigInt.asUintN(64, f(bits(1), bits(4)))).toBe(bits(0.25));
});

it('bounds the memory', () => {
  const { memory } = load(admitModule(assemble({ memory: [0, 1] }), bounds));
  memory.grow(15);
  expect(() => memory.grow(1)).toThrow(RangeError);
  const own = load(admitModule(assemble({ memory: [1, 1, 2] }), bounds)).memory;
  own.grow(1);
  expect(() => own.grow(1)).toThrow(RangeError);
});

it('lets the calls through that it knows', () => {
  const types = [[0x60, 0, 0], twoToOne];
  const bytes = assemble({ types, imports: [importOf('wasi_snapshot_preview1', 'fd_write')] });
  expect(WebAssembly.Module.imports(new WebAssembly.Module(admitModule(bytes, bounds)))).toHaveLength(1);
});

it.each<[string, Parts | Uint8Array, string]>([
  ['no module', Uint8Array.of(1, 2, 3), 'no WebAssembly module'],
  ['a call that is not given', { imports: [importOf('wasi_snapshot_preview1', 'path_exec')] }, 'path_exec'],
  ['a call of another interface', { imports: [importOf('env', 'fd_write')] }, 'env.fd_write'],
  ['a memory from outside', { imports: [importOf('wasi_snapshot_preview1', 'fd_write', [2, 0, 1])] }, 'not given'],
  ['shared memory', { memory: [3, 1, 2] }, 'shared'],
  ['64-bit memory', { memory: [4, 1] }, '64-bit'],
  ['too much memory', { memory: [0, 17] }, '17 pages, 16'],
  ['atomic instructions', { body: [0, 0xfe, 3, 0] }, 'threads'],
  ['relaxed SIMD', { body: [0, 0xfd, 0x85, 2] }, 'relaxed SIMD'],
  ['several memories', { body: [0, 0x20, 0, 0xa7, 0x2d, 0x40, 1, 0] }, 'several memories'],
  ['exceptions', { body: [0, 0x06, 0x40] }, '0x6'],
  ['garbage collection', { body: [0, 0xfb, 0] }, '0xfb'],
  ['an unknown section', { more: section(13, [0]) }, 'section 13'],
  ['a section that comes twice', { more: section(1, [0]) }, 'twice'],
  ['a section that is cut short', { more: [11, 5, 1] }, 'cut short'],
  ['an instruction that is cut short', { body: [0, 0x44, 1] }, 'cut short'],
])('refuses %s', (_name, parts, reason) => {
  const bytes = parts instanceof Uint8Array ? parts : assemble(parts);
  expect(() => admitModule(bytes, bounds)).toThrow(reason);
});

it('never throws anything but its refusal, and never hangs, on bytes that were changed', () => {
  const bytes = assemble({ body: onDoubles(0xa3, 0x20, 1, 0xbf, 0xa0) });
  for (let at = 8; at < bytes.length; at += 1) {
    for (const value of [0, 1, 0x7f, 0x80, 0xfd, 0xff]) {
      const changed = Uint8Array.from(bytes);
      changed[at] = value;
      try {
        admitModule(changed, bounds);
      } catch (error) {
        expect((error as Error).name).toBe('ModuleRefused');
      }
    }
  }
});
