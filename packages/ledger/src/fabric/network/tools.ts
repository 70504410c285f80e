/** Fabric's own programs: where they lie, and running those that do one thing and end. */

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Fault, limits, refuse } from '@assay/core';
import { systemPath } from './processes.ts';
import { memberships, orderings, type Membership, type Ordering } from './topology.ts';

/** The versions that `deploy/tools` builds. */
export const toolVersions = { fabric: '2.5.9', 'fabric-bft': '3.1.1', 'fabric-ca': '1.5.21' } as const;

const programs = {
  nodes: ['peer', 'orderer', 'osnadmin', 'configtxgen', 'configtxlator'],
  authorities: ['fabric-ca-server', 'fabric-ca-client'],
} as const;
export type ToolName = (typeof programs)[keyof typeof programs][number];

export interface Tools {
  readonly version: string;
  path(name: ToolName): string;
}

/** The folder where `deploy/tools/build` puts the programs that this kind of network needs. */
export function toolsFolder(toolsRoot: string, ordering: Ordering): string {
  return folderOfSet(toolsRoot, orderings[ordering].tools);
}

type ToolSet = keyof typeof toolVersions;

function folderOfSet(toolsRoot: string, set: ToolSet): string {
  return join(toolsRoot, `${set}-${toolVersions[set]}`, 'bin');
}

/** Finds the programs; refuses `config.invalid` with what to do where one is missing. */
export function findTools(toolsRoot: string, ordering: Ordering, membership: Membership = 'own'): Tools {
  const set = orderings[ordering].tools;
  const places = new Map<ToolName, string>(placesIn(toolsRoot, set, programs.nodes));
  if (memberships[membership].authorities) {
    for (const [name, path] of placesIn(toolsRoot, 'fabric-ca', programs.authorities)) places.set(name, path);
  }
  return {
    version: toolVersions[set],
    path(name) {
      const path = places.get(name);
      if (path === undefined) throw new Error(`a network of this kind has no use for ${name}`);
      return path;
    },
  };
}

function placesIn(toolsRoot: string, set: ToolSet, names: readonly ToolName[]): (readonly [ToolName, string])[] {
  const folder = folderOfSet(toolsRoot, set);
  const missing = names.filter((name) => !existsSync(join(folder, name)));
  if (missing.length > 0) {
    throw refuse(
      'config.invalid',
      `Fabric’s ${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} not in ${folder}: run deploy/tools/build ${set} (needs Go), or put the programs of version ${toolVersions[set]} there`,
    );
  }
  return names.map((name) => [name, join(folder, name)]);
}

/** Runs a tool to its end and gives what it printed; faults with its own words when it fails. */
export function runTool(
  path: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<string> {
  const options = {
    env: { PATH: systemPath, ...environment },
    timeout: limits.fabricToolMs,
    maxBuffer: limits.fabricToolBytes,
  };
  return new Promise((resolve, reject) => {
    execFile(path, [...args], options, (error, stdout, stderr) => {
      if (!error) return resolve(stdout);
      const said = `${stderr}\n${stdout}`.trim().split('\n').slice(-3).join(' ');
      const what = `${path.split('/').at(-1)} ${args.slice(0, 3).join(' ')} failed: ${said}`;
      reject(new Fault('ledger.unavailable', what, { cause: error, retry: true }));
    });
  });
}
