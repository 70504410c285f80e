/** Fabric's own programs: where they lie, and running those that do one thing and end. */

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Fault, limits, refuse } from '@assay/core';
import { systemPath } from './processes.ts';
import { orderings, type Ordering } from './topology.ts';

/** The versions that `deploy/tools` builds. */
export const toolVersions = { fabric: '2.5.9', 'fabric-bft': '3.1.1' } as const;

const programs = ['peer', 'orderer', 'osnadmin', 'configtxgen'] as const;
export type ToolName = (typeof programs)[number];

export interface Tools {
  readonly version: string;
  path(name: ToolName): string;
}

/** The folder where `deploy/tools/build` puts the programs that this kind of network needs. */
export function toolsFolder(toolsRoot: string, ordering: Ordering): string {
  const set = orderings[ordering].tools;
  return join(toolsRoot, `${set}-${toolVersions[set]}`, 'bin');
}

/** Finds the programs; refuses `config.invalid` with what to do where one is missing. */
export function findTools(toolsRoot: string, ordering: Ordering): Tools {
  const folder = toolsFolder(toolsRoot, ordering);
  const missing = programs.filter((name) => !existsSync(join(folder, name)));
  if (missing.length > 0) {
    const set = orderings[ordering].tools;
    throw refuse(
      'config.invalid',
      `Fabric’s ${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} not in ${folder}: run deploy/tools/build ${set} (needs Go), or put the programs of Fabric ${toolVersions[set]} there`,
    );
  }
  return { version: toolVersions[orderings[ordering].tools], path: (name) => join(folder, name) };
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
