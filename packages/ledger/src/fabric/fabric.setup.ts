/** A real Fabric network for tests, where this machine has Fabric's programs. */

import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { startNetwork, stopNetwork, type StartedNetwork } from './network/network.ts';
import { toolsFolder } from './network/tools.ts';
import type { Ordering } from './network/topology.ts';
import { systemClock } from './system-clock.ts';

const { env } = process;

/** Where `deploy/tools/build` puts what it builds. */
export const toolsRoot =
  env['ASSAY_TOOLS_DIR'] ?? join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'assay', 'tools');

/** Whether this run must not skip what needs Fabric. */
export const fabricRequired = (env['ASSAY_REQUIRE'] ?? '').split(/[\s,]+/).includes('fabric');

/** The program that is missing, undefined where Fabric is there. */
export function missingFabric(ordering: Ordering = 'raft'): string | undefined {
  const folder = toolsFolder(toolsRoot, ordering);
  return ['peer', 'orderer', 'osnadmin', 'configtxgen']
    .map((name) => join(folder, name))
    .find((path) => !existsSync(path));
}

export interface TestNetwork extends StartedNetwork {
  readonly folder: string;
  close(): Promise<void>;
}

/** A network of its own in a new folder. */
export async function testNetwork(ordering: Ordering = 'raft'): Promise<TestNetwork> {
  const folder = await mkdtemp(join(tmpdir(), 'assay-fabric-'));
  const started = await startNetwork({ folder, tools: toolsRoot, ordering, clock: systemClock });
  return {
    ...started,
    folder,
    async close() {
      await stopNetwork(folder, { erase: true });
      await rm(folder, { recursive: true, force: true });
    },
  };
}
