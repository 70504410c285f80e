import { expect, it } from 'vitest';
import { runPython } from '@assay/core/conformance';
import { driverKit } from './driver.setup.ts';

const MiB = 1024 ** 2;
const fill = `
piece = bytes(64 << 10)
with open('/tmp/x', 'wb', buffering=0) as file:
    for _ in range(108 * 16): file.write(piece)
print('written')
`;

it('lets a unit fill its scratch space and hold an input of its memory’s size, and pins the time of a pipe', async () => {
  const kit = await driverKit();
  try {
    const sizes = { memoryBytes: 256 * MiB, scratchBytes: 128 * MiB };
    for (let round = 0; round < 2; round += 1) {
      const filled = await runPython(kit, fill, { limits: sizes });
      expect(filled).toMatchObject({ stdout: 'written\n', outcome: { ending: { kind: 'exit', code: 0 } } });
      // The interpreter, the file and a little: no copies of the file as it grew.
      expect(filled.outcome.usage.peakBytes).toBeLessThan(330 * MiB);
    }
    const look = `import os; print(os.stat('data/big').st_size)`;
    const inputs = await kit.lay({ 'main.py': look, 'data/big': new Uint8Array(200 * MiB).fill(97) });
    const laid = await runPython(kit, look, { inputs, limits: sizes });
    expect(laid).toMatchObject({ stdout: `${200 * MiB}\n`, outcome: { ending: { kind: 'exit', code: 0 } } });
    expect(laid.outcome.usage.peakBytes).toBeLessThan(420 * MiB);
    const epochMs = Date.UTC(2026, 0, 2);
    const pipe = await runPython(kit, `import os; print(int(os.fstat(os.pipe()[0]).st_mtime))`, { epochMs });
    expect(pipe.stdout).toBe(`${epochMs / 1000}\n`);
  } finally {
    await kit.close();
  }
}, 90_000);
