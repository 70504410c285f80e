/** The docker driver as the attack suite wants it, on either runtime. */

import type { AttackKit } from './attack-suite.setup.ts';
import { inOpenContainer } from './open-container.setup.ts';
import { dockerKit, type DockerKitOptions } from '../docker/driver.setup.ts';
import { askEngine } from '../docker/engine/api.ts';
import { gvisorVersion } from '../docker/engine/programs.ts';

const sharedKernel = 'runc shares the host’s kernel, and with it what the kernel says of the machine';

/** What each runtime is known not to hold. */
const residual = {
  runc: {
    'leaks.machine-id': sharedKernel,
    'leaks.uptime': sharedKernel,
  },
  runsc: {
    'processes.thread-bomb':
      'threads that sleep are gVisor’s own and take memory of the container, whose bound holds them',
    'privileges.priority': 'gVisor’s kernel notes the wish and never passes it on to the host',
  },
} as const;

export async function dockerAttackKit(options: DockerKitOptions): Promise<AttackKit> {
  const kit = await dockerKit(options);
  const { socketPath } = kit.engine;
  const version = JSON.parse((await askEngine(socketPath, 'GET', '/version')).body) as {
    Version: string;
    Components?: readonly { Name: string; Version: string }[];
  };
  const runc = version.Components?.find(({ Name }) => Name === 'runc')?.Version ?? 'unknown';
  return {
    ...kit,
    language: 'cpython',
    versions: { docker: version.Version, ...(options.runtime === 'runc' ? { runc } : { gvisor: gvisorVersion }) },
    residual: residual[options.runtime],
    left: () => kit.containers(),
    open: (attempts, canaries) => inOpenContainer({ socketPath, image: kit.image }, attempts, canaries),
  };
}
