import { afterAll, beforeAll, describe } from 'vitest';
import { sandboxConformance } from '@assay/core/conformance';
import { dockerKit, neededFor, type DockerKit } from './driver.setup.ts';

describe.each(['runc', 'runsc'] as const)('docker on %s', (runtime) => {
  const { skip, why } = neededFor(runtime);
  describe.skipIf(skip)(`holds the port${why}`, () => {
    let kit: DockerKit;
    beforeAll(async () => {
      kit = await dockerKit({ runtime });
      await kit.driver.probe();
    }, 60_000);
    afterAll(() => kit.close());

    sandboxConformance(`docker on ${runtime}`, () => kit);
  });
});
