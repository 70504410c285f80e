import { describe, expect, it } from 'vitest';
import { runPython } from '@assay/core/conformance';
import { attackSuite } from './attack-suite.setup.ts';
import { dockerAttackKit } from './docker-attack-kit.setup.ts';
import { neededFor } from '../docker/driver.setup.ts';

describe.each(['runc', 'runsc'] as const)('docker on %s', (runtime) => {
  const { skip, why } = neededFor(runtime);
  describe.skipIf(skip)(`the suite${why}`, () => {
    attackSuite(`docker ${runtime}`, 'cpython', () => dockerAttackKit({ runtime }));

    it('leaves nothing after kills at any moment of a unit', async () => {
      const kit = await dockerAttackKit({ runtime });
      try {
        for (let kill = 0; kill < 12; kill += 1) {
          const stop = new AbortController();
          setTimeout(() => stop.abort(), 60 * kill);
          const { outcome } = await runPython(kit, 'while True: pass', {}, stop.signal);
          await outcome.release();
          expect(outcome.ending).toEqual({ kind: 'killed', why: 'operator' });
        }
        await expect.poll(() => kit.left(), { timeout: 90_000, interval: 500 }).toEqual([]);
        expect(await kit.driver.sweep()).toBe(0);
      } finally {
        await kit.close();
      }
    }, 180_000);
  });
});
