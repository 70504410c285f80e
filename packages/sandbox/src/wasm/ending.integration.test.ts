import { afterAll, beforeAll, expect, it } from 'vitest';
import { runPython } from '@assay/core/conformance';
import { driverKit, type DriverKit } from './driver.setup.ts';

let kit: DriverKit;
beforeAll(async () => {
  kit = await driverKit();
});
afterAll(() => kit.close());

const helper = "file = open('results/helper', 'w')\nfile.write('unwritten')\ndef own(): return file";

it.each([
  ['main.py itself', "kept = open('results/main', 'w')\nkept.write('unwritten')\ndef own(): return kept", ['main']],
  ['a module', 'import helper', ['helper']],
  [
    'an object with a last wish',
    "class Last:\n  def __del__(self): open('results/last', 'w').write('gone')\nlast = Last()",
    ['last'],
  ],
  ['the end by a code', "import sys\nkept = open('results/main', 'w')\nkept.write('x')\nsys.exit(0)", ['main']],
])('Python writes what %s left open', async (_what, code, paths) => {
  const inputs = await kit.lay({ 'main.py': code, 'helper.py': helper });
  const { outcome, stderr } = await runPython(kit, '', { inputs });
  expect(stderr).toBe('');
  expect(outcome.ending).toEqual({ kind: 'exit', code: 0 });
  expect(outcome.outputs.map(({ path, sizeBytes }) => [path, sizeBytes > 0])).toEqual(
    paths.map((path) => [path, true]),
  );
});

it('Python ends with 255 for a code beyond every bound', async () => {
  const { outcome } = await runPython(kit, 'import sys\nsys.exit(2**100)');
  expect(outcome.ending).toEqual({ kind: 'exit', code: 255 });
});
