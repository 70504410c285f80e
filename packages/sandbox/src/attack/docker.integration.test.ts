import { describe } from 'vitest';
import { attackSuite } from './attack-suite.setup.ts';
import { dockerAttackKit } from './docker-attack-kit.setup.ts';
import { neededFor } from '../docker/driver.setup.ts';

describe.each(['runc', 'runsc'] as const)('docker on %s', (runtime) => {
  const { skip, why } = neededFor(runtime);
  describe.skipIf(skip)(`the suite${why}`, () => {
    attackSuite(`docker ${runtime}`, 'cpython', () => dockerAttackKit({ runtime }));
  });
});
