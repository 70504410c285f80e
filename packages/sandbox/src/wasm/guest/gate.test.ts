import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { installGate } from './gate.ts';
import { pythonPolicy } from './python/imports.ts';
import { rPolicy } from './r/imports.ts';

const original = WebAssembly.instantiate;
let gate: ReturnType<typeof installGate>;
beforeEach(() => {
  gate = installGate(pythonPolicy, (bytes) => bytes.fill(7));
});
afterEach(() => {
  WebAssembly.instantiate = original;
});

/** A module that imports `count` functions `env.f0` … */
function moduleWith(count: number): Uint8Array<ArrayBuffer> {
  const entries = Array.from({ length: count }, (_, n) => {
    const name = Buffer.from(`f${n}`);
    return Buffer.concat([Buffer.from([3]), Buffer.from('env'), Buffer.from([name.length]), name, Buffer.from([0, 0])]);
  });
  const imports = Buffer.concat([Buffer.from([count]), ...entries]);
  const size = Buffer.from([(imports.length & 0x7f) | 0x80, imports.length >> 7]);
  return new Uint8Array(
    Buffer.concat([
      Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]),
      Buffer.from([1, 4, 1, 0x60, 0, 0]),
      Buffer.from([2]),
      size,
      imports,
    ]),
  );
}

const environment = (count: number) => ({
  env: Object.fromEntries(Array.from({ length: count }, (_, n) => [`f${n}`, () => {}])),
});

it('refuses an interpreter whose imports were not reviewed', async () => {
  await expect(WebAssembly.instantiate(moduleWith(17), environment(17))).rejects.toThrow('was not reviewed');
});

it('lets the small modules through that the interpreter compiles at its start', async () => {
  const { instance } = await WebAssembly.instantiate(moduleWith(3), environment(3));
  expect(instance).toBeInstanceOf(WebAssembly.Instance);
  expect(gate.broken()).toBeUndefined();
});

describe.each([
  ['Python', pythonPolicy],
  ['R', rPolicy],
] as const)('the imports of %s', (_language, policy) => {
  it('are in one class each', () => {
    const closing = [...(policy.closing?.keys() ?? [])];
    const twice = [...policy.refused.keys(), ...closing].filter((name) => policy.allowed.has(name));
    expect([...twice, ...closing.filter((name) => policy.refused.has(name))]).toEqual([]);
  });

  it('that are allowed start no program, open no socket, load no code and do not cross into JavaScript', () => {
    const dangerous =
      /system|sock|connect|listen|accept|recv|send|addrinfo|dlopen|dlsym|run_script|wget|fetch|^Js|js2python|python2js|proxy|hiwire|ffi_|raw_call|promise|suspend/i;
    expect([...policy.allowed].filter((name) => dangerous.test(name))).toEqual([]);
  });
});
