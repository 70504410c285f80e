/** A real Fabric network for tests, where this machine has Fabric's programs. */

import { mkdtemp, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '@assay/store';
import { describe, expect, test } from 'vitest';
import { ledgerKeyFromSeed } from '../keys.ts';
import { openFabricLedger, type FabricLedger } from './fabric-ledger.ts';
import { foldersOf } from './network/folders.ts';
import { startNetwork, stopNetwork, type StartedNetwork } from './network/network.ts';
import { runningPrograms } from './network/processes.ts';
import { findTools } from './network/tools.ts';
import type { ChannelName, Membership, Ordering } from './network/topology.ts';
import { systemClock } from './system-clock.ts';

const { env } = process;

/** Where `deploy/tools/build` puts what it builds. */
export const toolsRoot =
  env['ASSAY_TOOLS_DIR'] ?? join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'assay', 'tools');

/** Whether this run must not skip what needs Fabric. */
const fabricRequired = (env['ASSAY_REQUIRE'] ?? '').split(/[\s,]+/).includes('fabric');

/** What is missing and where it comes from, undefined where Fabric is there. */
function missingFabric(ordering: Ordering, membership: Membership): string | undefined {
  try {
    findTools(toolsRoot, ordering, membership);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

export interface TestNetwork extends StartedNetwork {
  readonly folder: string;
  close(): Promise<void>;
}

/** A network of its own in a new folder. */
export async function testNetwork(ordering: Ordering = 'raft', membership: Membership = 'own'): Promise<TestNetwork> {
  const folder = await mkdtemp(join(tmpdir(), 'assay-fabric-'));
  const started = await startNetwork({
    folder,
    tools: toolsRoot,
    ordering,
    membership,
    firstPort: 0,
    clock: systemClock,
  });
  return {
    ...started,
    folder,
    async close() {
      await stopNetwork(folder, { erase: true });
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Kills a program of the network without warning. */
export async function killProgram(folder: string, name: string): Promise<void> {
  const pid = (await runningPrograms(foldersOf(folder))).get(name);
  if (pid === undefined) throw new Error(`${name} does not run`);
  process.kill(pid, 'SIGKILL');
  while ((await runningPrograms(foldersOf(folder))).has(name)) await sleep(10);
}

/** Starts what was killed. */
export function mendNetwork(folder: string): Promise<StartedNetwork> {
  return startNetwork({ folder, tools: toolsRoot, clock: systemClock });
}

/** Describes tests that need Fabric: skipped with the missing program's name, or failing where this run requires it. */
export function describeOnFabric(
  name: string,
  tests: () => void,
  ordering: Ordering = 'raft',
  membership: Membership = 'own',
): void {
  const missing = missingFabric(ordering, membership);
  if (missing === undefined) {
    describe(`Fabric: ${name}`, () => {
      tests();
    });
    return;
  }
  test.skipIf(!fabricRequired)(`${name} (${missing})`, () => {
    expect.fail(missing);
  });
}

/** The engine on a test's network and database. */
export function openTestLedger(
  { profile }: Pick<StartedNetwork, 'profile'>,
  db: Database,
  channel: ChannelName = 'public-marketplace',
): Promise<FabricLedger> {
  const key = ledgerKeyFromSeed(new Uint8Array(32));
  return openFabricLedger({ db, key, profile, channel, clock: systemClock, onProblem: () => undefined });
}
