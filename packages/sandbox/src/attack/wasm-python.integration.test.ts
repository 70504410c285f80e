import { readFile } from 'node:fs/promises';
import pyodide from 'pyodide/package.json' with { type: 'json' };
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runPython } from '@assay/core/conformance';
import { attackSuite } from './attack-suite.setup.ts';
import { ownChildren } from './host-state.setup.ts';
import { inOpenInterpreter } from './open-interpreter.setup.ts';
import { driverKit, type DriverKit } from '../wasm/driver.setup.ts';

attackSuite('wasm python', 'pyodide', async () => ({
  ...(await driverKit()),
  language: 'pyodide',
  versions: { pyodide: pyodide.version },
  residual: {},
  open: inOpenInterpreter,
  left: ownChildren,
}));

describe('a unit in the wasm driver', () => {
  let kit: DriverKit;
  beforeAll(async () => {
    kit = await driverKit();
    await kit.driver.probe();
  });
  afterAll(() => kit.close());

  it('is reported for a breach of policy when it reaches for what is sealed', async () => {
    const { outcome, stderr } = await runPython(kit, "import _pyodide_core as c\nc.to_js([1]).length\nprint('on')");
    expect(outcome.ending).toEqual({ kind: 'killed', why: 'policy' });
    expect(outcome.evidence.breach).toBeDefined();
    expect(stderr).toContain('the sandbox ended the job for calling');
  });

  it('cannot forge frames: every descriptor that it sees is in its own memory', async () => {
    const code = [
      'import os, struct',
      "frame = bytes([4]) + struct.pack('>I', 5) + bytes([0, 0, 0, 0, 9])",
      'for fd in range(0, 64):',
      '  try: os.write(fd, frame)',
      '  except OSError: pass',
      'os.write(1, frame * 3)',
    ].join('\n');
    const { outcome } = await runPython(kit, code);
    expect(outcome.ending).toEqual({ kind: 'exit', code: 0 });
  });

  it('cannot poison objects by names', async () => {
    const code = [
      'import os',
      "for name in ('__proto__', 'constructor', 'toString', 'hasOwnProperty'):",
      "  os.makedirs(f'results/{name}/x', exist_ok=True)",
      "  open(f'results/{name}/f', 'w').write(name)",
      "open('results/ok', 'w').write('ok')",
    ].join('\n');
    const { outcome } = await runPython(kit, code);
    const paths = ['__proto__/f', 'constructor/f', 'hasOwnProperty/f', 'ok', 'toString/f'];
    expect(outcome.outputs.map(({ path }) => path)).toEqual(paths);
  });

  it('leaves nothing after a hundred kills', async () => {
    // What ended in the tests before this one may still be returning its memory.
    await expect.poll(() => childrenOf(process.pid), { timeout: 10_000 }).toBe('');
    const kill = async (index: number) => {
      const stop = new AbortController();
      setTimeout(() => stop.abort(), 40 + 9 * index);
      const { outcome } = await runPython(kit, 'while True: pass', {}, stop.signal);
      await outcome.release();
      expect(outcome.ending).toEqual({ kind: 'killed', why: 'operator' });
    };
    for (let index = 0; index < 100; index += 4) await Promise.all([0, 1, 2, 3].map((more) => kill(index + more)));
    expect(await childrenOf(process.pid)).toBe('');
    expect(await kit.driver.sweep()).toBe(0);
  }, 120_000);
});

async function childrenOf(pid: number): Promise<string> {
  return readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
}
