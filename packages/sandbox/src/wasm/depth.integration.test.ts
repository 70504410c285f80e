import { expect, it } from 'vitest';
import { conformanceLimits, pythonPrograms, rPrograms, runPython } from '@assay/core/conformance';
import { driverKit } from './driver.setup.ts';
import { wasmDriver } from './driver.ts';
import { assemble, text, unsigned, vector } from './guest/wasi/modules.setup.ts';
import { pythonRunner, rRunner, wasiRunner } from './languages.ts';

const unbounded = 'import json, sys\nsys.setrecursionlimit(10**9)\n';
const sorting = (stop: number) => `${unbounded}
for _ in range(20000): sorted([2, 1], key=lambda x: x)
n = 0
def key(x):
    global n
    n += 1
    if n < ${stop}: sorted([1, 2], key=key)
    return x
try: key(1)
except RecursionError: print('too deep')
print('fine', n, 0)`;
const nested = `${unbounded}
for depth in range(100, 5150, 50): json.loads('[' * depth + ']' * depth)
print('fine', 0)`;
const attribute = `${unbounded}
class Thing:
    def __getattr__(self, name): return getattr(self, name)
try: Thing().a
except RecursionError: print('fine', 0)`;
const lapplying = (depth: number) => `
deep <- function(n) { if (n %% 10 == 0) cat(n, '')
  if (n == ${depth}) n else lapply(1, function(x) deep(n + 1))[[1]] }
print(tryCatch(deep(0), error = function(e) class(e)[1]))
cat('fine\\n')`;

const python = { runner: pythonRunner, programs: pythonPrograms };
const r = { runner: rRunner, programs: rPrograms };
const pins = { randomSeed: 11, epochMs: Date.UTC(2026, 0, 2) };

it.each([
  ['in nested JSON', python, nested, 0],
  ['in 650 sorts', python, sorting(650), 0],
  ['in 750 sorts', python, sorting(750), 0],
  ['in sorts without end', python, sorting(10 ** 6), 0],
  ['in attributes without end', python, attribute, 0],
  ['in 200 functions of R', r, lapplying(200), 0],
  // R's own stack, in its memory, has no guard that would leave room to say so.
  ['in functions of R without end', r, lapplying(10 ** 6), 134],
] as const)(
  'the stack ends at the same depth whatever V8 has compiled, %s',
  async (_where, { runner, programs }, code, exitCode) => {
    const kit = await driverKit(runner);
    const driver = wasmDriver({ ...kit, warm: { cells: 1, memoryBytes: 1024 ** 3 } });
    try {
      const cold = await runPython(kit, code, pins, undefined, programs);
      expect(cold.outcome.ending).toEqual({ kind: 'exit', code: exitCode });
      expect(cold.stdout).toContain('0');
      const { entryPoint } = programs;
      const inputs = await kit.lay({ [entryPoint]: '' });
      const like = { label: 'like', runner, entryPoint, args: [], inputs, outputDir: 'results', environment: {} };
      await driver.prepare({ ...like, limits: conformanceLimits });
      const waited = await runPython({ ...kit, driver }, code, pins, undefined, programs);
      expect({ ...waited, outcome: waited.outcome.ending }).toEqual({ ...cold, outcome: cold.outcome.ending });
    } finally {
      await driver.close();
      await kit.close();
    }
  },
  60_000,
);

const sized = (body: readonly number[]) => [...unsigned(body.length), ...body];

/** A module that calls a function so many times, and then once so that it calls itself 20,000 deep. */
function deepModule(calls: number): Uint8Array {
  // 2000 variables of 64 bits, the last of which is set: one of V8's compilers gives each of them a place on the stack.
  const last = unsigned(2000);
  const set = [1, ...last, 0x7e, 0x20, 0, 0xad, 0x21, ...last];
  const descend = [0x20, 0, 0x04, 0x7f, 0x20, 0, 0x41, 1, 0x6b, 0x10, 1, 0x41, 1, 0x6a];
  const deep = [...set, ...descend, 0x05, 0x20, ...last, 0xa7, 0x0b, 0x0b];
  const often = [0x03, 0x40, 0x41, 1, 0x10, 1, 0x1a, 0x20, 0, 0x41, 1, 0x6b, 0x22, 0, 0x0d, 0, 0x0b];
  const begin = [1, 1, 0x7f, 0x41, ...signed(calls), 0x21, 0, ...often, 0x41, ...signed(20_000), 0x10, 1, 0x1a, 0x0b];
  return assemble({
    types: [
      [0x60, 0, 0],
      [0x60, 1, 0x7f, 1, 0x7f],
    ],
    sections: {
      3: [2, 0, 1],
      7: vector([
        [...text('_start'), 0, 0],
        [...text('memory'), 2, 0],
      ]),
      10: vector([sized(begin), sized(deep)]),
    },
  });
}

/** A number above zero as a constant. */
function signed(value: number): number[] {
  return value < 0x40 ? [value] : [(value & 0x7f) | 0x80, ...signed(Math.floor(value / 128))];
}

it('the stack holds as many calls of a WASI function that was called once as of one that was called often', async () => {
  const kit = await driverKit(wasiRunner);
  try {
    const codes: unknown[] = [];
    for (const calls of [1, 300_000]) {
      const inputs = await kit.lay({ 'main.wasm': deepModule(calls) });
      const { outcome, stderr } = await runPython(kit, '', { ...pins, inputs, entryPoint: 'main.wasm' });
      codes.push([outcome.ending, stderr]);
    }
    const fine = [{ kind: 'exit', code: 0 }, ''];
    expect(codes).toEqual([fine, fine]);
  } finally {
    await kit.close();
  }
}, 60_000);
